"""SAM 2.1's architecture in miniature, from ultralytics' own modules.

Nothing of the architecture is left out (Hiera trunk, feature pyramid, two-way decoder, memory encoder, memory
attention, object pointers), so whatever drives SAM 2.1 drives this; only widths and depths are small. Widths that
ultralytics' constructors fix are replaced after construction. Importing this module registers the file name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ultralytics.models.sam import build as registry
from ultralytics.models.sam.modules.blocks import (
    CXBlock,
    Fuser,
    MaskDownSampler,
    PositionEmbeddingSine,
    RoPEAttention,
    SAM2TwoWayTransformer,
)
from ultralytics.models.sam.modules.decoders import SAM2MaskDecoder
from ultralytics.models.sam.modules.encoders import FpnNeck, Hiera, ImageEncoder, MemoryEncoder
from ultralytics.models.sam.modules.memory_attention import MemoryAttention, MemoryAttentionLayer
from ultralytics.models.sam.modules.sam import SAM2Model

from popcond.vision.miniature import INPUT_SIZE, WEIGHTS_NAME

_STRIDE = 16  # pixels of the picture for one cell of the last level
_STABILITY: dict[str, Any] = {  # when one mask is asked for and it wavers, the best of three is given
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}


@dataclass(frozen=True)
class Shape:
    """How large the miniature is."""

    trunk: int = 16  # channels of the trunk's first stage; every stage doubles them
    stages: tuple[int, ...] = (1, 2, 3, 1)  # blocks per stage
    width: int = 64  # channels of the pyramid, the decoder and the memories


SHAPES = {
    "mini": Shape(),  # 0.9 million parameters: what a processor can train in an hour
    "midi": Shape(32, (1, 2, 5, 1), 128),  # 3.4 million: for a graphics card
}


def build(checkpoint: str | Path | None = None, shape: Shape | None = None) -> SAM2Model:
    """The model in evaluation mode: with random weights, or with those of `checkpoint`, which is read safely.

    A checkpoint says by itself how large its model is.
    """
    tensors = None if checkpoint is None else read_weights(checkpoint)
    shape = shape or (Shape() if tensors is None else shape_of(tensors))
    model = _assembled(shape)
    if tensors is not None:
        model.load_state_dict(tensors)
    return model.eval()


def shape_of(tensors: Mapping[str, torch.Tensor]) -> Shape:
    """How large the model is that these weights are of."""
    trunk = len(tensors["image_encoder.trunk.patch_embed.proj.weight"])
    blocks = [len(value) for name, value in tensors.items() if name.endswith("attn.proj.bias") and ".trunk." in name]
    stages = tuple(blocks.count(trunk * 2**stage) for stage in range(4))
    return Shape(trunk, stages, len(tensors["image_encoder.neck.convs.0.conv.weight"]))


def _assembled(shape: Shape) -> SAM2Model:
    model = SAM2Model(
        image_encoder=_image_encoder(shape),
        memory_attention=_memory_attention(shape.width),
        memory_encoder=_memory_encoder(shape.width),
        image_size=INPUT_SIZE,
        **_behaviour(),
    )
    model.sam_mask_decoder = _mask_decoder(shape.width)
    return model


def read_weights(path: str | Path) -> Mapping[str, torch.Tensor]:
    """The tensors of a weights file, as float32; a file that holds anything but tensors is refused."""
    stored = torch.load(path, map_location="cpu", weights_only=True)
    tensors: Mapping[str, torch.Tensor] = stored.get("model", stored)
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def write_weights(model: torch.nn.Module, path: str | Path) -> None:
    """The model's tensors in half precision, in the layout of SAM 2.1's published files."""
    halves = {
        name: value.detach().cpu().half() if value.is_floating_point() else value.detach().cpu()
        for name, value in model.state_dict().items()
    }
    torch.save({"model": halves}, path)


def register() -> None:
    """Tells ultralytics which builder a file of our name needs; `SAM(path)` then loads it like any other."""
    builders: dict[str, Callable[..., Any]] = registry.sam_model_map
    builders[WEIGHTS_NAME] = build


# ------------------------------------------------------------------ parts


def _image_encoder(shape: Shape) -> ImageEncoder:
    trunk = Hiera(
        embed_dim=shape.trunk,
        num_heads=1,
        stages=shape.stages,
        global_att_blocks=_global_blocks(shape),
        window_pos_embed_bkg_spatial_size=(8, 8),
        window_spec=(8, 4, 8, 4),
    )
    neck = FpnNeck(
        d_model=shape.width,
        backbone_channel_list=[shape.trunk * 2**stage for stage in (3, 2, 1, 0)],
        fpn_top_down_levels=[0, 1, 2, 3],  # so small a first stage needs to be told what it looks at
        fpn_interp_model="nearest",
    )
    neck.position_encoding = PositionEmbeddingSine(num_pos_feats=shape.width)
    return ImageEncoder(trunk=trunk, neck=neck, scalp=1)


def _global_blocks(shape: Shape) -> tuple[int, ...]:
    """All of the third stage but its first block, which pools: a pooling block cannot attend globally."""
    return tuple(range(sum(shape.stages[:2]) + 1, sum(shape.stages[:3])))


def _memory_attention(width: int) -> MemoryAttention:
    grid = INPUT_SIZE // _STRIDE
    shared: dict[str, Any] = {
        "embedding_dim": width,
        "num_heads": 1,
        "downsample_rate": 1,
        "feat_sizes": (grid, grid),
    }
    layer = MemoryAttentionLayer(
        d_model=width,
        dim_feedforward=4 * width,
        dropout=0.0,
        self_attn=RoPEAttention(**shared),
        cross_attn=RoPEAttention(rope_k_repeat=True, kv_in_dim=width, **shared),
    )
    return MemoryAttention(d_model=width, pos_enc_at_input=True, num_layers=1, layer=layer)


def _memory_encoder(width: int) -> MemoryEncoder:
    encoder = MemoryEncoder(out_dim=width, in_dim=width)
    encoder.mask_downsampler = MaskDownSampler(embed_dim=width, kernel_size=3, stride=2, padding=1)
    encoder.fuser = Fuser(CXBlock(dim=width), num_layers=1)
    encoder.position_encoding = PositionEmbeddingSine(num_pos_feats=width)
    return encoder


def _mask_decoder(width: int) -> SAM2MaskDecoder:
    return SAM2MaskDecoder(
        num_multimask_outputs=3,
        transformer=SAM2TwoWayTransformer(depth=2, embedding_dim=width, mlp_dim=4 * width, num_heads=4),
        transformer_dim=width,
        iou_head_depth=3,
        iou_head_hidden_dim=width,
        use_high_res_features=True,
        iou_prediction_use_sigmoid=True,
        pred_obj_scores=True,
        pred_obj_scores_mlp=True,
        use_multimask_token_for_obj_ptr=True,
        **_STABILITY,
    )


def _behaviour() -> dict[str, Any]:
    """What SAM 2.1's published configurations say about memory, pointers and candidates."""
    return {
        "num_maskmem": 7,
        "sigmoid_scale_for_mem_enc": 20.0,
        "sigmoid_bias_for_mem_enc": -10.0,
        "use_mask_input_as_output_without_sam": True,
        "directly_add_no_mem_embed": True,
        "use_high_res_features_in_sam": True,
        "multimask_output_in_sam": True,
        "iou_prediction_use_sigmoid": True,
        "use_obj_ptrs_in_encoder": True,
        "add_tpos_enc_to_obj_ptrs": True,
        "only_obj_ptrs_in_the_past_for_eval": True,
        "pred_obj_scores": True,
        "pred_obj_scores_mlp": True,
        "fixed_no_obj_ptr": True,
        "multimask_output_for_tracking": True,
        "use_multimask_token_for_obj_ptr": True,
        "multimask_min_pt_num": 0,
        "multimask_max_pt_num": 1,
        "use_mlp_for_obj_ptr_proj": True,
        "no_obj_embed_spatial": True,
        "proj_tpos_enc_in_obj_ptrs": True,
        "use_signed_tpos_enc_to_obj_ptrs": True,
        "sam_mask_decoder_extra_args": _STABILITY,
    }


register()
