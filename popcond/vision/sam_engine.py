"""The model's work on one frame at a time: encode it, read a point in it, follow an object into it.

Encoding is dear and depends on the frame alone, so its result can be kept; reading a point and following work on kept
embeddings. Nothing here remembers what was asked before, and everything may be called from several threads. While a
frame goes through the encoder or through the memory, `between` is called before each part of a layer, every few
hundredths of a second: whoever is in less of a hurry can step back there, or give up by raising.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everybody knows it by
from numpy.typing import NDArray
from ultralytics.models.sam.modules.sam import SAM2Model

from popcond.media.raster import Alpha, Rgb
from popcond.vision.sam_devices import Device
from popcond.vision.sam_embeddings import Embedding
from popcond.vision.sam_guess import Guess, Logits
from popcond.vision.segmenter import Point

_MEAN = (123.675, 116.28, 103.53)  # of the pictures that the published encoders were trained on, red first
_SPREAD = (58.395, 57.12, 57.375)
_PADDING = 114  # grey around a frame that is not square, as ultralytics' models are used to
_SURE = 10.0  # logit of what is certain
_STRONGEST = 32.0  # beyond, previous logits drown a correction
_LOOKS_BACK = 16  # frames: six memories and sixteen pointers are all that the model attends to

Frame = tuple[int, int]  # height and width


@dataclass(frozen=True)
class Fit:
    """How a frame lies in the model's square: scaled, at the top left."""

    side: int
    frame: Frame

    @property
    def scale(self) -> float:
        """Pixels of the square for one of the frame."""
        return self.side / max(self.frame)

    def covered(self, side: int) -> Frame:
        """Rows and columns that the frame covers of a grid of this side that is laid over the square."""
        share = self.scale * side / self.side
        return max(1, round(self.frame[0] * share)), max(1, round(self.frame[1] * share))


class Engine:
    """One model on one device, at one input size."""

    def __init__(self, model: SAM2Model, device: Device, between: Callable[[], None] = lambda: None) -> None:
        self._model: Any = model  # which calls itself untyped
        self._device = torch.device(device.name)
        self._dtype = next(model.parameters()).dtype
        self.side = device.input_size
        self._mean = torch.tensor(_MEAN, device=self._device).view(1, 3, 1, 1)
        self._spread = torch.tensor(_SPREAD, device=self._device).view(1, 3, 1, 1)
        self._constants = threading.Lock()
        self._grid: torch.Tensor | None = None
        self._positions: list[torch.Tensor] | None = None
        for layer in (*model.image_encoder.trunk.blocks, *model.memory_attention.layers):
            for part in layer.children():
                part.register_forward_pre_hook(lambda _part, _inputs: between())

    # -------------------------------------------------------------- one frame

    @torch.inference_mode()
    def encode(self, rgb: Rgb) -> Embedding:
        """What the model sees in a frame (H, W, 3)."""
        frame = rgb.shape[0], rgb.shape[1]
        square = torch.from_numpy(self._fitted(rgb, Fit(self.side, frame))).to(self._device)
        batch = (square.permute(2, 0, 1)[None].float() - self._mean) / self._spread
        levels = self._model.forward_image(batch.to(self._dtype))["backbone_fpn"]
        return Embedding(tuple(level.to(torch.float16).cpu().numpy().copy() for level in levels), frame)

    @torch.inference_mode()
    def decode(self, embedding: Embedding, points: Sequence[Point], previous: Logits | None) -> tuple[Guess, ...]:
        """What these points mean: three guesses for a single point that starts from nothing, else one."""
        levels = self._on_device(embedding)
        ambiguous = previous is None and len(points) == 1
        sparse, dense = self._model.sam_prompt_encoder(
            points=self._as_prompt(embedding, points), boxes=None, masks=self._as_mask_prompt(previous)
        )
        logits, scores, tokens, _ = self._model.sam_mask_decoder(
            image_embeddings=levels[2] + self._model.no_mem_embed.view(1, -1, 1, 1),
            image_pe=self._dense_grid(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=ambiguous,
            repeat_image=False,
            high_res_features=levels[:2],
        )
        pointers = self._model.obj_ptr_proj(tokens[0])
        return tuple(
            Guess(_array(logits[0, place]), float(scores[0, place]), _array(pointers[min(place, len(pointers) - 1)]))
            for place in range(logits.shape[1])
        )

    @torch.inference_mode()
    def given(self, embedding: Embedding, mask: Alpha) -> Guess:
        """A mask (H, W) that somebody is sure of, as if the model had guessed it."""
        levels = self._on_device(embedding)
        square = torch.from_numpy(self._laid_out(mask, Fit(self.side, embedding.frame))).to(self._device)
        answer: Any = self._model._use_mask_as_output(
            square[None, None].to(self._dtype), levels[2], high_res_features=levels[:2]
        )
        return Guess(_array(answer[3][0, 0]), 1.0, _array(answer[5][0]))

    def to_frame(self, logits: Logits, frame: Frame) -> Alpha:
        """(H, W), 0 or 255: scaled as logits and cut afterwards, so that the outline is smooth."""
        rows, columns = Fit(self.side, frame).covered(logits.shape[0])
        size = frame[1], frame[0]
        large = cv2.resize(np.ascontiguousarray(logits[:rows, :columns]), size, interpolation=cv2.INTER_LINEAR)
        return np.asarray(large > 0.0, np.uint8) * np.uint8(255)

    # -------------------------------------------------------------- many frames

    def tracker(self, count: int) -> Tracker:
        """Follows one object through a clip of so many frames."""
        return Tracker(self, self._model, count)

    def flat(self, embedding: Embedding) -> tuple[list[torch.Tensor], list[torch.Tensor], list[Frame]]:
        """The levels, their positions and their sizes, as the model's memory takes them."""
        levels = self._on_device(embedding)
        flat = [level.flatten(2).permute(2, 0, 1) for level in levels]
        return flat, self._level_positions(levels), [(level.shape[-2], level.shape[-1]) for level in levels]

    def on_device(self, array: NDArray[np.float32]) -> torch.Tensor:
        """A copy of the array where the model is, in the numbers that it counts in."""
        return torch.from_numpy(array.copy()).to(self._device, self._dtype)

    # -------------------------------------------------------------- parts

    def _fitted(self, rgb: Rgb, fit: Fit) -> NDArray[np.uint8]:
        rows, columns = fit.covered(self.side)
        square = np.full((self.side, self.side, 3), _PADDING, np.uint8)
        how = cv2.INTER_AREA if fit.scale < 0.5 else cv2.INTER_LINEAR
        square[:rows, :columns] = cv2.resize(rgb, (columns, rows), interpolation=how)
        return square

    def _laid_out(self, mask: Alpha, fit: Fit) -> NDArray[np.float32]:
        """(side, side), 0 or 1: the mask as the frame lies in the square."""
        rows, columns = fit.covered(self.side)
        square = np.zeros((self.side, self.side), np.float32)
        square[:rows, :columns] = np.asarray(cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA)) >= 128
        return square

    def _on_device(self, embedding: Embedding) -> list[torch.Tensor]:
        return [torch.from_numpy(level).to(self._device, self._dtype) for level in embedding.levels]

    def _as_prompt(self, embedding: Embedding, points: Sequence[Point]) -> tuple[torch.Tensor, torch.Tensor]:
        scale = self.side / max(embedding.frame)
        places = [[point.x * scale, point.y * scale] for point in points]
        labels = [int(point.is_foreground) for point in points]
        return (
            torch.tensor([places], device=self._device, dtype=self._dtype),
            torch.tensor([labels], device=self._device, dtype=torch.int32),
        )

    def _as_mask_prompt(self, previous: Logits | None) -> torch.Tensor | None:
        if previous is None:
            return None
        return self.on_device(np.clip(previous, -_STRONGEST, _STRONGEST))[None, None]

    def _dense_grid(self) -> torch.Tensor:
        """The same for every click; computing it costs a tenth of one."""
        with self._constants:
            if self._grid is None:
                self._grid = self._model.sam_prompt_encoder.get_dense_pe().to(self._dtype)
            return self._grid

    def _level_positions(self, levels: list[torch.Tensor]) -> list[torch.Tensor]:
        """The same for every frame; made from the neck, so that embeddings from disk need no encoder first."""
        with self._constants:
            if self._positions is None:
                encoding = self._model.image_encoder.neck.position_encoding
                self._positions = [encoding(x).to(self._dtype)[:1].flatten(2).permute(2, 0, 1) for x in levels]
            return self._positions


