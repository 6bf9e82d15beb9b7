"""The road to the paid provider: its address, whether it answers, the key, and its clock. Nothing is ever bought.

Without being told to go online, nothing leaves this computer: a check-up must not tell anybody that it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from pydantic import SecretStr

from popcond import keys
from popcond.doctor.finding import Finding
from popcond.errors import BadSetting, ProviderFailed
from popcond.rehearsal.place import is_rehearsal
from popcond.settings import Settings
from popcond.video.dashscope_models import BEIJING_URL
from popcond.video.dashscope_reach import CLOCKS_APART, Place, other_regions, place_of, reach

_ADDRESS, _REACH, _CLOCK = "dashscope-url", "dashscope-reach", "dashscope-clock"


def check_paid_road(settings: Settings, *, online: bool) -> Iterator[Finding]:
    """Its address always; with `online` one question that costs nothing, where there is a key to ask with."""
    if is_rehearsal(settings):
        yield Finding(_REACH, True, "This home is for rehearsals: no real service is asked, and nothing is billed.")
        return
    try:
        place = place_of(settings.dashscope_base_url or BEIJING_URL)
    except BadSetting as error:
        yield Finding(_ADDRESS, False, error.message, error.cure)
        return
    yield _address(place)
    key = _key(settings)
    if key is not None:
        yield from _asked(place, key) if online else [_not_asked()]


def _address(place: Place) -> Finding:
    told = f"Paid clips are ordered from DashScope, {place.name}."
    doubt = "PopCon knows no such place of it. The key is sent there: make sure that you trust it."
    return Finding(_ADDRESS, True, told, None if place.is_known else doubt)


def _not_asked() -> Finding:
    return Finding(
        _REACH, True, "Whether DashScope takes the key was not asked.", "`popcond doctor --online` does; it is free."
    )


def _asked(place: Place, key: SecretStr) -> Iterator[Finding]:
    reached = asyncio.run(reach(place, key, other_regions(place)))
    yield Finding(_REACH, reached.is_usable, reached.message, reached.cure)
    if reached.clock_ahead is not None:
        yield _clock(reached.clock_ahead)


def _clock(ahead: float) -> Finding:
    if abs(ahead) <= CLOCKS_APART:
        return Finding(_CLOCK, True, "The clock agrees with DashScope's.")
    told = f"The clock is {abs(ahead) / 60:.0f} minutes {'ahead of' if ahead > 0 else 'behind'} DashScope's."
    cure = "Set the computer's clock: an order whose answer is lost could not be found again by its time."
    return Finding(_CLOCK, False, told, cure)


def _key(settings: Settings) -> SecretStr | None:
    """None when there is none that can be used; why is told by the check of the keys."""
    try:
        found = keys.read(settings, "dashscope")
    except ProviderFailed:
        return None
    return found.secret if found else None
