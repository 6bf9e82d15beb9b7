"""Whether a clip moves: small gestures do; a frozen picture does not, whatever its way into the clip did to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from popcond.errors import UnreadableClip
from popcond.media.raster import Rgb, Rgba
from popcond.media.stillness import Motion, is_still, motion_in, motion_of
from popcond.media.video_file import write_h264
from popcond.video.performance import Performance
from popcond.video.sample import draw_sample
from popcond.workers import Workers, report_nothing
from tests.gestures import BLINK, FPS, FROZEN, GESTURES, Weather, acted

SECONDS = 5.0
SIZE = 480


@cache
def sample() -> Rgba:
    return draw_sample(512)


def motion(tmp_path: Path, frames: Iterable[Rgb], crf: int) -> Motion:
    clip = tmp_path / "clip.mp4"
    write_h264(frames, fps=FPS, to=clip, crf=crf)
    return motion_of(report_nothing, clip)


def drawn(name: str) -> Iterator[Rgb]:
    return acted(sample(), GESTURES[name], size=SIZE, seconds=SECONDS)


def frozen(performance: Performance, weather: Weather) -> Iterable[Rgb]:
    return weather.over(acted(sample(), performance, size=SIZE // 2, seconds=SECONDS), SECONDS)


@pytest.mark.parametrize("name", list(GESTURES))
def test_one_small_gesture_is_motion(tmp_path: Path, name: str) -> None:
    assert not is_still(motion(tmp_path, Weather(grain=3.0).over(drawn(name), SECONDS), crf=30))


@pytest.mark.parametrize("crf", [18, 34])
@pytest.mark.parametrize(
    "weather",
    [
        Weather(),
        Weather(grain=10.0),
        Weather(flicker=0.03),
        Weather(hum=0.08, grain=3.0),
        Weather(drift=0.2),
        Weather(drift=-0.2, grain=5.0),
    ],
    ids=["clean", "grain", "flicker", "hum", "rising", "falling"],
)
@pytest.mark.parametrize("performance", [FROZEN, BLINK], ids=["frozen", "blink"])
def test_a_frozen_picture_is_still_and_one_blink_does_not_change_that(
    tmp_path: Path, performance: Performance, weather: Weather, crf: int
) -> None:
    assert is_still(motion(tmp_path, frozen(performance, weather), crf))


def test_a_glitch_of_one_picture_is_no_motion() -> None:
    pictures = list(acted(sample(), FROZEN, size=96, seconds=1.0))
    pictures[7] = np.roll(pictures[7], 9, axis=1)
    assert is_still(motion_in(pictures, [0.1] * len(pictures)))


def test_a_pose_that_changes_once_is_motion() -> None:
    pictures = list(acted(sample(), FROZEN, size=96, seconds=1.0))
    later = [np.roll(picture, 6, axis=0) for picture in pictures]
    assert not is_still(motion_in([*pictures, *later], [0.1] * 2 * len(pictures)))


def test_what_moves_is_measured_in_shares_and_seconds() -> None:
    pictures = [np.full((100, 100, 3), 40, np.uint8) for _ in range(20)]
    for picture in pictures[5:10]:
        picture[20:40, 20:70] = 200
    found = motion_in(pictures, [0.2] * 20)
    assert found.widest == pytest.approx(0.1, abs=0.01)
    assert found.seconds == pytest.approx(1.0)
    assert found.swept == pytest.approx(0.1, abs=0.01)
    assert found.length == pytest.approx(4.0)


def test_pictures_of_one_colour_are_still() -> None:
    assert is_still(motion_in([np.full((64, 64, 3), 90, np.uint8)] * 5, [0.1] * 5))


def test_what_is_no_clip_is_refused_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"<html>gone</html>")
    with pytest.raises(UnreadableClip) as caught:
        motion_of(report_nothing, tmp_path / "clip.mp4")
    assert caught.value.cure


async def test_a_child_process_can_look(tmp_path: Path) -> None:
    write_h264(acted(sample(), FROZEN, size=96, seconds=1.0), fps=FPS, to=tmp_path / "clip.mp4")
    found = await Workers(1, memory_mb=4096).run(motion_of, report_nothing, tmp_path / "clip.mp4")
    assert is_still(found)
