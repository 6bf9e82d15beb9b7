"""Good files pass every rule; each kind of damage is caught by the rule that is named for it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from popcond.media.raster import Rgba
from popcond.stickers.apng import write_palette
from popcond.stickers.palette import quantise
from popcond.stickers.source import CutoutList
from popcond.stickers.sticker import EncodedSticker, make_sticker
from popcond.stickers.timing import Delay, Timing
from popcond.stickers.validate import parse, validate
from popcond.targets import target
from popcond.wire import LoopKind, Rule, Target, Verdict
from tests.popcond.stickers.mutations import (
    animation,
    changed,
    chunks,
    flipped,
    opaque,
    png,
    with_bytes,
    with_delays,
    with_hidden_first_picture,
    with_plays,
    without,
)

LINE = target("line-emoji")
GIF = target("gif")


def broken(verdict: Verdict) -> set[str]:
    return {rule.name for rule in verdict.failed}


def rule(verdict: Verdict, name: str) -> Rule:
    return next(rule for rule in verdict.rules if rule.name == name)


def test_a_good_line_emoji_passes_every_rule(line: bytes) -> None:
    verdict = validate(line, LINE)
    assert verdict.valid
    assert [rule.name for rule in verdict.rules if not rule.ok] == []
    assert {
        "format", "structure", "hidden_first_frame", "zero_delay", "decodes", "pixel_size", "even_size", "bytes",
        "colour_type", "greyscale", "interlace", "dpi", "frames", "loop_seconds", "plays", "play_seconds",
        "frame_rate", "all_identical", "identical_neighbours", "transparency", "first_and_last", "flashing",
    } <= {rule.name for rule in verdict.rules}  # fmt: skip


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "half of it is missing": ("structure", lambda data: data[: len(data) // 2]),
    "its last chunk is missing": ("structure", lambda data: data[:-12]),
    "its last byte is missing": ("structure", lambda data: data[:-1]),
    "one bit of its pixels is flipped": ("structure", lambda data: flipped(data, len(data) // 2)),
    "one bit of its header is flipped": ("structure", lambda data: flipped(data, 20)),
    "bytes follow its end": ("structure", lambda data: data + b"more"),
    "a sequence number is wrong": (
        "structure",
        lambda data: changed(data, b"fcTL", lambda body: with_bytes(body, 0, struct.pack(">I", 7)), 1),
    ),
    "a frame is missing": ("structure", lambda data: without(data, b"fdAT", 3)),
    "it promises another number of frames": (
        "structure",
        lambda data: changed(data, b"acTL", lambda body: struct.pack(">I", 19) + body[4:]),
    ),
    "a frame lies outside the canvas": (
        "structure",
        lambda data: changed(data, b"fcTL", lambda body: with_bytes(body, 12, struct.pack(">I", 100)), 1),
    ),
    "a frame has too few pixels": (
        "structure",
        lambda data: changed(data, b"fdAT", lambda body: body[:4] + zlib.compress(b"\0" * 40), 2),
    ),
    "its first picture is hidden": ("hidden_first_frame", with_hidden_first_picture),
    "a frame is shown for no time": ("zero_delay", lambda data: with_delays(data, 0, 20)),
    "a loop lasts a second and a half": ("loop_seconds", lambda data: with_delays(data, 75, 1000)),
    "a loop lasts 20 × 67 ms": ("loop_seconds", lambda data: with_delays(data, 67, 1000)),
    "a loop lasts a hair more than a second": ("loop_seconds", lambda data: with_delays(data, 50_003, 60_000)),
    "it plays five times": ("plays", lambda data: with_plays(with_delays(data, 1, 20), 5)),
    "it plays for ever": ("plays", lambda data: with_plays(data, 0)),
    "it plays four times two seconds": ("play_seconds", lambda data: with_plays(data, 4)),
    "it states no resolution": ("dpi", lambda data: without(data, b"pHYs")),
    "it states 36 dots per inch": (
        "dpi",
        lambda data: changed(data, b"pHYs", lambda _: struct.pack(">IIB", 1417, 1417, 1)),
    ),
    "it is interlaced": ("interlace", lambda data: changed(data, b"IHDR", lambda body: with_bytes(body, 12, b"\1"))),
    "it is no picture at all": ("structure", lambda _: b"GARBAGE" * 100),
    "it is empty": ("structure", lambda _: b""),
    "it is a signature and nothing else": ("structure", lambda data: data[:8]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_caught_when(damage: str, line: bytes) -> None:
    name, mutate = DAMAGES[damage]
    verdict = validate(mutate(line), LINE)
    assert not verdict.valid
    assert name in broken(verdict)
    assert rule(verdict, name).reason.endswith(".")
    assert rule(verdict, name).cure.endswith(".")


@pytest.mark.parametrize(
    "damage",
    [
        "it plays four times two seconds",
        "a loop lasts 20 × 67 ms",
        "it states no resolution",
    ],
)
def test_damage_to_one_thing_breaks_only_the_rules_about_it(damage: str, line: bytes) -> None:
    name, mutate = DAMAGES[damage]
    assert broken(validate(mutate(line), LINE)) == {name}


PICTURES: dict[str, tuple[str, Callable[[list[Rgba]], bytes]]] = {
    "it has four frames": ("frames", lambda frames: animation(frames[::5], 2, 2)),
    "it has 21 frames": ("frames", lambda frames: animation([*frames, frames[0][:, ::-1]], 2, 2)),
    "all frames are the same": ("all_identical", lambda frames: animation(frames[:1] * 8, 2, 2)),
    "two neighbours are the same": (
        "identical_neighbours",
        lambda frames: animation([*frames[:7], frames[6], *frames[8:]], 2, 2),
    ),
    "it is opaque": ("transparency", lambda frames: animation(opaque(frames), 2, 2)),
    "it has the wrong size": ("pixel_size", lambda frames: animation([frame[:160, :160] for frame in frames], 2, 2)),
    "it has an odd size": ("even_size", lambda frames: animation([frame[:179, :179] for frame in frames], 2, 2)),
    "it is a palette file": (
        "colour_type",
        lambda frames: write_palette(quantise(frames, 64), Timing((Delay(2, len(frames)),) * len(frames), 2)),
    ),
    "it is stored in greyscale": ("greyscale", lambda frames: grey(frames)),
    "it is a still": ("format", lambda frames: still(frames[0])),
    "it is a GIF": ("format", lambda frames: as_gif(frames)),
}


def grey(frames: list[Rgba]) -> bytes:
    pictures = [Image.fromarray(frame).convert("LA") for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "PNG", save_all=True, append_images=pictures[1:], duration=100, loop=2, dpi=(72, 72))
    return buffer.getvalue()


def still(frame: Rgba) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG", dpi=(72, 72))
    return buffer.getvalue()


def as_gif(frames: list[Rgba]) -> bytes:
    pictures = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0, disposal=2)
    return buffer.getvalue()


@pytest.mark.parametrize("fault", PICTURES)
def test_a_whole_file_that_breaks_a_rule_is_caught_when(fault: str, line_frames: list[Rgba]) -> None:
    name, build = PICTURES[fault]
    verdict = validate(build(line_frames), LINE)
    assert not verdict.valid
    assert name in broken(verdict)
    assert "structure" not in broken(verdict)


def test_too_many_bytes_are_caught(line: bytes, line_frames: list[Rgba]) -> None:
    tight = LINE.model_copy(update={"max_bytes": len(line) - 1})
    assert broken(validate(line, tight)) == {"bytes"}
    rng = np.random.default_rng(3)
    loud = [
        np.where(frame[..., 3:] > 0, rng.integers(0, 255, frame.shape), 0).astype(np.uint8) for frame in line_frames
    ]
    assert "bytes" in broken(validate(animation(loud, 2, 2), LINE))


def test_a_loop_that_jumps_is_worth_a_word_but_no_refusal(line_frames: list[Rgba]) -> None:
    verdict = validate(animation(line_frames[:9], 2, 2), LINE)
    assert verdict.valid
    assert [rule.name for rule in verdict.advice] == ["first_and_last"]


def test_strong_flashing_is_worth_a_warning(line_frames: list[Rgba]) -> None:
    frames = [frame.copy() for frame in line_frames]
    for index, frame in enumerate(frames):
        frame[10:170, 10:170] = (255, 255, 255, 255) if index % 2 else (0, 0, index, 255)
    flashing = rule(validate(animation(frames, 2, 2), LINE), "flashing")
    assert (flashing.ok, flashing.advice) == (False, True)


def test_a_line_sticker_between_the_two_limits_is_valid_with_advice(line_frames: list[Rgba]) -> None:
    rng = np.random.default_rng(3)
    frames = [np.pad(frame, ((45, 45), (70, 70), (0, 0))) for frame in line_frames]
    for frame in frames:
        frame[90:180, 100:220] = rng.integers(0, 255, (90, 120, 4))
        frame[90:180, 100:220, 3] = 255
    data = animation(frames, 2, 2)
    verdict = validate(data, target("line-sticker"))
    assert 300_000 < len(data) <= 1_000_000
    assert verdict.valid
    assert "advised_bytes" in {rule.name for rule in verdict.advice}


@pytest.fixture(scope="module")
def gif_sticker(jump: CutoutList) -> EncodedSticker:
    return make_sticker(jump, GIF, loop=LoopKind.CYCLE, exact_loop=True, poster=0.5, report=lambda _: None)


def test_a_good_gif_passes_every_rule(gif_sticker: EncodedSticker) -> None:
    verdict = validate(gif_sticker.data, GIF)
    assert verdict.valid
    assert [rule.name for rule in verdict.rules if not rule.ok] == []


GIF_DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "half of it is missing": ("structure", lambda data: data[: len(data) // 2]),
    "its trailer is missing": ("structure", lambda data: data[:-1]),
    "bytes follow its end": ("structure", lambda data: data + b"more"),
    "a block has no such kind": ("structure", lambda data: data[:-1] + b"\x55"),
    "its frames are shown for no time": ("zero_delay", lambda data: with_gif_delays(data, 0)),
    "its frames are shown for a centisecond": ("shortest_delay", lambda data: with_gif_delays(data, 1)),
    "it plays twice": (
        "plays",
        lambda data: data.replace(b"NETSCAPE2.0\x03\x01\x00\x00", b"NETSCAPE2.0\x03\x01\x01\x00"),
    ),
    "it plays once": ("plays", lambda data: data.replace(b"NETSCAPE2.0", b"NOTSCAPE2.0")),
}


def with_gif_delays(data: bytes, centiseconds: int) -> bytes:
    raw, position = bytearray(data), 0
    while (position := data.find(b"\x21\xf9\x04", position)) >= 0:
        raw[position + 4 : position + 6] = struct.pack("<H", centiseconds)
        position += 8
    return bytes(raw)


@pytest.mark.parametrize("damage", GIF_DAMAGES)
def test_a_damaged_gif_is_caught_when(damage: str, gif_sticker: EncodedSticker) -> None:
    name, mutate = GIF_DAMAGES[damage]
    verdict = validate(mutate(gif_sticker.data), GIF)
    assert not verdict.valid
    assert name in broken(verdict)


def test_a_file_that_is_cut_anywhere_is_refused(line: bytes) -> None:
    assert all(not validate(line[:length], LINE).valid for length in range(0, len(line) - 1, len(line) // 50))


@pytest.mark.parametrize("seed", range(3))
def test_no_damage_is_more_than_a_verdict(seed: int, line: bytes, gif_sticker: EncodedSticker) -> None:
    rng = np.random.default_rng(seed)
    for data, wanted in ((line, LINE), (gif_sticker.data, GIF)):
        for _ in range(8):
            raw = bytearray(data)
            for place in rng.integers(6, 900, 4):
                raw[place] ^= int(rng.integers(1, 256))
            verdict = validate(bytes(raw), wanted)
            assert wanted is GIF or not verdict.valid  # a GIF has no checksums: a wrong colour is no flaw


def test_a_file_that_promises_endless_pixels_is_not_opened(line: bytes) -> None:
    huge = changed(line, b"IHDR", lambda body: struct.pack(">II", 100_000, 100_000) + body[8:])
    verdict = validate(huge, LINE)
    assert "decodes" in broken(verdict)
    assert "more pixels" in rule(verdict, "decodes").reason


def test_chunks_survive_being_taken_apart_and_put_together(line: bytes) -> None:
    assert png(chunks(line)) == line


def test_facts_are_exact(line: bytes) -> None:
    facts = parse(line)
    assert (facts.width, facts.height, len(facts.delays), facts.plays) == (180, 180, 20, 2)
    assert facts.seconds == 2
    assert facts.dpi == pytest.approx(72, abs=0.1)


@pytest.mark.parametrize("name", ["signal", "discord-sticker", "apng", "imessage"])
def test_a_file_for_one_store_is_refused_by_another(name: str, line: bytes) -> None:
    other: Target = target(name)
    assert "plays" in broken(validate(line, other))
