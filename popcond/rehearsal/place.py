"""Where a rehearsal happens: a home of its own, marked for ever, with a key that no real service knows.

A folder with the mark is never served for real, and a folder with real rows never gets the mark. The settings of a
rehearsal hold nothing with which money could be spent: neither the user's key nor the address of a service.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from popcond import keys
from popcond.errors import HomeUnusable
from popcond.settings import Settings
from popcond.video.dashscope_models import BEIJING_URL, Region, region_of

FEATURE = "rehearsal"  # among the features that a daemon names
FOLDER = "rehearsal"  # within the real home
CLIP_SECONDS = 60.0  # what the service needs for a short clip on a good day

_MARK = "rehearsal.json"
_PROVIDER = "dashscope"  # the one that costs money
_POLLS = 12  # questions about one clip while it is made


class Mark(BaseModel):
    """What is written on a rehearsal's home."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    clip_seconds: float = Field(
        default=CLIP_SECONDS, ge=0, allow_inf_nan=False
    )  # from the beginning of a clip to its end
    region: Region = Region.CHINA  # whose prices are quoted


def is_rehearsal(settings: Settings) -> bool:
    """Whether the home of these settings is one for rehearsals."""
    return (settings.home / _MARK).exists()


def read_mark(home: Path) -> Mark:
    """What the mark says; a damaged one is still a mark."""
    try:
        return Mark.model_validate_json((home / _MARK).read_bytes())
    except (OSError, ValidationError):
        return Mark()


def rehearsal_home(settings: Settings, clip_seconds: float | None = None) -> Path:
    """The home for rehearsals that belongs to this one, or this one when it is one; made and marked when needed.

    Raises HomeUnusable for a folder that holds rows already and is not marked: they may be real.
    """
    home = settings.home if is_rehearsal(settings) else settings.home / FOLDER
    marked = home / _MARK
    if not marked.exists() and settings.model_copy(update={"home": home}).database.exists():
        raise HomeUnusable(
            f"{home} holds packs that are no rehearsal.", cure="Move it away, or choose another home with --home."
        )
    try:
        for folder in (settings.home, home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        marked.write_text(_mark(settings, home, clip_seconds).model_dump_json(), encoding="utf-8")
    except OSError as error:
        raise HomeUnusable(
            f"The folder {home} cannot be used: {error.strerror}.", cure="Make it writable for you, or choose --home."
        ) from error
    return home


def rehearsal_settings(settings: Settings, home: Path, base_url: str) -> Settings:
    """The user's settings with everything replaced that leads to real money, or that a real daemon may be using."""
    polls = max(read_mark(home).clip_seconds / _POLLS, 0.2)
    update = {
        "home": home,
        "port": settings.port if "port" in settings.model_fields_set else 0,
        "socket": bool(settings.socket),
        "dashscope_base_url": base_url,
        "dashscope_hosts": (),
        "dashscope_api_key": None,
        "dashscope_api_key_file": key_file(home),
        "dashscope_poll_seconds": min(settings.dashscope_poll_seconds, polls),
    }
    return settings.model_copy(update=update)


def key_file(home: Path) -> Path:
    """Where the rehearsal's own key lies; the settings name it, so that no other is looked for."""
    return home / f"{_PROVIDER}.key"


def read_or_make_key(settings: Settings) -> str:
    """The rehearsal's own key. `settings` are a rehearsal's. Raises ProviderFailed when it cannot be kept."""
    if settings.dashscope_api_key_file is None or not settings.dashscope_api_key_file.exists():
        keys.write(settings, _PROVIDER, f"sk-rehearsal-{secrets.token_hex(16)}")
    found = keys.read(settings, _PROVIDER)
    if found is None:
        raise HomeUnusable(f"{settings.home} has no rehearsal key.", cure="Remove that folder, and start again.")
    return found.secret.get_secret_value()


def _mark(settings: Settings, home: Path, clip_seconds: float | None) -> Mark:
    """What was written before, with what is new; the region is that of the address that is asked when it is real."""
    before = read_mark(home)
    region = before.region if home == settings.home else region_of(settings.dashscope_base_url or BEIJING_URL)
    return Mark(clip_seconds=before.clip_seconds if clip_seconds is None else clip_seconds, region=region)
