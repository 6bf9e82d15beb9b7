"""The order of the stages, and what each means for an emoji's status and progress. Pure: no rows, no clocks."""

from __future__ import annotations

from dataclasses import dataclass

from popcond.wire import Stage, Status

ORDER = (Stage.POSE, Stage.ANIMATE, Stage.SLICE, Stage.SEGMENT, Stage.REFINE, Stage.ENCODE)

_STATUS = {
    Stage.POSE: Status.GENERATING_POSE,
    Stage.ANIMATE: Status.GENERATING_VIDEO,
    Stage.SLICE: Status.EXTRACTING_FRAMES,
    Stage.SEGMENT: Status.SEGMENTING,
    Stage.REFINE: Status.AWAITING_REFINEMENT,
    Stage.ENCODE: Status.ENCODING,
}
_STARTS = {
    Stage.POSE: 0.0,
    Stage.ANIMATE: 0.05,
    Stage.SLICE: 0.5,
    Stage.SEGMENT: 0.6,
    Stage.REFINE: 1.0,  # all that the machine can do by itself is done
    Stage.ENCODE: 0.8,
}
_ENDS = {
    Stage.POSE: 0.05,
    Stage.ANIMATE: 0.5,
    Stage.SLICE: 0.6,
    Stage.SEGMENT: 0.8,
    Stage.REFINE: 1.0,
    Stage.ENCODE: 1.0,
}


@dataclass(frozen=True)
class Place:
    """Where an emoji stands."""

    stage: Stage
    status: Status
    progress: float


def queued(stage: Stage) -> Place:
    """A job for the stage waits to be claimed, before anything of it has been done."""
    return Place(stage, Status.QUEUED, progress(stage, 0.0))


def working(stage: Stage) -> Place:
    """The stage is at work."""
    return Place(stage, _STATUS[stage], progress(stage, 0.0))


def done() -> Place:
    """Every sticker is made."""
    return Place(Stage.ENCODE, Status.DONE, 1.0)


def stopped(stage: Stage, status: Status) -> Place:
    """It failed or was cancelled in this stage."""
    return Place(stage, status, progress(stage, 0.0))


def progress(stage: Stage, fraction: float) -> float:
    """0..1 of the whole emoji, when this share of the stage is done."""
    return _STARTS[stage] + (_ENDS[stage] - _STARTS[stage]) * min(max(fraction, 0.0), 1.0)


def awaiting_approval() -> Place:
    """The pose is drawn, and a person looks at it before the clip is bought."""
    return Place(Stage.POSE, Status.AWAITING_APPROVAL, progress(Stage.POSE, 1.0))


def first(*, draw_poses: bool) -> Stage:
    """Where an emoji begins."""
    return Stage.POSE if draw_poses else Stage.ANIMATE


def following(stage: Stage, *, auto_accept: bool) -> Stage | None:
    """What comes after a finished stage; None after the last. REFINE is skipped when nobody is to be asked."""
    if stage is Stage.ENCODE:
        return None
    following_stage = ORDER[ORDER.index(stage) + 1]
    return Stage.ENCODE if following_stage is Stage.REFINE and auto_accept else following_stage


def may_restart_from(stage: Stage) -> bool:
    """Whether a person may ask for this stage again; REFINE has no job, and DRAW is no stage of an emoji."""
    return stage not in (Stage.DRAW, Stage.REFINE)
