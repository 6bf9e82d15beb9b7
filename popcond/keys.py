"""API keys: where they may lie, and that nobody else can read them there.

Looked for in this order: a file of mode 0600, the system's keyring (with the extra `keyring`), the environment. A file
is read anew each time, so that `popcond key set` counts at once. Nothing here prints a key, puts one into an error, or
leaves one where child processes would inherit it.
"""

from __future__ import annotations

import logging
import os
import secrets
import stat
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pydantic import SecretStr

from popcond.errors import ProviderFailed, UnknownName
from popcond.settings import APP, Settings, config_folder

log = logging.getLogger("popcond.keys")

PROVIDERS = ("dashscope",)  # those that want a key
KEYRING = "the keyring"  # as an origin

_MOST_BYTES = 4096  # of a key file
_LEAST_LETTERS = 10  # of a key
_SECRET_VARIABLES = ("DASHSCOPE_API_KEY", "POPCON_DASHSCOPE_API_KEY", "POPCON_TOKEN")


@dataclass(frozen=True)
class KeyFound:
    """A key of usable shape, and where it was."""

    secret: SecretStr
    origin: str  # for a person: the file's path, "the keyring", or the variable's name

    @property
    def ending(self) -> str:
        """The last 4 characters, by which a person knows it again."""
        return self.secret.get_secret_value()[-4:]


def read(settings: Settings, provider: str) -> KeyFound | None:
    """The provider's key; None when there is none anywhere. Raises ProviderFailed (`bad_key`) for one that is no good.

    One that is no good hides those that come after it: silently taking another could spend from the wrong account.
    """
    for look in (_from_file, _from_keyring, _from_environment):
        text, origin = look(settings, provider)
        if text is not None:
            return KeyFound(SecretStr(checked(text, origin)), origin)
    return None


def withdraw(environment: MutableMapping[str, str]) -> None:
    """Take every secret out of an environment that children will inherit; the settings hold them already."""
    for name in _SECRET_VARIABLES:
        environment.pop(name, None)


def key_file(settings: Settings, provider: str) -> Path:
    """Where the provider's key lies when it lies in a file. Raises UnknownName."""
    if provider not in PROVIDERS:
        raise UnknownName(f"{provider} takes no key.", cure=f"Known: {', '.join(PROVIDERS)}.")
    return settings.dashscope_api_key_file or config_folder() / f"{provider}.key"


def checked(text: str, origin: str) -> str:
    """The key without the gaps around it. Raises ProviderFailed when it has not the shape of one."""
    key = text.strip()
    if not (key.startswith("sk-") and len(key) >= _LEAST_LETTERS and all("!" <= letter <= "~" for letter in key)):
        raise _bad(
            f"What {origin} holds is no API key.", "Keys begin with sk- and have no gaps: copy it again, whole, alone."
        )
    if key.startswith("sk-sp-"):
        raise _bad(
            f"{origin} holds the key of a coding plan, and such plans forbid automated back-ends like this one.",
            "Make a pay-as-you-go key (sk-…) in the Model Studio console.",
        )
    return key


def write(settings: Settings, provider: str, text: str) -> Path:
    """Keep a key in its file, whole or not at all, readable by its owner only. Raises ProviderFailed."""
    path = key_file(settings, provider)
    key = checked(text, "the input")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise _bad(
            f"The key cannot be kept in {path}: {error.strerror}.", "Make the folder writable for you."
        ) from error
    return path


def write_to_keyring(provider: str, text: str) -> None:
    """Keep a key in the system's keyring. Raises ProviderFailed when there is none that works."""
    key, keyring = checked(text, "the input"), _keyring()
    if keyring is None:
        raise _bad("The extra for keyrings is not installed.", "Install it with `pip install 'popcon[keyring]'`.")
    try:
        keyring.set_password(APP, provider, key)
    except Exception as error:
        raise _bad(
            f"The keyring does not take it ({type(error).__name__}).", "Leave --keyring away: a file keeps it then."
        ) from error


def forget(settings: Settings, provider: str) -> tuple[str, ...]:
    """Remove the key from file and keyring; answers from where it went. Raises ProviderFailed."""
    gone = []
    path = key_file(settings, provider)
    try:
        path.unlink()
        gone.append(str(path))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _bad(f"{path} cannot be removed: {error.strerror}.", "Remove it yourself.") from error
    keyring = _keyring()
    if keyring is not None:
        with suppress(Exception):  # one that does not work has nothing to forget
            if keyring.get_password(APP, provider) is not None:
                keyring.delete_password(APP, provider)
                gone.append(KEYRING)
    return tuple(gone)


def _from_file(settings: Settings, provider: str) -> tuple[str | None, str]:
    path = key_file(settings, provider)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not make anybody wait
    except FileNotFoundError as error:
        if settings.dashscope_api_key_file is None:
            return None, str(path)
        raise _bad(f"There is no key file at {path}.", "Run `popcond key set`, or take the setting away.") from error
    except OSError as error:
        raise _bad(f"The key file {path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    try:
        _refuse_a_public_file(path, os.fstat(handle))
        return os.read(handle, _MOST_BYTES).decode("ascii", errors="replace"), str(path)
    finally:
        os.close(handle)


def _refuse_a_public_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _bad(f"{path} is no file.", "Put the key into a file of its own: `popcond key set` does.")
    if found.st_mode & 0o077 or found.st_uid not in (os.geteuid(), 0):
        raise _bad(
            f"Others on this computer can read the key file {path}.",
            f"Run `chmod 600 {path}` as its owner; if they are strangers, make a new key as well.",
        )


def _from_keyring(_settings: Settings, provider: str) -> tuple[str | None, str]:
    keyring = _keyring()
    if keyring is None:
        return None, ""
    try:
        return keyring.get_password(APP, provider), KEYRING
    except Exception as error:  # noqa: BLE001 - a computer without a screen has the package but no keyring behind it
        log.debug("the keyring does not answer: %s", type(error).__name__)
        return None, ""


def _keyring() -> ModuleType | None:
    """The optional package; it is slow to load, so only who asks for a key pays for it."""
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def _from_environment(settings: Settings, _provider: str) -> tuple[str | None, str]:
    found = settings.dashscope_api_key
    return (found.get_secret_value() if found else None), "DASHSCOPE_API_KEY"


def _bad(message: str, cure: str) -> ProviderFailed:
    return ProviderFailed(message, cure=cure, code="bad_key")
