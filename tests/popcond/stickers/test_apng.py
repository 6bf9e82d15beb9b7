"""What we write is what two strangers read: Pillow and FFmpeg agree with every pixel."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest

from popcond.media.raster import Rgba
from popcond.stickers.apng import estimate_true_colour, write_palette, write_still, write_true_colour
from popcond.stickers.decode import decode
from popcond.stickers.palette import quantise
from popcond.stickers.timing import Delay, Timing
from popcond.stickers.validate import parse
from tests.popcond.stickers.drawings import loop, noisy
from tests.popcond.stickers.mutations import chunks

COUNT = 8


@pytest.fixture(scope="module")
def frames() -> list[Rgba]:
    """Soft-edged, moving, grainy frames of an uneven size, empty pixels wiped."""
    return [np.ascontiguousarray(frame[:90, :117]) for frame in noisy(loop(COUNT, side=120), 9.0).frames]


def timing(count: int = COUNT) -> Timing:
    return Timing((Delay(1, count),) * count, 3)


def by_ffmpeg(data: bytes) -> list[Rgba]:
    with av.open(io.BytesIO(data), "r", format="apng") as container:
        return [np.asarray(frame.to_ndarray(format="rgba"), np.uint8) for frame in container.decode(video=0)]


def same(shown: list[Rgba], wanted: list[Rgba]) -> bool:
    """Equal wherever anything can be seen."""
    wiped = [np.where(frame[..., 3:] == 0, 0, frame) for frame in shown]
    return len(shown) == len(wanted) and all(np.array_equal(*pair) for pair in zip(wiped, wanted, strict=True))


def test_every_colour_survives_true_colour(frames: list[Rgba]) -> None:
    data = write_true_colour(frames, timing(), few_colours=False)
    assert same(decode(data), frames)
    assert same(by_ffmpeg(data), frames)


@pytest.mark.parametrize("colours", [256, 60, 7])
def test_palette_and_true_colour_show_the_same_quantised_pictures(frames: list[Rgba], colours: int) -> None:
    quantised = quantise(frames, colours)
    indexed = write_palette(quantised, timing())
    true = write_true_colour(quantised.rgba(), timing(), few_colours=True)
    assert same(decode(indexed), quantised.rgba())
    assert same(decode(true), quantised.rgba())
    assert same(by_ffmpeg(indexed), quantised.rgba())
    assert same(by_ffmpeg(true), quantised.rgba())


def test_drawing_over_with_holes_leaves_no_ghosts() -> None:
    ground = np.zeros((40, 40, 4), np.uint8)
    ground[5:35, 5:35] = (200, 40, 40, 255)
    scattered = []
    for index in range(6):
        frame = ground.copy()
        frame[6 + index : 34 : 9, 6 + 2 * index : 34 : 7] = (20, 40 * index, 220, 255)
        scattered.append(frame)
    data = write_true_colour(scattered, timing(6), few_colours=True)
    assert 1 in {body[25] for kind, body in chunks(data) if kind == b"fcTL"}  # some frame really is drawn over
    assert same(decode(data), scattered)
    assert same(by_ffmpeg(data), scattered)


def test_a_figure_that_moves_away_leaves_nothing_behind() -> None:
    left, right = np.zeros((2, 30, 30, 4), np.uint8)
    left[5:15, 2:12] = (10, 200, 30, 255)
    right[5:15, 16:26] = (10, 200, 30, 255)
    data = write_true_colour([left, right, left], timing(3), few_colours=True)
    assert same(by_ffmpeg(data), [left, right, left])


def test_nothing_is_ever_disposed_of(frames: list[Rgba]) -> None:
    data = write_true_colour(frames, timing(), few_colours=False)
    assert {body[24] for kind, body in chunks(data) if kind == b"fcTL"} == {0}


def test_the_file_says_what_it_was_told(frames: list[Rgba]) -> None:
    facts = parse(write_true_colour(frames, timing(), few_colours=False))
    assert not facts.flaws
    assert facts.delays == (Fraction(1, COUNT),) * COUNT
    assert facts.plays == 3
    assert facts.dpi == pytest.approx(72, abs=0.1)


def test_filters_make_a_shaded_picture_smaller() -> None:
    across = np.linspace(0, 255, 96, dtype=np.uint8)
    shaded = np.dstack(
        [np.add.outer(across // 3, across // 2).astype(np.uint8)] * 3 + [np.full((96, 96), 255, np.uint8)]
    )
    filtered = write_true_colour([shaded], timing(1), few_colours=False)
    plain = write_true_colour([shaded], timing(1), few_colours=True)
    assert len(filtered) < len(plain)
    assert same(decode(filtered), [shaded])


def test_the_estimate_is_near_the_truth(frames: list[Rgba]) -> None:
    truth = len(write_true_colour(frames, timing(), few_colours=False))
    assert estimate_true_colour(frames, 10**9) == pytest.approx(truth, rel=0.15)
    assert estimate_true_colour(frames, 5_000) > 5_000


def test_a_still_is_a_still(frames: list[Rgba]) -> None:
    data = write_still(frames[0])
    assert parse(data).format is None
    assert same(decode(data), frames[:1])


def test_a_palette_has_one_empty_entry_in_front_and_no_alpha_near_the_ends(frames: list[Rgba]) -> None:
    palette = quantise(frames, 200).palette
    assert palette[0].tolist() == [0, 0, 0, 0]
    assert (palette[:, 3] == 0).sum() == 1
    assert not ((palette[:, 3] > 0) & (palette[:, 3] <= 5)).any()
    assert not ((palette[:, 3] >= 250) & (palette[:, 3] < 255)).any()
    assert len(palette) <= 200


def test_few_colours_are_all_kept() -> None:
    frame = np.zeros((16, 16, 4), np.uint8)
    frame[2:6, 2:6] = (250, 0, 0, 255)
    frame[8:12, 8:12] = (0, 0, 250, 255)
    assert np.array_equal(quantise([frame], 256).rgba()[0], frame)
