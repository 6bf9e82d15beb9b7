"""Clips that people have: every container gives its frames with true colours, true alpha and true times."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.reformatter import Colorspace

from popcond.media.clip import ClipFrame, ClipLimits, probe, read_frames
from popcond.media.raster import Colour, Rgba, flatten
from tests.clips import (
    CLIP_KINDS,
    H264,
    KINDS_WITH_ALPHA,
    VP8_WITH_ALPHA,
    VP9_WITH_ALPHA,
    WHITE,
    ClipKind,
    Recording,
    moving_disc,
    write_animation,
    write_clip,
    write_movie,
)

COLOUR: Colour = (200, 60, 90)


def flat(colour: Colour, count: int = 3, *, width: int = 64, height: int = 48) -> list[Rgba]:
    return [np.full((height, width, 4), (*colour, 255), np.uint8) for _ in range(count)]


def opaque(frames: list[Rgba]) -> list[Rgba]:
    return [np.dstack([flatten(frame, WHITE), np.full(frame.shape[:2], 255, np.uint8)]) for frame in frames]


def middle(frame: ClipFrame) -> tuple[int, ...]:
    height, width = frame.rgb.shape[:2]
    return tuple(int(value) for value in frame.rgb[height // 2, width // 2])


def assert_close(got: tuple[int, ...], wanted: tuple[int, ...], *, within: int) -> None:
    assert np.abs(np.subtract(got, wanted)).max() <= within, f"{got}, not {wanted}"


# ------------------------------------------------------------------ containers


@pytest.mark.parametrize("kind", CLIP_KINDS)
def test_every_kind_of_clip_gives_all_its_frames_in_order(tmp_path: Path, kind: ClipKind) -> None:
    drawn = moving_disc(12)
    write_clip(kind, drawn, 20, tmp_path / "clip.dat")
    frames = list(read_frames(tmp_path / "clip.dat"))
    assert [frame.index for frame in frames] == list(range(12))
    assert [round(frame.seconds, 3) for frame in frames] == [0.05] * 12
    for frame, source in zip(frames, drawn, strict=True):
        shown = frame.rgb if frame.alpha is None else flatten(np.dstack([frame.rgb, frame.alpha]), WHITE)
        assert np.abs(shown.astype(int) - flatten(source, WHITE)).mean() < 4


@pytest.mark.parametrize("kind", CLIP_KINDS)
def test_the_facts_are_what_the_frames_turn_out_to_be(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, moving_disc(10), 10, tmp_path / "clip")
    facts, frames = probe(tmp_path / "clip"), list(read_frames(tmp_path / "clip"))
    assert (facts.width, facts.height, facts.frames) == (96, 72, 10)
    assert facts.seconds == pytest.approx(sum(frame.seconds for frame in frames), abs=0.002)
    assert facts.fps == pytest.approx(10, rel=0.01)
    assert facts.has_alpha == (kind in KINDS_WITH_ALPHA) == (frames[0].alpha is not None)
    assert not facts.rotated
    assert facts.notes == ()


@pytest.mark.parametrize("recording", [VP9_WITH_ALPHA, VP8_WITH_ALPHA], ids=["vp9", "vp8"])
def test_webm_keeps_its_alpha(tmp_path: Path, recording: Recording) -> None:
    drawn = moving_disc(8)
    write_movie(drawn, 20, tmp_path / "clip.webm", recording)
    for frame, source in zip(read_frames(tmp_path / "clip.webm"), drawn, strict=True):
        assert frame.alpha is not None
        assert np.abs(frame.alpha.astype(int) - source[..., 3]).mean() < 2


def test_prores_4444_keeps_its_alpha(tmp_path: Path) -> None:
    drawn = moving_disc(3)
    write_movie(
        drawn, 20, tmp_path / "c.mov", Recording("mov", "prores_ks", "yuva444p10le", options=(("profile", "4"),))
    )
    frame = next(read_frames(tmp_path / "c.mov"))
    assert frame.alpha is not None
    assert np.abs(frame.alpha.astype(int) - drawn[0][..., 3]).max() <= 2


@pytest.mark.parametrize("kind", KINDS_WITH_ALPHA)
def test_a_format_with_alpha_that_hides_nothing_has_none(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, opaque(moving_disc(4)), 20, tmp_path / "clip")
    assert not probe(tmp_path / "clip").has_alpha
    assert all(frame.alpha is None for frame in read_frames(tmp_path / "clip"))


def test_gif_frames_do_not_pile_up(tmp_path: Path) -> None:
    drawn = [
        np.where(frame[..., 3:] > 127, frame | 255 * (np.arange(4) == 3).astype(np.uint8), 0)
        for frame in moving_disc(6)
    ]
    write_clip("gif", [frame.astype(np.uint8) for frame in drawn], 20, tmp_path / "clip.gif")
    for frame, source in zip(read_frames(tmp_path / "clip.gif"), drawn, strict=True):
        assert frame.alpha is not None
        assert np.array_equal(frame.alpha > 127, source[..., 3] > 127)


def test_the_hidden_first_picture_of_an_apng_is_not_part_of_the_clip(tmp_path: Path) -> None:
    from PIL import Image

    shown = [Image.fromarray(frame) for frame in moving_disc(3)]
    Image.new("RGBA", shown[0].size, (1, 2, 3, 255)).save(
        tmp_path / "clip.png", save_all=True, append_images=shown, default_image=True, duration=100
    )
    frames = list(read_frames(tmp_path / "clip.png"))
    assert len(frames) == 3
    assert frames[0].alpha is not None


# ------------------------------------------------------------------ colours


@pytest.mark.parametrize("colour", [(200, 60, 90), (0, 0, 0), (255, 255, 255), (30, 200, 60), (250, 240, 20)])
def test_a_colour_survives_writing_and_reading(tmp_path: Path, colour: Colour) -> None:
    write_clip("mp4", flat(colour), 10, tmp_path / "clip.mp4")
    for frame in read_frames(tmp_path / "clip.mp4"):
        assert_close(middle(frame), colour, within=3)
        assert (
            int(frame.rgb.max(axis=(0, 1)).max()) - int(frame.rgb.min(axis=(0, 1)).min())
            <= max(colour) - min(colour) + 6
        )


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize("layout", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_matrix_and_range_are_taken_from_the_clip(
    tmp_path: Path, layout: str, matrix: Colorspace, full_range: bool
) -> None:
    recording = replace(H264, layout=layout, matrix=matrix, full_range=full_range)
    write_movie(flat(COLOUR), 10, tmp_path / "clip.mov", recording)
    assert_close(middle(next(read_frames(tmp_path / "clip.mov"))), COLOUR, within=3)


@pytest.mark.parametrize(
    ("width", "height", "matrix"), [(640, 480, Colorspace.ITU601), (1280, 720, Colorspace.ITU709)], ids=["sd", "hd"]
)
def test_a_clip_that_does_not_say_its_matrix_is_read_as_players_do(
    tmp_path: Path, width: int, height: int, matrix: Colorspace
) -> None:
    recording = replace(H264, matrix=matrix, tagged=False)
    write_movie(flat(COLOUR, width=width, height=height), 10, tmp_path / "clip.mov", recording)
    assert_close(middle(next(read_frames(tmp_path / "clip.mov"))), COLOUR, within=3)


@pytest.mark.parametrize(("transfer", "white"), [(18, 191), (16, 148)], ids=["hlg", "pq"])
def test_the_white_of_an_hdr_clip_becomes_white(tmp_path: Path, transfer: int, white: int) -> None:
    recording = replace(H264, layout="yuv420p10le", matrix=Colorspace.BT2020, transfer=transfer, primaries=9)
    write_movie(flat((white, white, white)), 10, tmp_path / "clip.mov", recording)
    notes: list[str] = []
    frame = next(read_frames(tmp_path / "clip.mov", report=notes.append))
    assert min(middle(frame)) > 245
    assert [note for note in notes if "HDR" in note]


# ------------------------------------------------------------------ shape


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_phone_clip_is_turned_upright(tmp_path: Path, rotation: int) -> None:
    upright = opaque(moving_disc(3, width=96, height=64))
    held = [np.ascontiguousarray(np.rot90(frame, -rotation // 90)) for frame in upright]
    write_movie(held, 10, tmp_path / "clip.mov", replace(H264, rotation=rotation))
    facts = probe(tmp_path / "clip.mov")
    assert (facts.width, facts.height, facts.rotated) == (96, 64, True)
    assert np.abs(next(read_frames(tmp_path / "clip.mov")).rgb.astype(int) - upright[0][..., :3]).mean() < 4


def test_a_mirrored_clip_is_mirrored_back(tmp_path: Path) -> None:
    upright = opaque(moving_disc(3, width=96, height=64))
    write_movie(
        [np.ascontiguousarray(frame[:, ::-1]) for frame in upright],
        10,
        tmp_path / "c.mov",
        replace(H264, mirrored=True),
    )
    assert np.abs(next(read_frames(tmp_path / "c.mov")).rgb.astype(int) - upright[0][..., :3]).mean() < 4


def test_oblong_pixels_become_square(tmp_path: Path) -> None:
    write_movie(flat(COLOUR, width=64, height=48), 10, tmp_path / "clip.mov", replace(H264, pixel_shape=Fraction(4, 3)))
    assert probe(tmp_path / "clip.mov").width == 85
    assert next(read_frames(tmp_path / "clip.mov")).rgb.shape == (48, 85, 3)


@pytest.mark.parametrize("kind", ["mov", "webm", "gif", "apng", "webp"])
def test_odd_sides_are_kept(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, moving_disc(3, width=75, height=51), 10, tmp_path / "clip")
    assert next(read_frames(tmp_path / "clip")).rgb.shape == (51, 75, 3)


@pytest.mark.parametrize("kind", ["mov", "apng"])
def test_large_frames_are_scaled_down_without_bleeding(tmp_path: Path, kind: ClipKind) -> None:
    frames = moving_disc(3, width=300, height=200)
    for frame in frames:
        frame[frame[..., 3] == 0] = (0, 255, 0, 0)
    write_clip(kind, frames, 10, tmp_path / "clip")
    small = next(read_frames(tmp_path / "clip", limits=ClipLimits(max_side=90)))
    assert small.rgb.shape == (60, 90, 3)
    assert small.alpha is not None
    disc = small.rgb[20:][small.alpha[20:] > 30]
    assert np.abs(disc.astype(int) - COLOUR).max() <= 4
    assert (probe(tmp_path / "clip").width, probe(tmp_path / "clip").height) == (300, 200)


# ------------------------------------------------------------------ time


@pytest.mark.parametrize("container", ["mov", "webm"])
def test_an_unsteady_frame_rate_is_honoured(tmp_path: Path, container: str) -> None:
    recording = H264 if container == "mov" else VP9_WITH_ALPHA
    write_movie(moving_disc(5), 10, tmp_path / "clip", recording, at=[0, 100, 140, 540, 640])
    frames = list(read_frames(tmp_path / "clip"))
    assert [round(frame.seconds, 3) for frame in frames[:4]] == [0.1, 0.04, 0.4, 0.1]
    assert 0.03 < frames[4].seconds < 0.5


def test_a_clip_that_starts_late_loses_nothing(tmp_path: Path) -> None:
    write_movie(moving_disc(4), 10, tmp_path / "clip.webm", VP9_WITH_ALPHA, at=[5000, 5100, 5200, 5300])
    assert [round(frame.seconds, 3) for frame in read_frames(tmp_path / "clip.webm")] == [0.1] * 4


@pytest.mark.parametrize("kind", ["gif", "apng", "webp"])
def test_each_delay_of_an_animation_is_kept_as_browsers_show_it(tmp_path: Path, kind: ClipKind) -> None:
    write_animation(kind, moving_disc(5), [40, 0, 250, 10, 1000], tmp_path / "clip")
    assert [round(frame.seconds, 3) for frame in read_frames(tmp_path / "clip")] == [0.04, 0.1, 0.25, 0.1, 1.0]


@pytest.mark.parametrize(
    ("fps", "kept", "each"), [(60, 30, 1 / 30), (48, 24, 1 / 24), (90, 30, 1 / 30), (30, 30, 1 / 30)]
)
def test_a_fast_clip_is_thinned_evenly_and_keeps_its_length(tmp_path: Path, fps: int, kept: int, each: float) -> None:
    write_clip("mp4", flat(COLOUR, fps), fps, tmp_path / "clip.mp4")
    notes: list[str] = []
    frames = list(read_frames(tmp_path / "clip.mp4", report=notes.append))
    assert [frame.index for frame in frames] == list(range(kept))
    assert [frame.seconds for frame in frames] == pytest.approx([each] * kept, abs=0.001)
    assert sum(frame.seconds for frame in frames) == pytest.approx(1.0, abs=0.001)
    assert bool([note for note in notes if "speed stays" in note]) == (fps > 30)


def test_a_long_clip_is_thinned_to_the_frames_we_take(tmp_path: Path) -> None:
    write_clip("mp4", flat(COLOUR, 50), 25, tmp_path / "clip.mp4")
    frames = list(read_frames(tmp_path / "clip.mp4", limits=ClipLimits(max_frames=20)))
    assert len(frames) == 17
    assert sum(frame.seconds for frame in frames) == pytest.approx(2.0, abs=0.001)


def test_a_title_in_an_old_character_set_does_no_harm(tmp_path: Path) -> None:
    write_movie(moving_disc(3), 10, tmp_path / "clip.webm", replace(VP9_WITH_ALPHA, title="Winken"))
    data = (tmp_path / "clip.webm").read_bytes()
    (tmp_path / "clip.webm").write_bytes(data.replace(b"Winken", b"W\xefnken"))
    assert probe(tmp_path / "clip.webm").frames == 3


def test_frames_stream_and_are_never_all_held(tmp_path: Path) -> None:
    write_clip("mp4", flat(COLOUR, 60, width=256, height=256), 30, tmp_path / "clip.mp4")
    one_frame = 256 * 256 * 3
    tracemalloc.start()
    try:
        for _ in read_frames(tmp_path / "clip.mp4"):
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * one_frame
