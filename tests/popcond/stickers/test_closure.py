"""Clips that were made to loop: a last frame that repeats the first goes, nothing else does, and a lie is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from popcond.media.clip import read_frames
from popcond.media.raster import Rgb, Rgba
from popcond.media.video_file import write_h264
from popcond.stickers.closure import Closure, closure
from popcond.stickers.similarity import cyclic_steps, seam_of, thumbnails
from popcond.stickers.source import CutoutList
from popcond.stickers.sticker import make_sticker
from popcond.targets import target
from popcond.video.puppet_clip import render
from popcond.video.sample import draw_sample
from popcond.vision.cutout import cut_out
from popcond.vision.first_mask import first_masks
from popcond.wire import LoopKind
from tests.popcond.stickers.drawings import eased_jump, hop, loop, noisy, pendulum, stretch, walk_away

BACKDROP = (0, 190, 80)
FPS = 16
MOTIONS = {"jump": eased_jump, "pendulum": pendulum, "hop": hop}


def looked_at(clip: CutoutList) -> Closure:
    thumbs = thumbnails(clip.frames)
    return closure(lambda index: thumbs[index], len(clip))


def closed(clip: CutoutList, times: int) -> CutoutList:
    """The clip with its first frame once more at its end, or several times."""
    return CutoutList([*clip.frames, *[clip.frames[0]] * times], (*clip.seconds, *[clip.seconds[0]] * times))


@pytest.mark.parametrize("grain", [0.0, 6.0])
@pytest.mark.parametrize("count", [16, 24, 40])
@pytest.mark.parametrize("name", MOTIONS)
def test_a_clip_that_does_not_repeat_its_first_frame_loses_nothing(name: str, count: int, grain: float) -> None:
    clip = loop(count, MOTIONS[name])
    assert looked_at(noisy(clip, grain) if grain else clip) == Closure(0, closes=True)


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("count", [16, 24, 40])
@pytest.mark.parametrize("name", MOTIONS)
def test_frames_that_repeat_the_first_are_counted(name: str, count: int, times: int) -> None:
    assert looked_at(closed(loop(count, MOTIONS[name]), times)) == Closure(times, closes=True)


@pytest.mark.parametrize("times", [1, 2])
def test_grain_does_not_hide_a_repeat(times: int) -> None:
    assert looked_at(noisy(closed(loop(24, pendulum), times), 6.0)).repeats == times


def test_a_clip_that_walks_away_does_not_close() -> None:
    assert not looked_at(stretch(48, 48.0, walk_away)).closes


def test_a_clip_that_snaps_back_into_its_first_frame_does_not_close() -> None:
    assert looked_at(closed(stretch(48, 48.0, walk_away), 1)) == Closure(1, closes=False)


def test_a_clip_in_which_nothing_moves_is_left_alone() -> None:
    still = CutoutList([loop(1).frames[0]] * 24, (1 / 24,) * 24)
    assert looked_at(still) == Closure(0, closes=True)


def test_too_few_frames_to_judge_by_are_believed() -> None:
    assert looked_at(closed(loop(8), 1)) == Closure(0, closes=True)


# ------------------------------------------------------------------ as clips come


@cache
def performed(name: str) -> tuple[Rgb, ...]:
    """One exact loop of the offline animator."""
    return tuple(render(draw_sample(512), name, backdrop=BACKDROP, size=384, seconds=2.0, fps=FPS))


def coded(frames: Sequence[Rgb], folder: Path, crf: int = 18) -> CutoutList:
    """Written as H.264, read and cut out again."""
    write_h264(frames, fps=FPS, to=folder / "clip.mp4", crf=crf)
    read = [frame.rgb for frame in read_frames(folder / "clip.mp4")]
    masks = first_masks(((rgb, None) for rgb in read), BACKDROP)
    cutouts: list[Rgba] = [cut_out(rgb, mask.alpha) for rgb, mask in zip(read, masks, strict=True)]
    return CutoutList(cutouts, (1 / FPS,) * len(cutouts))


def seam(clip: CutoutList, frames: int) -> float:
    """The step from the last of so many frames to the first, in usual steps."""
    return seam_of(cyclic_steps(thumbnails(clip.frames[:frames])))


@pytest.mark.parametrize("name", ["happy", "dance", "think"])
def test_a_coded_loop_keeps_all_its_frames_and_a_coded_repeat_goes(tmp_path: Path, name: str) -> None:
    frames = performed(name)
    assert looked_at(coded(frames, tmp_path)) == Closure(0, closes=True)
    assert looked_at(coded([*frames, frames[0]], tmp_path)) == Closure(1, closes=True)
    assert looked_at(coded([*frames, frames[0], frames[0]], tmp_path)) == Closure(2, closes=True)


def test_without_the_repeat_the_seam_is_a_step_like_the_others(tmp_path: Path) -> None:
    frames = performed("happy")
    clip = coded([*frames, frames[0]], tmp_path)
    stutters, goes_on = seam(clip, len(frames) + 1), seam(clip, len(frames))
    assert stutters < 0.2
    assert 0.4 < goes_on < 1.5


def test_a_sticker_shows_no_frame_twice_and_lasts_as_long_as_the_loop(tmp_path: Path) -> None:
    frames = performed("happy")
    clip = coded([*frames, frames[0]], tmp_path)
    sticker = make_sticker(
        clip, target("apng"), loop=LoopKind.CYCLE, exact_loop=True, poster=0.5, report=lambda _done: None
    )
    assert sticker.seconds == pytest.approx(2.0)
    assert sticker.verdict.valid


def test_a_loop_that_was_promised_and_does_not_close_is_looked_for() -> None:
    clip = stretch(64, 24.0, eased_jump, start=12.0)
    sticker = make_sticker(
        clip, target("apng"), loop=LoopKind.CYCLE, exact_loop=True, poster=0.5, report=lambda _done: None
    )
    assert sticker.seconds in (pytest.approx(1.0, abs=0.05), pytest.approx(2.0, abs=0.05))
    assert sticker.seam <= 1.5


def test_a_promised_loop_of_somebody_who_walks_away_plays_there_and_back() -> None:
    clip = stretch(48, 48.0, walk_away)
    sticker = make_sticker(
        clip, target("gif"), loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=lambda _done: None
    )
    assert "there and back" in sticker.trace
    assert sticker.seam <= 1.5
