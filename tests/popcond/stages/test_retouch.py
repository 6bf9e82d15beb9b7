"""What each kind of edit does to one frame's mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from popcond.assets import Assets
from popcond.media.raster import from_png, png
from popcond.stages.retouch import retouched
from popcond.store.frames import FrameFiles
from popcond.wire import Mode

SIZE = 64
Mask = NDArray[np.uint8]


def block(left: int, right: int) -> Mask:
    """(H, W): 255 between two columns, in the middle rows."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    mask[16:48, left:right] = 255
    return mask


def edited(folder: Path, meant: Mask, mode: Mode, own_alpha: Mask | None = None) -> Mask:
    """The mask after the edit, of a frame whose mask is columns 20 to 40 and was columns 10 to 40 at first."""
    assets = Assets(folder)
    rgb = np.full((SIZE, SIZE, 3), (0, 170, 80), np.uint8)
    rgb[16:48, 10:50] = (200, 30, 30)
    own = assets.put(png(own_alpha)) if own_alpha is not None else None
    file = FrameFiles(assets.put(png(rgb)), own, assets.put(png(block(20, 40))), 0.1, assets.put(png(block(10, 40))))
    row = retouched(assets, file, 3, meant, mode)
    alpha = from_png(assets.read(row.mask))
    assert (row.frame, sum(part.area for part in row.parts)) == (3, int((alpha >= 128).sum()))
    return alpha


@pytest.mark.parametrize(
    ("mode", "meant", "solid"),
    [
        ("replace", block(10, 50), (10, 50)),
        ("add", block(36, 50), (20, 50)),
        ("restore", block(10, 50), (10, 40)),
        ("restore", block(14, 20), (14, 40)),
    ],
)
def test_a_mask_becomes_what_is_meant(tmp_path: Path, mode: Mode, meant: Mask, solid: tuple[int, int]) -> None:
    alpha = edited(tmp_path, meant, mode)
    assert np.array_equal(alpha[32] >= 128, block(*solid)[32] >= 128)


def test_what_is_erased_is_gone_and_the_rest_stays(tmp_path: Path) -> None:
    alpha = edited(tmp_path, block(30, 50), "erase")
    assert (alpha[32, 20:26] == 255).all()
    assert not alpha[32, 34:].any()


def test_what_a_transparent_clip_leaves_empty_stays_empty(tmp_path: Path) -> None:
    alpha = edited(tmp_path, block(10, 50), "replace", own_alpha=block(10, 30))
    assert not alpha[32, 30:].any()
    assert (alpha[32, 12:28] == 255).all()
