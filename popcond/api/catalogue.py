"""What there is to choose from: actions, targets, providers; and the daemon's own version."""

from __future__ import annotations

from fastapi import APIRouter

from popcond.api.deps import Uses
from popcond.targets import TARGETS
from popcond.wire import API_MAX, API_MIN, FEATURES, VERSION, Action, Problem, Provider, Target, Version

router = APIRouter(tags=["catalogue"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Says that somebody is there, and nothing else; needs no token."""
    return {"status": "ok"}


@router.get("/v1/version")
async def version() -> Version:
    """Which program this is, and which wire it speaks."""
    return Version(version=VERSION, api={"min": API_MIN, "max": API_MAX}, features=FEATURES)


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
