"""What a user can set: folders, address, limits. Environment wins over config.toml, which wins over the defaults.

Every setting of config.toml is also an environment variable with the prefix POPCON_; tables are written there as JSON,
lists with commas. Values are read once and never change while a program runs. Secrets are for the environment or for
files of their own: a key in config.toml is refused.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_config_path, user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from popcond.errors import BadSetting
from popcond.wire import Stage

APP = "popcon"
MOST_PICTURE_MB, MOST_CLIP_MB = 256, 1024  # MiB; no setting goes beyond

_PATHS = frozenset({"home", "socket", "dashscope_api_key_file"})
_KEYS = frozenset({"dashscope_api_key"})
_SWITCH = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def config_folder() -> Path:
    """The platform's folder for config.toml and actions.toml; POPCON_CONFIG_FOLDER moves it."""
    return Path(os.environ.get("POPCON_CONFIG_FOLDER") or user_config_path(APP))


class _ConfigFile(TomlConfigSettingsSource):
    """config.toml; a path in it that is no whole one lies beside it, wherever a program was started."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        _refuse_keys(values)
        for name in _PATHS & values.keys():
            if isinstance(values[name], str) and values[name].lower() not in _SWITCH:
                values[name] = config_folder() / Path(values[name]).expanduser()
        return values


def _refuse_keys(values: dict[str, Any]) -> None:
    if any(name.lower() in _KEYS for name in values):
        raise BadSetting(
            f"There is an API key in {config_folder() / 'config.toml'}, which is no place for one.",
            cure="Take it out and run `popcond key set`, which keeps it in a file that only you can read.",
        )


class Settings(BaseSettings):
    """All that may be set; fields carry their meaning and unit."""

    model_config = SettingsConfigDict(env_prefix="POPCON_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path(APP))  # rows, files, runtime file, token
    url: str | None = None  # a client's daemon; None: the one of this home
    token: SecretStr | None = None  # a client's token; None: the token file of this home
    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8765, ge=0, le=65535)  # 0: any free one
    tcp: bool = True  # listen on host and port; False: on the socket alone
    socket: bool | Path = False  # listen on a Unix socket too: True in the home folder, or the path of one
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)  # child processes at once
    worker_memory_mb: int = Field(3072, ge=512)  # address space of one child, MiB
    clips_in_flight: int = Field(12, ge=1, le=64)  # clips asked of providers at once
    most_at_once: dict[Stage, int] = Field(default_factory=dict)  # jobs of one stage at once, below its lane's number
    max_spend_per_pack: float | None = Field(None, ge=0, allow_inf_nan=False)  # a provider's currency; None: no ceiling
    max_spend_per_day: float | None = Field(50.0, ge=0, allow_inf_nan=False)  # … over all packs; None: no ceiling
    segmenter: str | None = None  # weights by name or path, or "classical"; None: the best that is there
    models_mirror: str | None = None  # another place that `popcond models fetch` gets weights from
    segmenter_keep_seconds: float = Field(1800.0, gt=0, allow_inf_nan=False)  # without a click, until they are let go
    dashscope_base_url: str | None = None  # up to and with /api/v1; None: the provider's own
    dashscope_api_key_file: Path | None = None  # mode 0600; None: dashscope.key in the config folder
    dashscope_hosts: Annotated[tuple[str, ...], NoDecode] = ()  # more hosts that results may be downloaded from
    dashscope_settle_seconds: float = Field(90.0, ge=0, allow_inf_nan=False)  # until an unanswered order must be listed
    dashscope_poll_seconds: float = Field(10.0, gt=0, allow_inf_nan=False)  # between two questions about one clip
    dashscope_api_key: SecretStr | None = Field(None, validation_alias="DASHSCOPE_API_KEY")  # see popcond.keys
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["plain", "json"] | None = None  # None: plain on stderr, JSON in the file
    log_to: Literal["stderr", "file"] | None = None  # None: stderr where that is a terminal, else the file
    log_file_mb: int = Field(5, ge=1, le=1024)  # MiB; a log that has grown so far is put aside
    log_files: int = Field(3, ge=1, le=100)  # logs that were put aside and are kept
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

    @field_validator("home", "dashscope_api_key_file")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return path and path.expanduser().absolute()

    @field_validator("socket", mode="before")
    @classmethod
    def _switch_or_path(cls, value: Any) -> Any:
        """`1`, `true`, `on` and their opposites switch; any other text is a path."""
        if isinstance(value, str):
            return _SWITCH.get(value.lower(), value)
        return value

    @field_validator("socket")
    @classmethod
    def _absolute_socket(cls, socket: bool | Path) -> bool | Path:
        return socket if isinstance(socket, bool) else socket.expanduser().absolute()

    @field_validator("dashscope_hosts", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return tuple(filter(None, (host.strip() for host in value.split(",")))) if isinstance(value, str) else value

    @field_validator("most_at_once")
    @classmethod
    def _at_least_one(cls, most: dict[Stage, int]) -> dict[Stage, int]:
        if any(number < 1 for number in most.values()):
            raise ValueError("each stage needs at least 1; pause the queue to stop them all")
        return most

    @model_validator(mode="after")
    def _listens_somewhere(self) -> Settings:
        if not self.tcp and not self.socket:
            raise ValueError("without TCP the daemon needs a socket to listen on")
        return self

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """The settings in force; overrides that are None count as not given. Raises BadSetting with the cure."""
        given = {name: value for name, value in overrides.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            raise _bad_setting(error) from error
        except SettingsError as error:  # a variable that should hold JSON
            raise BadSetting(
                f"A setting of the environment cannot be read: {error}.",
                cure='Write it as JSON, such as {"encode": 2}.',
            ) from error
        except (ValueError, OSError) as error:  # TOML that does not parse, a file that may not be read
            raise BadSetting(
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
    def models(self) -> Path:
        """Segmentation weights that the user fetched."""
        return self.home / "models"

    @property
    def embeddings(self) -> Path:
        """What the segmentation model remembers of frames; may be deleted at any time."""
        return self.home / ".popcon-embeddings"

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
    def socket_file(self) -> Path | None:
        """The Unix socket to listen on; None when there is to be none."""
        if isinstance(self.socket, Path):
            return self.socket
        return self.home / "socket" / "popcond.sock" if self.socket else None

    @property
    def log_file(self) -> Path:
        """What a daemon in the background says."""
        return self.home / "popcond.log"

    @property
    def actions_file(self) -> Path:
        """The user's own actions."""
        return config_folder() / "actions.toml"


def _bad_setting(error: ValidationError) -> BadSetting:
    first = error.errors(include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "tcp"
    why = first["msg"].removeprefix("Value error, ").rstrip(".")
    return BadSetting(
        f"The setting {name!r} is not usable: {why[:1].lower()}{why[1:]}.",
        cure=f"Mend it in {config_folder() / 'config.toml'} or in the environment variable POPCON_{name.upper()}.",
    )
