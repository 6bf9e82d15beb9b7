"""The order of the stages and what each means for a person."""

from __future__ import annotations

import itertools

import pytest

from popcond import pipeline
from popcond.wire import Stage, Status


def test_a_person_is_asked_before_the_stickers_are_made() -> None:
    assert pipeline.following(Stage.SEGMENT, auto_accept=False) is Stage.REFINE
    assert pipeline.following(Stage.SEGMENT, auto_accept=True) is Stage.ENCODE


def test_every_stage_leads_to_the_last() -> None:
    stage: Stage | None = Stage.POSE
    seen = []
    while stage is not None:
        seen.append(stage)
        stage = pipeline.following(stage, auto_accept=False)
    assert seen == list(pipeline.ORDER) == [each for each in Stage if each is not Stage.DRAW]


def test_waiting_for_a_person_counts_as_generated() -> None:
    assert pipeline.working(Stage.REFINE) == pipeline.Place(Stage.REFINE, Status.AWAITING_REFINEMENT, 1.0)


@pytest.mark.parametrize("stage", [stage for stage in pipeline.ORDER if stage is not Stage.REFINE])
def test_progress_grows_within_a_stage_and_never_leaves_its_bounds(stage: Stage) -> None:
    steps = [pipeline.progress(stage, fraction) for fraction in (-1.0, 0.0, 0.5, 1.0, 7.0)]
    assert steps == sorted(steps)
    assert all(0.0 <= step <= 1.0 for step in steps)


def test_progress_does_not_fall_from_stage_to_stage_without_a_person() -> None:
    order = [stage for stage in pipeline.ORDER if stage is not Stage.REFINE]
    for before, after in itertools.pairwise(order):
        assert pipeline.progress(after, 0.0) >= pipeline.progress(before, 1.0)
