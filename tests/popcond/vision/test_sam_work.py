"""What a prompt means and how a clip is followed, on a model that sees colours and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from popcond.errors import BadInput
from popcond.media.raster import Alpha, Rgb
from popcond.vision.sam_embeddings import Embedding, Embeddings
from popcond.vision.sam_guess import Guess, Guesses, Logits
from popcond.vision.sam_work import Desk, EmbedWork, MaskWork, TrackWork
from popcond.vision.segmenter import Point, Prompt, Segmented, Still, Tracked, Urgency

SIDE = 64
RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


class ColourModel:
    """Takes what has the colour of the last foreground point; of a background point's colour, all but that.

    A first point has three readings: the colour, the upper half of it, and everything.
    """

    def __init__(self) -> None:
        self.encoded: list[int] = []  # the brightest red of every frame that was encoded: its number
        self.decoded = 0
        self.asked: list[tuple[Point, ...]] = []

    def encode(self, rgb: Rgb) -> Embedding:
        """The frame itself."""
        self.encoded.append(int(rgb[0, 0, 0]))
        return Embedding((rgb.astype(np.float16),), (rgb.shape[0], rgb.shape[1]))

    def decode(self, embedding: Embedding, points: Sequence[Point], previous: Logits | None) -> Guesses:
        """By colour, on top of what was there before."""
        self.decoded += 1
        self.asked.append(tuple(points))
        frame = embedding.levels[0]
        last = points[-1]
        inside = self._like(frame, frame[int(last.y), int(last.x)])
        if previous is None and len(points) == 1:
            upper = inside & (np.arange(SIDE)[:, None] < SIDE // 2)
            return tuple(_guess(mask, score) for mask, score in ((inside, 0.9), (upper, 0.5), (inside | True, 0.4)))
        before = np.zeros_like(inside) if previous is None else previous > 0
        return (_guess(before | inside if last.is_foreground else ~inside, 0.8),)

    def given(self, embedding: Embedding, mask: Alpha) -> Guess:
        """As it is."""
        return _guess(mask >= 128, 1.0)

    def to_frame(self, logits: Logits, frame: tuple[int, int]) -> Alpha:
        """The model's pixels are the frame's."""
        return np.asarray(logits > 0, np.uint8) * np.uint8(255)

    def tracker(self, count: int) -> ColourMemory:
        """One object."""
        return ColourMemory()

    @staticmethod
    def _like(frame: NDArray[np.float16], colour: NDArray[np.float16]) -> NDArray[np.bool_]:
        return np.asarray((frame[..., :3] == colour).all(axis=-1), np.bool_)


class ColourMemory:
    """Finds the colours that the object had where it was told."""

    def __init__(self) -> None:
        self._colours: set[tuple[float, ...]] = set()

    def remember(self, index: int, embedding: Embedding, guess: Guess) -> None:
        """What is inside."""
        inside = embedding.levels[0][guess.logits > 0]
        self._colours = {tuple(map(float, colour)) for colour in np.unique(inside, axis=0)} or self._colours

    def turn_round(self) -> None:
        """Nothing else is remembered."""

    def follow(self, index: int, embedding: Embedding, *, backwards: bool) -> Guess:
        """The same colours."""
        frame = embedding.levels[0]
        inside = np.zeros(frame.shape[:2], np.bool_)
        for colour in self._colours:
            inside |= ColourModel._like(frame, np.asarray(colour, np.float16))
        return _guess(inside, 0.7)


def _guess(inside: NDArray[np.bool_], score: float) -> Guess:
    return Guess(np.where(inside, np.float32(5), np.float32(-5)), score, np.zeros(4, np.float32))


def a_frame(number: int) -> Rgb:
    """A red, a green and a blue block on black; they wander with the number, which is the first pixel's red."""
    rgb = np.zeros((SIDE, SIDE, 3), np.uint8)
    for place, colour in enumerate((RED, GREEN, BLUE)):
        rgb[20 + number : 40 + number, 4 + 20 * place : 16 + 20 * place] = colour
    rgb[0, 0, 0] = number
    return rgb


