"""What a user can set: folders, address, limits. Environment wins over config.toml, which wins over the defaults.

Every setting of config.toml is also an environment variable with the prefix POPCON_. Values are read once and never
change while a program runs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from popcond.errors import BadEntry

APP = "popcon"
MOST_PICTURE_MB, MOST_CLIP_MB = 256, 1024  # MiB; no setting goes beyond


def config_folder() -> Path:
    """The platform's folder for config.toml and actions.toml; POPCON_CONFIG_FOLDER moves it."""
    return Path(os.environ.get("POPCON_CONFIG_FOLDER") or user_config_path(APP))


class _ConfigFile(TomlConfigSettingsSource):
    """config.toml; a home in it that is no whole path lies beside it, wherever a program was started."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        if isinstance(values.get("home"), str):
            values["home"] = config_folder() / Path(values["home"]).expanduser()
        return values


class Settings(BaseSettings):
    """All that may be set; fields carry their meaning and unit."""

    model_config = SettingsConfigDict(env_prefix="POPCON_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path(APP))  # rows, files, runtime file, token
    url: str | None = None  # a client's daemon; None: the one of this home
    token: SecretStr | None = None  # a client's token; None: the token file of this home
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8765, ge=0, le=65535)  # 0: any free one
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)  # child processes at once
    worker_memory_mb: int = Field(3072, ge=512)  # address space of one child, MiB
    clips_in_flight: int = Field(4, ge=1, le=64)  # clips asked of providers at once
    max_picture_mb: int = Field(64, ge=1, le=MOST_PICTURE_MB)  # an uploaded picture, MiB
    max_clip_mb: int = Field(512, ge=1, le=MOST_CLIP_MB)  # an uploaded clip, MiB

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then config.toml; no .env files."""
        return init_settings, env_settings, _ConfigFile(settings_cls, toml_file=config_folder() / "config.toml")

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """The settings in force; overrides that are None count as not given. Raises BadEntry with the cure."""
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            raise _bad_setting(error) from error
        except ValueError as error:  # TOML that does not parse
            raise BadEntry(
                f"{config_folder() / 'config.toml'} cannot be read: {error}.",
                cure="Mend that line, or move the file away.",
            ) from error

    @property
    def database(self) -> Path:
        """The one SQLite file."""
        return self.home / "popcon.db"

    @property
    def assets(self) -> Path:
        """Files by SHA-256."""
        return self.home / "assets"

    @property
    def work(self) -> Path:
        """Scratch space of running jobs; emptied at every start."""
        return self.home / ".popcon-work"

    @property
    def token_file(self) -> Path:
        """The bearer token, mode 0600."""
        return self.home / "token"

    @property
    def runtime_file(self) -> Path:
        """Where the running daemon listens."""
        return self.home / "runtime.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one daemon of this home."""
        return self.home / "popcond.lock"

    @property
    def log_file(self) -> Path:
        """What a daemon in the background says."""
        return self.home / "popcond.log"

    @property
    def actions_file(self) -> Path:
        """The user's own actions."""
        return config_folder() / "actions.toml"


def _bad_setting(error: ValidationError) -> BadEntry:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    return BadEntry(
        f"The setting {name!r} is not usable: {first['msg'].lower()}.",
        cure=f"Mend it in {config_folder() / 'config.toml'} or in the environment variable POPCON_{name.upper()}.",
    )
