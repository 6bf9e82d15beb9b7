"""What one training step does with a batch of scenes: clicks and corrections on stills, memories on clips.

A batch is B scenes of T frames with K objects each; objects are rows of their own (N = B · K), frames are encoded once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from popcond.vision.miniature.losses import Guess, loss_of
from popcond.vision.miniature.prompts import Prompts, correct, first_points

_MEAN = (123.675, 116.28, 103.53)  # of RGB, as SAM 2.1 expects its pictures
_DEVIATION = (58.395, 57.12, 57.375)
_GRID = 2  # pixels of the picture for one cell of the truth
_SURE = 10.0  # presence of an object that a person pointed at
_GIVEN = 0.3  # share of clips whose first mask is given, not clicked

Memory = dict[str, dict[int, dict[str, Any]]]


@dataclass(frozen=True)
class Batch:
    """Scenes as tensors on the device of the model."""

    frames: torch.Tensor  # (B, T, 3, side, side), normalised
    truth: torch.Tensor  # (T, N, side / 2, side / 2) alpha 0..1

    @classmethod
    def of(cls, frames: torch.Tensor, alphas: torch.Tensor, device: torch.device) -> Batch:
        """From (B, T, side, side, 3) and (B, T, K, side, side), both uint8."""
        frames, alphas = (each.to(device, non_blocking=True) for each in (frames, alphas))
        truth = F.avg_pool2d(alphas.flatten(0, 1).float() / 255.0, _GRID)
        truth = truth.view(*alphas.shape[:3], *truth.shape[-2:]).transpose(0, 1).flatten(1, 2)
        return cls(normalised(frames), truth)

    def mirrored(self) -> Batch:
        """The same scenes with left and right swapped."""
        return Batch(self.frames.flip(-1), self.truth.flip(-1))

    @property
    def objects(self) -> int:
        return self.truth.shape[1] // self.frames.shape[0]

    @property
    def side(self) -> int:
        return int(self.frames.shape[-1])


@dataclass(frozen=True)
class Outcome:
    """What a step is led by, and what people are told."""

    loss: torch.Tensor
    clicked: float  # mean IoU of the best candidate after the first points
    corrected: float  # … of the one mask after all corrections
    tracked: float | None = None  # … of the frames that only memory knows


def normalised(frames: torch.Tensor) -> torch.Tensor:
    """(..., side, side, 3) uint8 RGB as (..., 3, side, side), the model's input."""
    moved = frames.movedim(-1, -3).float()
    mean, deviation = (moved.new_tensor(each).view(3, 1, 1) for each in (_MEAN, _DEVIATION))
    return (moved - mean) / deviation


def lesson(model: Any, batch: Batch, corrections: int) -> Outcome:
    """The loss of one batch: clicks on the first frame, then every later frame from memory."""
    seen = _Seen.of(model, batch)
    loss, guess, clicked, corrected = _pointed(model, seen, batch, corrections)
    if batch.frames.shape[1] == 1:
        return Outcome(loss, clicked, corrected)
    more, tracked = _tracked(model, seen, batch, guess)
    return Outcome(loss + more, clicked, corrected, tracked)


# ------------------------------------------------------------------ what the encoder sees


@dataclass(frozen=True)
class _Seen:
    """The three levels of the pyramid of every frame, one row for each object."""

    levels: list[torch.Tensor]  # (T, N, C, h, w)
    positions: torch.Tensor  # (h · w, N, C) of the last level
    dense: torch.Tensor  # positional encoding that the decoder wants

    @classmethod
    def of(cls, model: Any, batch: Batch) -> _Seen:
        scenes, times = batch.frames.shape[:2]
        found = model.forward_image(batch.frames.flatten(0, 1))
        levels = [
            level.view(scenes, times, *level.shape[1:]).transpose(0, 1).repeat_interleave(batch.objects, 1)
            for level in found["backbone_fpn"]
        ]
        rows = scenes * batch.objects
        positions = found["vision_pos_enc"][-1][:1].expand(rows, -1, -1, -1).flatten(2).permute(2, 0, 1)
        return cls(levels, positions, model.sam_prompt_encoder.get_dense_pe())

    def last(self, time: int) -> torch.Tensor:
        """(h · w, N, C) of the last level, as memories want it."""
        return self.levels[-1][time].flatten(2).permute(2, 0, 1)

    @property
    def grid(self) -> tuple[int, int]:
        height, width = self.levels[-1].shape[-2:]
        return int(height), int(width)


