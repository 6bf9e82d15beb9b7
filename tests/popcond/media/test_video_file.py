"""H.264 clips: what they say about themselves, and that nothing but the given path is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from popcond.errors import OutOfDisk, PopconError
from popcond.media.clip import read_frames
from popcond.media.raster import Rgb
from popcond.media.video_file import write_h264


def greys(count: int, *, height: int = 48, width: int = 64) -> Iterator[Rgb]:
    return (np.full((height, width, 3), 20 * number, np.uint8) for number in range(count))


def test_the_clip_says_which_colours_it_has(tmp_path: Path) -> None:
    write_h264(greys(5), fps=12, to=tmp_path / "clip.mp4")
    with av.open(tmp_path / "clip.mp4") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        frame = next(container.decode(stream))
        assert (frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range) == (1, 1, 1, 1)
        assert stream.average_rate == 12


def test_the_index_comes_first_so_that_browsers_start_at_once(tmp_path: Path) -> None:
    write_h264(greys(5), fps=12, to=tmp_path / "clip.mp4")
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_frames_come_back_in_order_and_in_time(tmp_path: Path) -> None:
    write_h264(greys(10), fps=8, to=tmp_path / "clip.mp4")
    frames = list(read_frames(tmp_path / "clip.mp4"))
    assert [round(float(frame.rgb.mean()) / 20) for frame in frames] == list(range(10))
    assert [frame.seconds for frame in frames] == [0.125] * 10


def test_odd_sides_gain_a_pixel_of_the_same_colour(tmp_path: Path) -> None:
    write_h264(greys(3, height=47, width=63), fps=8, to=tmp_path / "clip.mp4")
    *_, last = read_frames(tmp_path / "clip.mp4")
    assert last.rgb.shape == (48, 64, 3)
    assert np.abs(last.rgb.astype(int) - 40).max() <= 3


def test_nothing_but_the_clip_is_left_behind(tmp_path: Path) -> None:
    write_h264(greys(3), fps=8, to=tmp_path / "clip.tmp")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.tmp"]


def test_no_frames_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        write_h264([], fps=8, to=tmp_path / "clip.mp4")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PopconError, match=r"clip\.mp4"):
        write_h264(greys(3), fps=8, to=tmp_path / "nowhere" / "clip.mp4")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_named() -> None:
    with pytest.raises(OutOfDisk):
        write_h264(greys(3), fps=8, to=Path("/dev/full"))
