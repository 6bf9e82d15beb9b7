"""Our own small model: what it is trained on, how training goes on, and whether what is shipped can see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Rgb
from popcond.vision import miniature
from popcond.vision.miniature.art import NoArt, gallery, is_held_out
from popcond.vision.miniature.backdrops import KINDS, backdrop
from popcond.vision.miniature.figures import draw_figure, draw_figures
from popcond.vision.miniature.plans import PLANS, Phase, Plan
from popcond.vision.miniature.scenes import Cast, Scene, Wish, scene
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_life import environment
from popcond.vision.sam_weights import MINIATURE, Weights, can_run
from popcond.vision.segmenter import Point, Prompt, Still

needs_torch = pytest.mark.skipif(not can_run(), reason="torch and ultralytics are not installed")


@pytest.fixture(scope="module", name="cast")
def a_cast() -> Cast:
    """A few figures that no training has seen."""
    return Cast(((1.0, draw_figures(6, seed=424_242)),))


def a_scene(cast: Cast, kind: str = "photo", frames: int = 1, seed: int = 5) -> Scene:
    """A small scene of that kind, the same for the same seed."""
    return scene(cast, Wish(96, frames, kind), np.random.default_rng(seed))


# ------------------------------------------------------------------ what it is trained on


def test_a_seed_draws_the_same_figure_again_and_another_seed_another_one() -> None:
    first, again, other = (draw_figure(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_figure_is_on_its_sheet_and_not_cut_at_the_border() -> None:
    for figure in draw_figures(20, seed=3):
        alpha = figure[..., 3]
        assert 0.02 < (alpha > 128).mean() < 0.9
        assert max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max()) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_backdrop_fills_its_picture_and_follows_its_seed(kind: str) -> None:
    one, same, other = (backdrop(kind, np.random.default_rng(seed), 48) for seed in (1, 1, 2))
    assert one.shape == (48, 48, 3)
    assert 0 <= one.min() <= one.max() <= 255
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_scene_knows_the_alpha_of_what_it_shows(cast: Cast) -> None:
    made = a_scene(cast)
    assert made.frames.shape == (1, 96, 96, 3)
    assert made.alphas.shape == (1, 2, 96, 96)
    assert (made.alphas[0, 0] > 127).mean() > 0.01


def test_a_clip_moves_and_its_truth_moves_with_it(cast: Cast) -> None:
    made = a_scene(cast, frames=4)
    assert made.frames.shape == (4, 96, 96, 3)
    assert not np.array_equal(made.alphas[0, 0], made.alphas[3, 0])


def test_equal_seeds_make_equal_scenes(cast: Cast) -> None:
    one, same = a_scene(cast, seed=9), a_scene(cast, seed=9)
    assert np.array_equal(one.frames, same.frames)
    assert np.array_equal(one.alphas, same.alphas)


def test_all_variants_of_an_emoji_are_held_out_together() -> None:
    codes = [f"{code:x}" for code in range(0x1F400, 0x1F540)]
    held_out = [code for code in codes if is_held_out(code)]
    assert 0.05 < len(held_out) / len(codes) < 0.2
    assert all(is_held_out(f"{code}-200d-2640") for code in held_out)


def test_art_that_is_not_there_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(NoArt) as told:
        gallery(tmp_path / "noto", tmp_path / "cache")
    assert "icons.json" in str(told.value)
    assert told.value.cure


# ------------------------------------------------------------------ the plan


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_every_plan_spends_all_of_its_time_and_ends_slowly(plan: Plan) -> None:
    assert sum(phase.share for phase in plan.phases) == pytest.approx(1.0)
    assert plan.rate_at(1.0) < 0.05 * plan.rate
    assert max(plan.rate_at(share / 100) for share in range(101)) <= plan.rate


def test_the_phase_follows_from_the_time_that_was_spent() -> None:
    plan = Plan(1e-3, (Phase(0.5, 64, 1), Phase(0.3, 96, 1), Phase(0.2, 128, 1)))
    assert [plan.phase_at(progress) for progress in (0.0, 0.49, 0.5, 0.79, 0.8, 1.0, 1.5)] == [0, 0, 1, 1, 2, 2, 2]


# ------------------------------------------------------------------ training


@needs_torch
def test_training_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    _train(tmp_path, minutes=0.02)
    before = _steps(tmp_path)
    _train(tmp_path, minutes=0.03)
    assert 0 < before < _steps(tmp_path)
    assert (tmp_path / "weights.pt").stat().st_size < 10_000_000


def _train(work: Path, minutes: float) -> None:
    words = ["--work", str(work), "--minutes", str(minutes), "--plan", "trial", "--figures", "4", "--workers", "0"]
    _run("-m", "popcond.vision.miniature.train", *words, home=work)


def _steps(work: Path) -> int:
    code = "import sys, torch; print(torch.load(sys.argv[1], weights_only=True)['steps'])"
    return int(_run("-c", code, str(work / "checkpoint.pt"), home=work))


def _run(*words: str, home: Path) -> str:
    """The program's own process: torch stays out of the one that tests."""
    done = subprocess.run([sys.executable, *words], env=_quiet(home), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _quiet(home: Path) -> dict[str, str]:
    return os.environ | environment(home, threads=1)


# ------------------------------------------------------------------ what is shipped

_TELLS_SIZES_APART = """
import sys
from popcond.vision.miniature.architecture import SHAPES, build, read_weights, shape_of, write_weights

for name, shape in SHAPES.items():
    write_weights(build(shape=shape), sys.argv[1])
    print(name, shape_of(read_weights(sys.argv[1])) == shape, build(sys.argv[1]).training)
"""

_LOADS_BY_NAME = """
import json, sys
from popcond.vision.miniature import WEIGHTS
from popcond.vision.miniature.architecture import build
from ultralytics import SAM

model = SAM(str(WEIGHTS)).model
ours = build(WEIGHTS).state_dict()
same = all(bool((value.cpu() == ours[name]).all()) for name, value in model.state_dict().items())
print(json.dumps([same, sum(value.numel() for value in model.parameters())]))
"""


@needs_torch
def test_a_file_says_by_itself_how_large_its_model_is(tmp_path: Path) -> None:
    told = _run("-c", _TELLS_SIZES_APART, str(tmp_path / "any.pt"), home=tmp_path).splitlines()
    assert told == ["mini True False", "midi True False"]


@needs_torch
def test_ultralytics_loads_the_file_by_its_name_like_any_sam(tmp_path: Path) -> None:
    same, parameters = json.loads(_run("-c", _LOADS_BY_NAME, home=tmp_path).splitlines()[-1])
    assert same
    assert 0.5e6 < parameters < 5e6


def test_the_file_is_small_enough_to_come_with_the_program() -> None:
    assert miniature.WEIGHTS.stat().st_size < 10_000_000


@pytest.fixture(scope="module", name="sam")
async def the_shipped_model(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sam]:
    """In its own process, as the daemon has it."""
    sam = Sam(Weights(miniature.WEIGHTS, MINIATURE), SamOptions(tmp_path_factory.mktemp("mini"), "cpu", threads=1))
    yield sam
    await sam.close()


@needs_torch
@pytest.mark.asyncio(loop_scope="module")
async def test_one_point_finds_drawn_figures_on_plain_backdrops(sam: Sam, cast: Cast) -> None:
    overlaps = [await _overlap_after_one_point(sam, rgb, truth) for rgb, truth in _plain_cases(cast)]
    assert np.mean(overlaps) > 0.75, overlaps


@needs_torch
@pytest.mark.asyncio(loop_scope="module")
async def test_another_point_means_something_else(sam: Sam) -> None:
    rgb, left, right = _two_discs()
    on_the_left = (await sam.mask(Still.of(rgb), Prompt((_middle(left),)))).mask
    on_the_right = (await sam.mask(Still.of(rgb), Prompt((_middle(right),)))).mask
    assert _iou(on_the_left, left) > _iou(on_the_left, right)
    assert _iou(on_the_right, right) > _iou(on_the_right, left)


@needs_torch
@pytest.mark.asyncio(loop_scope="module")
async def test_a_background_point_takes_away_where_it_is_set(sam: Sam, cast: Cast) -> None:
    rgb, truth = next(_plain_cases(cast))
    first = _middle(truth)
    before = (await sam.mask(Still.of(rgb), Prompt((first,)))).mask
    beside = _middle(np.asarray((before > 0) & (truth < 128), np.uint8) * np.uint8(255))
    wrong = Point(beside.x, beside.y, is_foreground=False)
    after = (await sam.mask(Still.of(rgb), Prompt((first, wrong)))).mask
    assert np.count_nonzero(after) < np.count_nonzero(before)
    assert np.all(after <= before)


# ------------------------------------------------------------------ pictures and points


def _plain_cases(cast: Cast) -> Iterator[tuple[Rgb, Alpha]]:
    for number, kind in enumerate(("flat", "gradient", "soft", "flat", "gradient", "soft")):
        wish = Wish(256, 1, kind, company=False, smallest=0.6)
        made = scene(cast, wish, np.random.default_rng([77, number]))
        yield made.frames[0], made.alphas[0, 0]


def _two_discs() -> tuple[Rgb, Alpha, Alpha]:
    rgb = np.full((256, 256, 3), (196, 214, 190), np.uint8)
    masks = []
    for x, colour in ((72, (206, 60, 66)), (186, (48, 84, 190))):
        mask = np.zeros((256, 256), np.uint8)
        cv2.circle(mask, (x, 128), 46, 255, -1)
        rgb[mask > 0] = colour
        masks.append(mask)
    return rgb, masks[0], masks[1]


async def _overlap_after_one_point(sam: Sam, rgb: Rgb, truth: Alpha) -> float:
    answer = await sam.mask(Still.of(rgb), Prompt((_middle(truth),)))
    return _iou(answer.mask, truth)


def _middle(mask: Alpha) -> Point:
    """The place farthest from the mask's border."""
    depth = cv2.distanceTransform(np.pad(mask > 127, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return Point(float(x) + 0.5, float(y) + 0.5)


def _iou(found: Alpha, truth: Alpha) -> float:
    one, other = found > 127, truth > 127
    return int((one & other).sum()) / max(1, int((one | other).sum()))