def _decoded(
    model: Any, seen: _Seen, time: int, image: torch.Tensor, prompts: Prompts | None, before: torch.Tensor | None
) -> Guess:
    if prompts is None:
        points = torch.zeros(len(image), 1, 2, device=image.device)
        labels = torch.full((len(image), 1), -1, dtype=torch.int32, device=image.device)
    else:
        cells, labels = prompts.used()
        points = (cells + 0.5) * _GRID
    sparse, dense = model.sam_prompt_encoder(points=(points, labels), boxes=None, masks=before)
    logits, quality, tokens, presence = model.sam_mask_decoder.predict_masks(
        image_embeddings=image,
        image_pe=seen.dense,
        sparse_prompt_embeddings=sparse,
        dense_prompt_embeddings=dense,
        repeat_image=False,
        high_res_features=[level[time] for level in seen.levels[:2]],
    )
    return Guess(logits, quality, tokens, presence)


# ------------------------------------------------------------------ points


def _pointed(model: Any, seen: _Seen, batch: Batch, corrections: int) -> tuple[torch.Tensor, Guess, float, float]:
    truth = batch.truth[0]
    image = seen.levels[-1][0] + model.no_mem_embed.view(1, -1, 1, 1)
    prompts = first_points(truth)
    guess = _decoded(model, seen, 0, image, prompts, None)
    loss, real = loss_of(guess, truth[:, None])
    clicked = _mean_of(real, guess.best_candidate())
    for _ in range(corrections):
        before, _ = guess.chosen(_one_of(guess))
        before = before.detach()
        found = F.interpolate(before.float(), truth.shape[-2:], mode="bilinear", align_corners=False)[:, 0] > 0
        correct(prompts, found, truth)
        guess = _decoded(model, seen, 0, image, prompts, before)
        more, real = loss_of(guess, truth[:, None])
        loss = loss + 0.7 * more
    return loss, guess, clicked, float(real[:, 0].mean())


def _one_of(guess: Guess) -> torch.Tensor:
    """(N,) the first mask or the best candidate, at random: whichever is taken must be good to go on from."""
    best = guess.best_candidate()
    return torch.where(torch.rand(len(best), device=best.device) < 0.5, best, 0)


def _mean_of(real: torch.Tensor, which: torch.Tensor) -> float:
    return float(real.gather(1, which[:, None]).mean())


# ------------------------------------------------------------------ memories


def _tracked(model: Any, seen: _Seen, batch: Batch, first: Guess) -> tuple[torch.Tensor, float]:
    """Frame 0 conditions the memory; the others are found from it, each from what was made of those before."""
    memory: Memory = {"cond_frame_outputs": {0: _first_memory(model, seen, batch, first)}, "non_cond_frame_outputs": {}}
    loss, real, times = first.logits.new_zeros(()), [], batch.frames.shape[1]
    for time in range(1, times):
        image = model._prepare_memory_conditioned_features(
            time, False, [seen.last(time)], [seen.positions], [seen.grid], memory, times
        )
        guess = _decoded(model, seen, time, image, None, None)
        more, overlaps = loss_of(guess, batch.truth[time][:, None])
        loss = loss + more
        best = guess.best_candidate()
        real.append(_mean_of(overlaps, best))
        low, token = guess.chosen(best)
        memory["non_cond_frame_outputs"][time] = _remembered(model, seen, batch, time, low, token, guess.presence)
    return loss / (times - 1) * 2.0, sum(real) / len(real)


def _first_memory(model: Any, seen: _Seen, batch: Batch, first: Guess) -> dict[str, Any]:
    low, token = first.chosen(_one_of(first))
    if float(torch.rand(())) < _GIVEN:
        given = F.interpolate(batch.truth[0][:, None], low.shape[-2:], mode="area")
        low = (given * 2 - 1) * _SURE
    presence = torch.full((len(low), 1), _SURE, device=low.device)
    return _remembered(model, seen, batch, 0, low, token, presence)


def _remembered(
    model: Any,
    seen: _Seen,
    batch: Batch,
    time: int,
    low: torch.Tensor,
    token: torch.Tensor,
    presence: torch.Tensor,
) -> dict[str, Any]:
    large = F.interpolate(low.float(), (batch.side, batch.side), mode="bilinear", align_corners=False)
    features, positions = model._encode_new_memory([seen.last(time)], [seen.grid], large, presence, False)
    is_there = (presence > 0).float()
    pointer = is_there * model.obj_ptr_proj(token) + (1 - is_there) * model.no_obj_ptr
    return {"maskmem_features": features, "maskmem_pos_enc": positions, "pred_masks": low, "obj_ptr": pointer}