def inside(still: Still, *colours: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where a frame has these colours."""
    return np.asarray(sum((still.pixels() == colour).all(axis=-1) for colour in colours) > 0, np.bool_)


IN_RED, IN_GREEN, IN_BLUE = (Point(10 + 20 * place, 30.0) for place in range(3))


@pytest.fixture
def model() -> ColourModel:
    """Sees colours."""
    return ColourModel()


@pytest.fixture
def desk(model: ColourModel, tmp_path: Path) -> Desk:
    """Nothing known yet."""
    return Desk(model, Embeddings(tmp_path, "colours", 1 << 24, 1 << 24))


@pytest.fixture
def stills() -> list[Still]:
    """A clip of eight frames."""
    return [Still.of(a_frame(number)) for number in range(8)]


def mask_of(desk: Desk, still: Still, prompt: Prompt) -> Segmented:
    """The answer to a prompt."""
    answers: list[Segmented] = []
    assert not MaskWork(desk, 1, still, prompt, Urgency.CLICK, answers.append).step()
    return answers[0]


def tracked(desk: Desk, stills: Sequence[Still], prompts: dict[int, Prompt]) -> list[Tracked]:
    """All answers of a propagation, in the order in which they came."""
    answers: list[Tracked] = []
    work = TrackWork(desk, 1, stills, prompts, answers.append)
    while work.step():
        pass
    return answers


# ------------------------------------------------------------------ points


def test_a_first_point_has_three_readings_and_the_best_is_taken(desk: Desk, stills: list[Still]) -> None:
    answer = mask_of(desk, stills[0], Prompt((IN_RED,)))
    assert np.array_equal(answer.mask > 0, inside(stills[0], RED))
    assert [candidate.score for candidate in answer.candidates] == [0.9, 0.5, 0.4]
    assert answer.score == 0.9


def test_another_reading_can_be_taken_and_later_points_build_on_it(desk: Desk, stills: list[Still]) -> None:
    upper = Point(IN_RED.x, IN_RED.y, candidate=1)
    half = mask_of(desk, stills[0], Prompt((upper,)))
    assert np.array_equal(half.mask, half.candidates[1].mask)
    both = mask_of(desk, stills[0], Prompt((upper, IN_GREEN)))
    assert both.candidates == ()
    assert np.array_equal(both.mask > 0, (half.mask > 0) | inside(stills[0], GREEN))


def test_points_of_one_object_make_one_mask(desk: Desk, stills: list[Still]) -> None:
    answer = mask_of(desk, stills[0], Prompt((IN_RED, IN_GREEN)))
    assert np.array_equal(answer.mask > 0, inside(stills[0], RED, GREEN))


def test_objects_are_united_and_the_least_sure_one_is_told(desk: Desk, stills: list[Still]) -> None:
    other = Point(IN_BLUE.x, IN_BLUE.y, object=5, candidate=1)
    answer = mask_of(desk, stills[0], Prompt((IN_RED, other)))
    assert np.array_equal(answer.mask > 0, inside(stills[0], RED) | (inside(stills[0], BLUE) & _upper()))
    assert answer.score == 0.5
    assert answer.candidates == ()


def test_a_background_point_takes_away_and_never_adds(desk: Desk, stills: list[Still]) -> None:
    not_green = Point(IN_GREEN.x, IN_GREEN.y, is_foreground=False)
    without = mask_of(desk, stills[0], Prompt((IN_RED, IN_GREEN, not_green)))
    assert np.array_equal(without.mask > 0, inside(stills[0], RED))


def test_a_background_point_touches_only_its_own_object(desk: Desk, stills: list[Still]) -> None:
    not_red = Point(IN_RED.x, IN_RED.y, is_foreground=False, object=1)
    answer = mask_of(desk, stills[0], Prompt((IN_RED, Point(IN_BLUE.x, IN_BLUE.y, object=1), not_red)))
    assert np.array_equal(answer.mask > 0, inside(stills[0], RED, BLUE))


def test_background_points_alone_mean_nothing(desk: Desk, stills: list[Still]) -> None:
    answer = mask_of(desk, stills[0], Prompt((Point(5, 5, is_foreground=False),)))
    assert not answer.mask.any()
    assert answer.score == 0.0


def test_a_mask_to_start_from_is_taken_as_it_is_and_points_correct_it(desk: Desk, stills: list[Still]) -> None:
    start = inside(stills[0], RED, GREEN).astype(np.uint8) * np.uint8(255)
    assert np.array_equal(mask_of(desk, stills[0], Prompt(mask=start)).mask, start)
    not_red = Point(IN_RED.x, IN_RED.y, is_foreground=False)
    less = mask_of(desk, stills[0], Prompt((not_red,), start))
    assert np.array_equal(less.mask > 0, inside(stills[0], GREEN))
    more = mask_of(desk, stills[0], Prompt((IN_BLUE,), start))
    assert np.array_equal(more.mask > 0, inside(stills[0], RED, GREEN, BLUE))


def test_the_model_is_told_what_stays_when_points_only_say_what_goes(
    desk: Desk, model: ColourModel, stills: list[Still]
) -> None:
    start = inside(stills[0], RED, GREEN).astype(np.uint8) * np.uint8(255)
    mask_of(desk, stills[0], Prompt((Point(IN_RED.x, IN_RED.y, is_foreground=False),), start))
    stays, goes = model.asked[-1]
    assert (stays.is_foreground, goes.is_foreground) == (True, False)
    assert inside(stills[0], GREEN)[int(stays.y), int(stays.x)]


def test_an_answer_does_not_depend_on_what_was_asked_before(desk: Desk, stills: list[Still], tmp_path: Path) -> None:
    prompt = Prompt((IN_RED, IN_GREEN, Point(IN_RED.x, IN_RED.y, is_foreground=False)))
    for end in (1, 2, 3):
        after_a_session = mask_of(desk, stills[0], Prompt(prompt.points[:end]))
    fresh = Desk(ColourModel(), Embeddings(tmp_path / "other", "colours", 1 << 24, 0))
    assert np.array_equal(after_a_session.mask, mask_of(fresh, stills[0], prompt).mask)


def test_one_more_point_costs_one_more_decode_and_no_encode(
    desk: Desk, model: ColourModel, stills: list[Still]
) -> None:
    for end in (1, 2, 2, 1):
        mask_of(desk, stills[0], Prompt((IN_RED, IN_GREEN)[:end]))
    assert (model.decoded, len(model.encoded)) == (2, 1)


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(),
        Prompt((Point(-1, 5),)),
        Prompt((Point(5, SIDE + 1),)),
        Prompt((Point(float("nan"), 5),)),
        Prompt((Point(5, 5, candidate=3),)),
        Prompt((Point(5, 5),) * 200),
        Prompt(mask=np.zeros((5, 5), np.uint8)),
    ],
)
def test_a_prompt_that_no_frame_can_answer_is_refused(desk: Desk, stills: list[Still], prompt: Prompt) -> None:
    with pytest.raises(BadInput):
        mask_of(desk, stills[0], prompt)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (0, 4, 3)])
def test_pixels_that_are_no_frame_are_refused(desk: Desk, shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="no RGB frame"):
        mask_of(desk, Still.of(np.zeros(shape, np.uint8)), Prompt((Point(1, 1),)))


# ------------------------------------------------------------------ embeddings in advance


def test_the_frames_nearest_to_the_one_that_is_looked_at_come_first(
    desk: Desk, model: ColourModel, stills: list[Still]
) -> None:
    work = EmbedWork(desk, 1, stills, Urgency.BACKGROUND)
    work.step()
    mask_of(desk, stills[5], Prompt((IN_RED,)))
    while work.step():
        pass
    assert model.encoded == [0, 5, 4, 6, 3, 7, 2, 1]


def test_a_frame_that_is_shown_turns_the_order_too(desk: Desk, model: ColourModel, stills: list[Still]) -> None:
    work = EmbedWork(desk, 1, stills, Urgency.BACKGROUND)
    EmbedWork(desk, 2, [stills[7]], Urgency.SHOWN).step()
    work.step()
    work.step()
    assert model.encoded == [7, 6]


def test_what_is_known_is_not_embedded_again(desk: Desk, model: ColourModel, stills: list[Still]) -> None:
    for id_ in (1, 2):
        work = EmbedWork(desk, id_, stills, Urgency.BACKGROUND)
        while work.step():
            pass
    assert sorted(model.encoded) == list(range(8))


# ------------------------------------------------------------------ clips


def test_every_frame_comes_once_prompted_ones_first_then_forward_then_backward(desk: Desk, stills: list[Still]) -> None:
    answers = tracked(desk, stills, {3: Prompt((IN_RED,))})
    assert [answer.index for answer in answers] == [3, 4, 5, 6, 7, 2, 1, 0]
    assert all(np.array_equal(answer.mask > 0, inside(stills[answer.index], RED)) for answer in answers)


def test_each_object_is_followed_from_its_own_frames_and_they_are_united(desk: Desk, stills: list[Still]) -> None:
    blue_later = Point(IN_BLUE.x, IN_BLUE.y, object=1)
    answers = tracked(desk, stills, {1: Prompt((IN_RED,)), 6: Prompt((blue_later,))})
    assert sorted(answer.index for answer in answers) == list(range(8))
    for answer in answers:
        assert np.array_equal(answer.mask > 0, inside(stills[answer.index], RED, BLUE))


def test_a_background_point_on_a_later_frame_corrects_what_was_followed_there(desk: Desk, stills: list[Still]) -> None:
    not_green = Point(IN_GREEN.x, IN_GREEN.y, is_foreground=False)
    answers = tracked(desk, stills, {0: Prompt((IN_RED, IN_GREEN)), 4: Prompt((not_green,))})
    for answer in answers:
        colours = (RED, GREEN) if answer.index < 4 else (RED,)
        assert np.array_equal(answer.mask > 0, inside(stills[answer.index], *colours))


def test_a_mask_that_was_given_comes_back_as_it_is(desk: Desk, stills: list[Still]) -> None:
    given = inside(stills[2], GREEN).astype(np.uint8) * np.uint8(255)
    given[0, 0] = 255
    answers = {answer.index: answer.mask for answer in tracked(desk, stills, {2: Prompt(mask=given)})}
    assert np.array_equal(answers[2], given)
    assert inside(stills[5], GREEN)[answers[5] > 0].any()


def test_a_clip_with_background_points_alone_is_empty(desk: Desk, stills: list[Still]) -> None:
    answers = tracked(desk, stills, {0: Prompt((Point(5, 5, is_foreground=False),))})
    assert sorted(answer.index for answer in answers) == list(range(8))
    assert not any(answer.mask.any() for answer in answers)


def test_a_clip_goes_on_by_steps_so_that_others_can_go_first(
    desk: Desk, model: ColourModel, stills: list[Still]
) -> None:
    answers: list[Tracked] = []
    work = TrackWork(desk, 1, stills, {0: Prompt((IN_RED,))}, answers.append)
    for _ in range(4):
        before = len(model.encoded), len(answers)
        work.step()
        assert len(model.encoded) - before[0] <= 1
        assert len(answers) - before[1] <= 1


@pytest.mark.parametrize("prompts", [{}, {8: Prompt((IN_RED,))}, {-1: Prompt((IN_RED,))}, {0: Prompt()}])
def test_prompts_that_fit_no_clip_are_refused(desk: Desk, stills: list[Still], prompts: dict[int, Prompt]) -> None:
    with pytest.raises(BadInput):
        tracked(desk, stills, prompts)


def _upper() -> NDArray[np.bool_]:
    return np.asarray(np.arange(SIDE)[:, None] < SIDE // 2, np.bool_)
