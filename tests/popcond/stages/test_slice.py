"""SLICE: a clip becomes its frames, even when it is deleted and tidied away in the middle."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.assets import Assets
from popcond.errors import NotFound, UnreadableClip
from popcond.media.clip import DEFAULT_LIMITS
from popcond.media.raster import from_png
from popcond.stages.slice import cut_into_frames
from popcond.workers import report_nothing
from tests.clips import CLIP_KINDS, ClipKind, moving_disc, write_clip


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    """An empty folder of assets."""
    return Assets(tmp_path / "assets")


def a_clip(assets: Assets, kind: ClipKind, folder: Path) -> str:
    write_clip(kind, moving_disc(12), 10, folder / "clip")
    return assets.put_file(folder / "clip")


@pytest.mark.parametrize("kind", CLIP_KINDS)
def test_a_clip_that_is_tidied_away_while_it_is_cut_is_cut_whole(
    assets: Assets, tmp_path: Path, kind: ClipKind
) -> None:
    clip = a_clip(assets, kind, tmp_path)

    def tidy(_fraction: float) -> None:
        others = assets.names(clip[:2]) - {clip}
        assets.set_apart(clip[:2], others)
        assets.let_go(clip[:2], others)

    slices = cut_into_frames(tidy, assets, clip, DEFAULT_LIMITS)
    assert not assets.is_kept(clip)
    assert len(slices.frames) == 12
    assert slices.seconds == pytest.approx(1.2, abs=0.01)
    assert from_png(assets.read(slices.frames[-1].raw)).shape == (72, 96, 3)
    assert assets.drafts() == ()


def test_what_cannot_be_read_is_called_the_clip(assets: Assets) -> None:
    broken = assets.put(b"\0\0\0\x18ftypmp42 and nothing that follows")
    with pytest.raises(UnreadableClip) as caught:
        cut_into_frames(report_nothing, assets, broken, DEFAULT_LIMITS)
    assert "The clip" in caught.value.message
    assert "draft" not in str(caught.value)
    assert caught.value.cure
    assert assets.drafts() == ()


def test_a_clip_that_is_gone_says_so(assets: Assets, tmp_path: Path) -> None:
    clip = a_clip(assets, "gif", tmp_path)
    assets.path(clip).unlink()
    with pytest.raises(NotFound) as caught:
        cut_into_frames(report_nothing, assets, clip, DEFAULT_LIMITS)
    assert caught.value.code == "asset_missing"
