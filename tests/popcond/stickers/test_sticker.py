"""From a clip to a file: every target gets a valid one, loops do not jump, and what was given up is said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from popcond.errors import Cancelled, NoCharacter
from popcond.media.raster import Rgba, premultiply
from popcond.stickers.decode import decode
from popcond.stickers.rotation import best_start
from popcond.stickers.similarity import cyclic_steps, seam_of, thumbnails
from popcond.stickers.source import CutoutList
from popcond.stickers.sticker import EncodedSticker, make_sticker, make_stickers
from popcond.stickers.validate import validate
from popcond.targets import TARGETS, target
from popcond.wire import LoopKind, Target
from tests.popcond.stickers.drawings import eased_jump, figure, loop, noisy, pendulum, stretch, walk_away

LINE = target("line-emoji")


def made(
    clip: CutoutList,
    wanted: Target = LINE,
    *,
    exact: bool = True,
    poster: float = 0.5,
    kind: LoopKind = LoopKind.RETURN,
) -> EncodedSticker:
    return make_sticker(clip, wanted, loop=kind, exact_loop=exact, poster=poster, report=lambda _: None)


@pytest.mark.parametrize("name", TARGETS)
def test_an_exact_loop_becomes_a_valid_file_without_a_jump_for(name: str) -> None:
    sticker = made(loop(20, side=160, fps=10), TARGETS[name])
    assert sticker.verdict.valid, [rule.reason for rule in sticker.verdict.failed]
    assert sticker.seam <= 1.0
    assert sticker.seconds == 2.0
    assert sticker.frames == len(decode(sticker.data))


@pytest.mark.parametrize("name", ["line-emoji", "slack"])
def test_a_clip_with_too_many_colours_still_fits(name: str, grainy: CutoutList) -> None:
    sticker = made(grainy, TARGETS[name])
    assert sticker.verdict.valid
    assert sticker.seam <= 1.0
    assert "colours" in sticker.trace


def test_sixty_frames_become_every_third_and_two_plays_of_two_seconds(line_sticker: EncodedSticker) -> None:
    assert (line_sticker.frames, line_sticker.seconds, line_sticker.plays) == (20, 2.0, 2)
    assert line_sticker.trace.startswith("60 → 20 frames, every colour kept, ")
    assert line_sticker.trace.endswith(" of 300 KB")


@pytest.mark.parametrize("motion", [eased_jump, pendulum])
@pytest.mark.parametrize("poster", [0.0, 0.25, 0.5, 0.8])
def test_the_seam_is_no_larger_than_the_median_step_by_any_measure(motion: object, poster: float) -> None:
    sticker = made(loop(60, motion, side=128), poster=poster)  # type: ignore[arg-type]
    shown = [premultiply(frame) for frame in decode(sticker.data)]
    absolute = np.array([np.abs(shown[i] - shown[i - 1]).mean() for i in range(len(shown))])
    squared = np.array([np.sqrt(((shown[i] - shown[i - 1]) ** 2).mean()) for i in range(len(shown))])
    assert absolute[0] <= np.median(absolute[1:])
    assert squared[0] <= np.median(squared[1:])


@given(st.integers(3, 40), st.integers(0, 39), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_the_loop_begins_at_the_poster_or_at_the_nearest_calm_frame(count: int, poster: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = list(rng.integers(0, 255, (count, 8, 8, 4), dtype=np.uint8))
    start = best_start(frames, poster % count)
    steps = cyclic_steps(thumbnails(frames))
    assert seam_of(steps, start) <= max(0.9, min(seam_of(steps, other) for other in range(count)) + 0.2)


def test_a_calm_poster_is_the_first_frame() -> None:
    sticker = made(loop(60), poster=0.5)  # the top of the jump, where it hangs
    heights = [middle_of(frame) for frame in decode(sticker.data)]
    assert heights[0] <= min(heights) + 1


def middle_of(frame: Rgba) -> float:
    """The mean row of what is solid."""
    return float(np.argwhere(frame[..., 3] > 128)[:, 0].mean())


def test_all_targets_of_an_emoji_share_the_loading(jump: CutoutList) -> None:
    class Counting(CutoutList):
        loads: list[int] = []  # noqa: RUF012 - shared on purpose, by this one instance

        def load(self, index: int) -> Rgba:
            self.loads.append(index)
            return super().load(index)

    source = Counting(jump.frames, jump.seconds)
    targets = [target("line-emoji"), target("gif"), target("slack")]
    stickers = make_stickers(source, targets, loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=lambda _: None)
    assert [sticker.verdict.valid for sticker in stickers] == [True, True, True]
    assert len(source.loads) == len(set(source.loads)) <= 45


def test_only_the_frames_that_are_shown_and_those_at_the_seam_are_loaded() -> None:
    loaded: set[int] = set()

    class Watching(CutoutList):
        def load(self, index: int) -> Rgba:
            loaded.add(index)
            return super().load(index)

    clip = loop(60, side=64)
    made(Watching(clip.frames, clip.seconds))
    assert loaded - {0, 1, 2, 3, *range(54, 60)} == set(range(6, 54, 3))


def test_progress_rises_to_one_and_may_stop_the_work(jump: CutoutList) -> None:
    heard: list[float] = []
    make_stickers(jump, [LINE, target("gif")], loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0

    def stop(_done: float) -> None:
        raise Cancelled("Somebody asked for it.")

    with pytest.raises(Cancelled):
        make_sticker(jump, LINE, loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=stop)


@pytest.mark.parametrize(
    ("frames", "fps", "seconds", "rounds"), [(48, 24, 2, 1), (12, 24, 1, 2), (75, 25, 3, 1), (30, 30, 1, 1)]
)
def test_other_lengths_become_whole_seconds(frames: int, fps: float, seconds: int, rounds: int) -> None:
    sticker = made(loop(frames, side=96, fps=fps))
    assert sticker.verdict.valid
    assert sticker.seconds == seconds
    assert ("rounds" in sticker.trace) == (rounds > 1)


def test_a_slightly_odd_length_is_stretched_and_the_trace_says_so() -> None:
    sticker = made(loop(54, side=96, fps=30))
    assert sticker.verdict.valid
    assert sticker.seconds == 2
    assert "played at 90% of its speed" in sticker.trace


def test_an_exact_loop_too_long_for_the_target_is_cut_to_a_part_that_loops() -> None:
    clip = loop(40, side=96, fps=20)
    long = CutoutList(list(clip.frames) * 5, (1 / 20,) * 200)
    sticker = made(long)
    assert sticker.verdict.valid
    assert sticker.seconds in (2, 4)
    assert "speed" not in sticker.trace
    assert sticker.seam <= 1.0


def test_frames_of_uneven_length_keep_their_pace() -> None:
    clip = loop(24, side=96)
    seconds = tuple(0.05 if index % 2 else 0.1167 for index in range(24))
    sticker = made(CutoutList(clip.frames, seconds))
    assert sticker.verdict.valid
    assert sticker.seconds == 2
    assert sticker.frames > 10


def test_a_loop_is_found_in_a_clip_that_was_not_cut_to_one() -> None:
    sticker = made(noisy(stretch(70, 24.0, eased_jump, start=5.0), 5.0), exact=False, kind=LoopKind.CYCLE)
    assert sticker.verdict.valid
    assert sticker.seam <= 1.0


@pytest.mark.parametrize("poster", [0.0, 0.3])
@pytest.mark.parametrize("name", ["line-emoji", "gif"])
def test_a_swing_that_begins_where_it_is_fastest_keeps_both_sides_and_a_calm_seam(name: str, poster: float) -> None:
    clip = loop(24, pendulum, side=96, fps=12)
    sticker = made(clip, TARGETS[name], exact=False, kind=LoopKind.CYCLE, poster=poster)
    assert sticker.verdict.valid
    assert sticker.seconds == 2.0
    assert sticker.seam <= 1.0
    assert reach(decode(sticker.data)) > 0.9 * reach(clip.frames)


def reach(frames: Sequence[Rgba]) -> float:
    """How far a character travels sideways, in widths of itself."""
    columns = [np.flatnonzero((frame[..., 3] > 128).any(axis=0)) for frame in frames]
    lefts, widths = [first[0] for first in columns], [first[-1] - first[0] + 1 for first in columns]
    return float((max(lefts) - min(lefts)) / np.median(widths))


def test_a_clip_that_never_returns_is_played_there_and_back() -> None:
    sticker = made(stretch(40, 40.0, walk_away), exact=False)
    assert sticker.verdict.valid
    assert sticker.seam <= 1.0
    assert "there and back again" in sticker.trace


def test_a_cycle_that_never_closes_is_made_and_the_jump_is_admitted() -> None:
    sticker = made(stretch(48, 48.0, walk_away), exact=False, kind=LoopKind.CYCLE)
    assert sticker.verdict.valid
    assert sticker.seam > 1.5
    assert "no clean loop" in sticker.trace


def test_a_character_that_holds_still_in_between_is_held_longer_not_repeated() -> None:
    moving, still = loop(20, side=96, fps=15), figure(0.0, side=96)
    frames = [moving.frames[index] for index in range(20)] + [still] * 10
    sticker = made(CutoutList(frames, (1 / 15,) * 30))
    assert sticker.verdict.valid
    assert sticker.seconds == 2
    assert sticker.frames < 20


def test_a_clip_in_which_nothing_moves_is_refused_with_the_reason() -> None:
    sticker = made(CutoutList([figure(0.0, side=96)] * 30, (1 / 15,) * 30))
    assert not sticker.verdict.valid
    assert {"all_identical", "frames"} <= {rule.name for rule in sticker.verdict.failed}


def test_a_clip_in_which_nothing_moves_is_no_crash_when_a_loop_is_looked_for() -> None:
    sticker = made(CutoutList([figure(0.0, side=96)] * 30, (1 / 15,) * 30), exact=False)
    assert not sticker.verdict.valid


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_frames_gives_a_verdict_and_no_crash(count: int) -> None:
    clip = CutoutList([figure(index / 3, side=96) for index in range(count)], (1 / 3,) * count)
    for exact in (True, False):
        sticker = made(clip, exact=exact)
        assert sticker.verdict == validate(sticker.data, LINE)
        assert sticker.frames == len(decode(sticker.data))


def test_three_frames_of_an_exact_loop_run_twice_so_that_line_takes_them() -> None:
    sticker = made(CutoutList([figure(index / 3, side=96) for index in range(3)], (1 / 6,) * 3))
    assert sticker.verdict.valid
    assert sticker.frames >= 5


def test_an_empty_clip_is_said_in_words() -> None:
    empty = np.zeros((50, 50, 4), np.uint8)
    with pytest.raises(NoCharacter):
        made(CutoutList([empty] * 8, (0.1,) * 8))
    with pytest.raises(NoCharacter):
        made(CutoutList([], ()))


def test_frames_that_are_empty_now_and_then_are_part_of_the_loop() -> None:
    clip = loop(30, side=96)
    frames = [*clip.frames[:12], np.zeros((96, 96, 4), np.uint8), *clip.frames[13:]]
    assert made(CutoutList(frames, clip.seconds)).verdict.valid


def test_the_same_clip_makes_the_same_bytes(jump: CutoutList, line: bytes) -> None:
    assert made(jump).data == line


def test_the_alpha_of_every_file_is_solid_at_both_ends() -> None:
    clip = noisy(loop(10, side=128, fps=5), 8.0)
    for name in ("line-emoji", "apng", "signal"):
        for frame in decode(made(clip, TARGETS[name]).data):
            alpha = frame[..., 3]
            assert not ((alpha > 0) & (alpha <= 5)).any()
            assert not ((alpha >= 250) & (alpha < 255)).any()
