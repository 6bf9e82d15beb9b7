"""What there is to choose from: actions, targets, providers; and the daemon's own version."""

from __future__ import annotations

from fastapi import APIRouter

from popcond.api.deps import Uses
from popcond.rehearsal.place import FEATURE, is_rehearsal
from popcond.store.migrations import schema_known
from popcond.targets import TARGETS
from popcond.wire import API_MAX, API_MIN, FEATURES, VERSION, Action, Problem, Provider, Target, Version

router = APIRouter(tags=["catalogue"])


@router.get("/v1/version")
def version(powers: Uses) -> Version:
    """Which program this is, which API versions it speaks, and what it can do. A daemon that runs is at its schema."""
    api = {"min": API_MIN, "max": API_MAX}
    features = (*FEATURES, FEATURE) if is_rehearsal(powers.settings) else FEATURES
    return Version(version=VERSION, api=api, features=features, schema=schema_known()[-1])


@router.get("/v1/actions")
def actions(powers: Uses) -> list[Action]:
    """All that a character can do: the built-in ones and the user's own."""
    return list(powers.catalogue().actions.values())


@router.get("/v1/actions/problems")
def action_problems(powers: Uses) -> list[Problem]:
    """What is wrong with the user's own actions.toml: file, line and cure; all other entries are in use."""
    return list(powers.catalogue().problems)


@router.get("/v1/targets")
async def targets() -> list[Target]:
    """All destinations with their rules."""
    return list(TARGETS.values())


@router.get("/v1/providers")
async def providers(powers: Uses) -> list[Provider]:
    """Everybody who makes clips."""
    return [provider.describe() for provider in powers.providers.values()]