class Tracker:
    """One object's memory of the frames that it was seen in."""

    def __init__(self, engine: Engine, model: SAM2Model, count: int) -> None:
        self._engine = engine
        self._model: Any = model
        self._count = count
        self._told: dict[int, dict[str, Any]] = {}
        self._followed: dict[int, dict[str, Any]] = {}

    @torch.inference_mode()
    def remember(self, index: int, embedding: Embedding, guess: Guess) -> None:
        """This is how the object looks in this frame: somebody said so."""
        self._followed.pop(index, None)
        levels, _, sizes = self._engine.flat(embedding)
        logits = self._engine.on_device(guess.logits)[None, None]
        side = (self._engine.side, self._engine.side)
        features, positions = self._model._encode_new_memory(
            current_vision_feats=levels,
            feat_sizes=sizes,
            pred_masks_high_res=F.interpolate(logits, side, mode="bilinear", align_corners=False),
            object_score_logits=logits.new_full((1, 1), _SURE),
            is_mask_from_pts=True,
        )
        self._told[index] = {
            "pred_masks": logits,
            "obj_ptr": self._engine.on_device(guess.pointer)[None],
            "maskmem_features": features,
            "maskmem_pos_enc": positions,
        }

    def turn_round(self) -> None:
        """From here on in the other direction: only what was said is remembered."""
        self._followed.clear()

    @torch.inference_mode()
    def follow(self, index: int, embedding: Embedding, *, backwards: bool) -> Guess:
        """Where the object is in this frame, from what is remembered of those before it (or after it)."""
        levels, positions, sizes = self._engine.flat(embedding)
        seen = self._model.track_step(
            frame_idx=index,
            is_init_cond_frame=False,
            current_vision_feats=levels,
            current_vision_pos_embeds=positions,
            feat_sizes=sizes,
            point_inputs=None,
            mask_inputs=None,
            output_dict={"cond_frame_outputs": self._told, "non_cond_frame_outputs": self._followed},
            num_frames=self._count,
            track_in_reverse=backwards,
        )
        seen.pop("pred_masks_high_res", None)  # four megabytes a frame that nobody looks at again
        self._followed[index] = seen
        for old in [other for other in self._followed if abs(other - index) > _LOOKS_BACK]:
            del self._followed[old]
        sure = float(torch.sigmoid(seen["object_score_logits"].float())[0, 0])
        return Guess(_array(seen["pred_masks"][0, 0]), sure, _array(seen["obj_ptr"][0]))


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), np.float32)
