"""The animator's frames: whole, in the frame, never still, seamless at both cuts, and each action its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from popcond.actions import load_actions
from popcond.errors import UnknownName
from popcond.media.raster import Rgb, Rgba, flatten
from popcond.video.anatomy import study
from popcond.video.figure import Figure
from popcond.video.figure_making import make_figure
from popcond.video.performances import PERFORMANCES
from popcond.video.pose import Pose
from popcond.video.puppet_clip import anchors_of, place, render
from popcond.video.warp import Warp
from tests.popcond.video.puppet_cast import BACKDROP, face, person, plank, pole, twins

SIZE = 112
FRAMES = 60  # of two seconds
NAMES = sorted(PERFORMANCES)
CAST = {"person": person, "face": face}


@pytest.fixture(scope="module")
def clips() -> Mapping[tuple[str, str], list[Rgb]]:
    """Every performance of every member of the cast."""
    return {
        (who, name): list(render(draw(), name, backdrop=BACKDROP, size=SIZE, seconds=2.0, fps=FRAMES // 2))
        for who, draw in CAST.items()
        for name in NAMES
    }


def posed(picture: Rgba, size: int = 256) -> Figure:
    anatomy = study(picture)
    scale = 0.6 * size / max(picture.shape[:2])
    return make_figure(picture, anatomy, size=size, scale=scale, at=(size / 2, 0.85 * size))


def steps(frames: list[Rgb], start: int) -> list[float]:
    """Mean differences from each frame to the next, the last one being the seam of a loop that begins at `start`."""
    turned = frames[start:] + frames[:start]
    return [
        float(np.abs(here.astype(np.int16) - there).mean())
        for here, there in zip(turned, turned[1:] + turned[:1], strict=True)
    ]


# ------------------------------------------------------------------ every action, every character


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize("kept", [1, 3], ids=["60 frames", "20 frames"])
def test_the_seam_is_no_larger_than_most_steps_wherever_the_loop_is_cut(
    clips: Mapping[tuple[str, str], list[Rgb]], who: str, name: str, kept: int
) -> None:
    poster = load_actions().actions[name].poster
    for start in (0, round(poster * FRAMES) % FRAMES):
        whole = clips[who, name]
        sizes = steps((whole[start:] + whole[:start])[::kept], 0)
        assert sizes[-1] <= np.median(sizes)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize(("kept", "least"), [(1, 6), (3, 16)], ids=["60 frames", "20 frames"])
def test_no_frame_equals_its_neighbour(
    clips: Mapping[tuple[str, str], list[Rgb]], who: str, name: str, kept: int, least: int
) -> None:
    frames = clips[who, name][::kept]
    for here, there in zip(frames, frames[1:] + frames[:1], strict=True):
        assert np.abs(here.astype(np.int16) - there).max() > least


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("draw", [person, face, plank, pole, twins])
def test_nothing_is_cut_at_the_frames_border(draw: object, name: str) -> None:
    assert callable(draw)
    for frame in render(draw(), name, backdrop=BACKDROP, size=SIZE, seconds=1.0, fps=6):
        rim = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]])
        assert (rim == BACKDROP).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_clip_is_the_performance_and_no_other(clips: Mapping[tuple[str, str], list[Rgb]], name: str) -> None:
    own = np.stack(clips["person", name]).astype(np.int16)
    for other in NAMES:
        if other != name:
            assert np.abs(own - np.stack(clips["person", other])).mean() > 1.0


@pytest.mark.parametrize(
    "picture",
    [
        np.full((1, 1, 4), 255, np.uint8),
        np.zeros((50, 50, 4), np.uint8),
        np.full((3, 900, 4), 200, np.uint8),
        np.random.default_rng(1).integers(0, 255, (90, 70, 4)).astype(np.uint8),
        np.where(np.random.default_rng(2).random((100, 100, 1)) > 0.99, 255, 0).repeat(4, axis=2),
    ],
    ids=["one pixel", "nothing", "a thread", "noise", "dust"],
)
def test_any_picture_can_be_animated(picture: Rgba) -> None:
    frames = list(render(picture.astype(np.uint8), "dance", backdrop=BACKDROP, size=96, seconds=1.0, fps=4))
    assert [frame.shape for frame in frames] == [(96, 96, 3)] * 4


# ------------------------------------------------------------------ performances


@pytest.mark.parametrize("name", NAMES)
def test_a_performance_is_exactly_periodic(name: str) -> None:
    first, again = PERFORMANCES[name].at(0.0), PERFORMANCES[name].at(1.0)
    for field in fields(Pose):
        if field.name in ("turn", "wobble_phase"):  # whole turns are no difference
            continue
        assert np.allclose(_numbers(getattr(first, field.name)), _numbers(getattr(again, field.name)), atol=1e-6)
    assert np.cos(first.turn) == pytest.approx(np.cos(again.turn))
    assert np.cos(2 * np.pi * first.wobble_phase) == pytest.approx(np.cos(2 * np.pi * again.wobble_phase))


def _numbers(value: object) -> list[float]:
    """A field of a pose as numbers; a hand is its place and size."""
    if isinstance(value, float | int):
        return [float(value)]
    return [] if value is None else [number for number in asdict(value).values() if isinstance(number, float)]  # type: ignore[call-overload]


def test_no_two_performances_move_alike() -> None:
    moods = {name: _motion(name) for name in NAMES}
    for one, other in combinations(NAMES, 2):
        assert np.abs(moods[one] - moods[other]).max() > 0.08, (one, other)


def _motion(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What a viewer sees a performance do, over one loop."""
    poses = [PERFORMANCES[name].at(step / 24) for step in range(24)]
    numbers = [field.name for field in fields(Pose) if field.name not in ("hand", "other_hand", "wobble_phase")]
    return np.array([[getattr(pose, number) for number in numbers] for pose in poses])


