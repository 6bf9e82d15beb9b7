"""How much a person should look: near nothing on an easy clip, and at once where something is wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Rgb
from popcond.vision.attention import Sight, Watch, disagreement
from tests.composites import Behind, laid_on, phases, scene

SIZE, COUNT = 256, 8


@pytest.fixture(scope="module")
def clip() -> tuple[list[Rgb], list[Alpha]]:
    drawn = [scene("flat", phase, size=SIZE, effects=("tears", "hearts")).rgba for phase in phases(COUNT)]
    frames = [laid_on(rgba, Behind((70, 150, 100), grain=1.0), n / COUNT, seed=n) for n, rgba in enumerate(drawn)]
    return frames, [rgba[..., 3] for rgba in drawn]


def _attention(frames: list[Rgb], alphas: list[Alpha], doubt: float = 0.0) -> list[float]:
    """Of every frame of a clip, in order."""
    watch = Watch()
    sights = [Sight.of(rgb, alpha) for rgb, alpha in zip(frames, alphas, strict=True)]
    given = []
    for n, (now, alpha) in enumerate(zip(sights, alphas, strict=True)):
        before, after = sights[n - 1] if n else None, sights[n + 1] if n + 1 < len(sights) else None
        body = float(np.count_nonzero(alpha >= 128)) / alpha.size
        given.append(watch.attention(before, now, after, body=body, doubt=doubt))
    return given


def test_a_character_that_moves_and_its_effects_are_no_alarm(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    assert max(_attention(*clip)) < 0.15


def test_a_part_lost_in_one_frame_is_seen_there_and_not_beside_it(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    frames, alphas = clip[0], [alpha.copy() for alpha in clip[1]]
    alphas[4][: SIZE // 2, SIZE // 2 + 45 :] = 0  # the raised arm
    given = _attention(frames, alphas)
    assert given[4] > 0.3
    assert given[4] == max(given)
    assert max(given[3], given[5]) < 0.15


def test_a_patch_won_in_one_frame_is_seen(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    frames, alphas = clip[0], [alpha.copy() for alpha in clip[1]]
    cv2.circle(alphas[3], (50, 60), 30, 255, -1)
    given = _attention(frames, alphas)
    assert given[3] > 0.4
    assert max(given[2], given[4]) < 0.15


def test_a_border_that_is_touched_of_a_sudden_is_seen(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    frames, alphas = clip[0], [alpha.copy() for alpha in clip[1]]
    alphas[5][-3:] = 255
    assert _attention(frames, alphas)[5] > 0.5


def test_an_empty_mask_and_a_full_one_are_seen(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    frames, alphas = clip[0], [alpha.copy() for alpha in clip[1]]
    alphas[2][:] = 0
    alphas[6][:] = 255
    given = _attention(frames, alphas)
    assert min(given[2], given[6]) > 0.85


def test_an_engine_that_doubts_is_believed(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    assert min(_attention(*clip, doubt=0.7)) >= 0.7


def test_a_single_frame_is_judged_too(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    assert _attention(clip[0][:1], clip[1][:1]) == [pytest.approx(0.0, abs=0.05)]


def test_two_engines_that_differ_by_an_edge_agree_and_by_an_arm_do_not(clip: tuple[list[Rgb], list[Alpha]]) -> None:
    mask = clip[1][0]
    thinner = np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8)), np.uint8)
    armless = mask.copy()
    armless[: SIZE // 2, SIZE // 2 + 45 :] = 0
    assert disagreement(mask, thinner) < 0.1
    assert disagreement(mask, armless) > disagreement(mask, thinner)
    assert disagreement(mask, np.zeros_like(mask)) == 1.0
    assert disagreement(np.zeros_like(mask), np.zeros_like(mask)) == 0.0