def test_an_unknown_performance_is_named_with_the_ones_there_are() -> None:
    with pytest.raises(UnknownName, match="moonwalk") as caught:
        render(face(), "moonwalk", backdrop=BACKDROP)
    assert "wave" in str(caught.value)


def test_the_catalogue_knows_where_each_performance_is_most_telling() -> None:
    for action in load_actions().actions.values():
        assert action.poster == pytest.approx(PERFORMANCES[action.performance].poster_phase, abs=0.01)
        assert 0.24 <= action.poster <= 0.76  # far enough from 0 for time to slow down twice


# ------------------------------------------------------------------ the figure


@pytest.mark.parametrize("draw", [person, face, twins])
def test_a_figure_at_rest_is_the_picture(draw: object) -> None:
    assert callable(draw)
    figure = posed(draw())
    canvas = np.full((256, 256, 3), BACKDROP, np.uint8)
    figure.draw(canvas, Pose())

    scale = figure.anatomy.height / study(draw()).height
    flat = flatten(draw(), BACKDROP)
    small = cv2.resize(flat, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    found = cv2.matchTemplate(canvas, np.asarray(small), cv2.TM_SQDIFF)
    x, y = cv2.minMaxLoc(found)[2]
    there = canvas[y : y + small.shape[0], x : x + small.shape[1]]
    assert np.abs(there.astype(np.int16) - small).mean() < 3.0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("draw", [person, face])
def test_no_pose_folds_the_picture_and_resampling_finds_the_way_back(draw: object, name: str) -> None:
    assert callable(draw)
    figure = posed(draw())
    rows, columns = np.nonzero(figure.body[..., 3] > 128)
    x, y = columns[::11].astype(np.float32), rows[::11].astype(np.float32)
    for step in range(12):
        warp = Warp(figure.anatomy, figure.facing(PERFORMANCES[name].at(step / 12)))
        if abs(np.cos(warp.pose.turn)) < 0.2:
            continue  # seen from its edge, a pixel holds many
        (here_x, here_y), (right_x, right_y), (low_x, low_y) = (
            warp.forward(x + across, y + along) for across, along in ((0, 0), (1, 0), (0, 1))
        )
        area = (right_x - here_x) * (low_y - here_y) - (right_y - here_y) * (low_x - here_x)
        assert (area * np.sign(np.cos(warp.pose.turn))).min() > 0.03
        back_x, back_y = warp.backward(here_x, here_y)
        assert np.hypot(back_x - x, back_y - y).max() < 2.0


def test_a_wave_moves_the_better_arm_and_not_the_other(clips: Mapping[tuple[str, str], list[Rgb]]) -> None:
    frames = np.stack(clips["person", "wave"]).astype(np.int16)
    change = np.abs(np.diff(frames, axis=0)).sum(axis=(0, 3))
    assert change[:, SIZE // 2 + 16 :].sum() > 2 * change[:, : SIZE // 2 - 16].sum()


def test_a_mirrored_character_waves_with_its_other_arm() -> None:
    mirrored = np.ascontiguousarray(person()[:, ::-1])
    frames = np.stack(list(render(mirrored, "wave", backdrop=BACKDROP, size=SIZE, fps=6))).astype(np.int16)
    change = np.abs(np.diff(frames, axis=0)).sum(axis=(0, 3))
    assert change[:, : SIZE // 2 - 16].sum() > 2 * change[:, SIZE // 2 + 16 :].sum()


def test_a_character_without_arms_waves_with_a_drawn_hand() -> None:
    figure = posed(face())
    bare, waving = np.full((256, 256, 3), BACKDROP, np.uint8), np.full((256, 256, 3), BACKDROP, np.uint8)
    wave = PERFORMANCES["wave"].at(0.0)
    figure.draw(bare, Pose())
    figure.draw(waving, wave)
    own = np.array(figure.skin, np.int16)
    beside = [_beside_head(frame, figure) for frame in (bare, waving)]
    assert [(np.abs(there.astype(np.int16) - own).max(axis=-1) < 40).sum() > 400 for there in beside] == [False, True]


def _beside_head(frame: Rgb, figure: Figure) -> Rgb:
    """What lies outside the resting head's rim."""
    head = figure.anatomy.head
    outside = frame.copy()
    outside[head.distances(frame.shape) < 1.15**2] = BACKDROP
    return outside


@pytest.mark.parametrize("draw", [face, plank])
def test_a_waving_hand_turns_by_a_third_of_a_right_angle_to_both_sides_and_never_covers_the_face(draw: object) -> None:
    assert callable(draw)
    figure = posed(draw())
    hands = [figure.facing(PERFORMANCES["wave"].at(step / 30)).hand for step in range(30)]
    turns = [hand.turn for hand in hands if hand is not None]
    assert 2 * np.radians(25) < max(turns) - min(turns) < 2 * np.radians(35)
    for step in range(30):
        pose = PERFORMANCES["wave"].at(step / 30)
        bare, waving = np.full((256, 256, 3), BACKDROP, np.uint8), np.full((256, 256, 3), BACKDROP, np.uint8)
        figure.draw(bare, replace(pose, hand=None))
        figure.draw(waving, pose)
        anchors = figure.anchors(pose)
        face_rows = slice(round(anchors.left_eye[1]) - 8, round(anchors.mouth[1]))
        face_columns = slice(round(anchors.left_eye[0]), round(anchors.right_eye[0]))
        assert (bare[face_rows, face_columns] == waving[face_rows, face_columns]).all()


def test_a_wink_closes_one_eye_only() -> None:
    figure = posed(face(), size=400)
    canvas = np.full((400, 400, 3), BACKDROP, np.uint8)
    figure.draw(canvas, Pose(close_right=1.0))
    eyes = figure.anatomy.eyes
    reach = round(1.3 * eyes.half_height)

    def darkness(eye: tuple[float, float]) -> int:
        x, y = round(eye[0]), round(eye[1])
        return int((canvas[y - reach : y + reach, x - reach : x + reach].max(axis=-1) < 110).sum())

    assert darkness(eyes.right) < 0.45 * darkness(eyes.left)


def test_anchors_move_with_the_head() -> None:
    played = PERFORMANCES["jump"]
    figure = place(person(), played, 256)
    rest, top = anchors_of(figure, played, 0.0), anchors_of(figure, played, played.poster_phase)
    assert top.head[1] < rest.head[1] - 20
    assert top.left_eye[0] < top.head[0] < top.right_eye[0]
    assert top.crown[1] < top.head[1] < top.mouth[1] < top.ground[1]


def test_a_leaning_head_says_so() -> None:
    figure = posed(person())
    assert figure.anchors(Pose()).upright == pytest.approx(0.0, abs=0.05)
    assert figure.anchors(Pose(tilt=0.3)).upright > 0.15
    assert figure.anchors(Pose(tilt=-0.3)).upright < -0.15
