"""API keys: found where only their owner can read them, named by their ending, never told."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from popcond import keys
from popcond.cli import main
from popcond.errors import ProviderFailed, UnknownName
from popcond.settings import Settings

CANARY = "sk-canary1234567890abcdef7890"

# A keyring that keeps its one entry in a file, as a package of its own; the system's own would ask a person.
_BACKEND = """
import os, pathlib
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError
class Keyring(KeyringBackend):
    priority = 9
    _path = pathlib.Path(os.environ["KEPT_IN"])
    def get_password(self, service, username):
        return self._path.read_text() if self._path.exists() else None
    def set_password(self, service, username, password):
        self._path.write_text(password)
    def delete_password(self, service, username):
        if not self._path.exists():
            raise PasswordDeleteError("none")
        self._path.unlink()
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty config folder, and an environment without keys and keyrings."""
    for name in os.environ:
        if name.startswith(("POPCON_", "DASHSCOPE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    return tmp_path / "config"


def kept(path: Path, text: str = CANARY, mode: int = 0o600) -> Path:
    """A key file as somebody left it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def found() -> keys.KeyFound | None:
    """What a program that starts now would find."""
    return keys.read(Settings.load(), "dashscope")


def test_without_a_key_there_is_none_and_nobody_is_blamed() -> None:
    assert found() is None


def test_the_file_comes_before_the_environment(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-from-the-environment")
    by_environment = found()
    kept(config / "dashscope.key")
    by_file = found()
    assert by_environment is not None
    assert (by_environment.origin, by_environment.ending) == ("DASHSCOPE_API_KEY", "ment")
    assert by_file is not None
    assert (by_file.origin, by_file.ending) == (str(config / "dashscope.key"), "7890")
    assert by_file.secret == SecretStr(CANARY)


def test_a_named_file_replaces_the_usual_one_and_has_to_be_there(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(config / "dashscope.key", "sk-the-usual-place")
    monkeypatch.setenv("POPCON_DASHSCOPE_API_KEY_FILE", str(tmp_path / "other.key"))
    with pytest.raises(ProviderFailed, match=r"no key file at .*other\.key"):
        found()
    kept(tmp_path / "other.key", f"  {CANARY}\n")
    key = found()
    assert key is not None
    assert key.secret == SecretStr(CANARY)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o622])
def test_a_file_that_others_can_read_or_change_is_refused_with_its_cure(config: Path, mode: int) -> None:
    path = kept(config / "dashscope.key", mode=mode)
    with pytest.raises(ProviderFailed, match="Others on this computer") as caught:
        found()
    assert caught.value.code == "bad_key"
    assert f"chmod 600 {path}" in (caught.value.cure or "")


def test_a_pipe_and_a_folder_in_the_place_of_the_file_make_nobody_wait(config: Path) -> None:
    config.mkdir()
    os.mkfifo(config / "dashscope.key", 0o600)
    with pytest.raises(ProviderFailed, match="is no file"):
        found()
    (config / "dashscope.key").unlink()
    (config / "dashscope.key").mkdir(mode=0o700)
    with pytest.raises(ProviderFailed, match="is no file"):
        found()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no API key"),
        ("canary1234567890", "no API key"),
        ("sk-canary 1234567890", "no API key"),
        ("sk-canary\n1234567890", "no API key"),
        ("sk-cänary1234567890", "no API key"),
        ("sk-canary\x001234567890", "no API key"),
        ("sk-", "no API key"),
        ("sk-sp-canary1234567890", "coding plan"),
    ],
)
def test_what_is_no_key_is_told_without_being_repeated(config: Path, text: str, told: str) -> None:
    kept(config / "dashscope.key", text)
    with pytest.raises(ProviderFailed, match=told) as caught:
        found()
    assert "canary" not in str(caught.value)
    assert str(config / "dashscope.key") in str(caught.value)
    assert caught.value.cure


def test_a_bad_key_is_not_passed_over_for_another_account(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", CANARY)
    kept(config / "dashscope.key", "oops")
    with pytest.raises(ProviderFailed):
        found()


def test_children_inherit_no_secret_but_the_settings_keep_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", CANARY)
    monkeypatch.setenv("POPCON_TOKEN", CANARY)
    settings = Settings.load()
    keys.withdraw(os.environ)
    seen = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ)"], capture_output=True, text=True, check=True
    )
    assert CANARY not in seen.stdout
    key = keys.read(settings, "dashscope")
    assert key is not None
    assert key.secret == SecretStr(CANARY)


def test_a_provider_without_keys_is_no_place_to_look() -> None:
    with pytest.raises(UnknownName, match="puppet takes no key"):
        keys.read(Settings.load(), "puppet")


def test_a_found_key_does_not_show_itself(config: Path) -> None:
    kept(config / "dashscope.key")
    assert CANARY not in repr(found())


# ------------------------------------------------------------------ popcond key


def run(monkeypatch: pytest.MonkeyPatch, *words: str, said: str = "") -> int:
    """The command with something on its standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    return main(["key", *words])


def test_a_key_is_set_shown_by_its_ending_and_forgotten(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config / "dashscope.key"
    assert run(monkeypatch, "show") == 1
    assert run(monkeypatch, "set", said=f"{CANARY}\n") == 0
    assert path.read_text() == f"{CANARY}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert config.stat().st_mode & 0o777 == 0o700
    assert run(monkeypatch, "show", "dashscope") == 0
    assert run(monkeypatch, "forget") == 0
    assert not path.exists()
    assert run(monkeypatch, "forget") == 1
    told = capsys.readouterr()
    assert f"…{CANARY[-4:]}, from {path}" in told.out
    assert CANARY not in told.out + told.err


def test_a_set_key_is_as_private_as_ever_when_the_old_file_was_not(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(config / "dashscope.key", "sk-the-old-one-12345", mode=0o644)
    assert run(monkeypatch, "set", said=CANARY) == 0
    assert (config / "dashscope.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in config.iterdir()] == ["dashscope.key"]


def test_what_is_no_key_is_not_kept_and_the_old_one_stays(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(config / "dashscope.key")
    assert run(monkeypatch, "set", said="my password is canary\n") == 1
    assert (config / "dashscope.key").read_text() == CANARY
    assert "canary" not in capsys.readouterr().err


def test_a_key_is_never_an_argument(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "set", "dashscope", CANARY) == 2
    assert run(monkeypatch, "set", "puppet", said=CANARY) == 2


def test_a_config_folder_that_cannot_be_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("POPCON_DASHSCOPE_API_KEY_FILE", str(tmp_path / "file" / "key"))
    assert run(monkeypatch, "set", said=CANARY) == 1
    assert "cannot be kept" in capsys.readouterr().err


def test_forgetting_says_when_the_environment_still_has_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", CANARY)
    assert run(monkeypatch, "forget") == 1
    assert "unset DASHSCOPE_API_KEY" in capsys.readouterr().err


# ------------------------------------------------------------------ the keyring, an extra


def in_keyring(tmp_path: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, whose keyring is a file."""
    (tmp_path / "file_keyring.py").write_text(_BACKEND)
    environment = {
        **os.environ,
        "PYTHON_KEYRING_BACKEND": "file_keyring.Keyring",
        "PYTHONPATH": str(tmp_path),
        "KEPT_IN": str(tmp_path / "kept"),
    }
    command = [sys.executable, "-m", "popcond", "key", *words]
    return subprocess.run(command, input=said, capture_output=True, text=True, env=environment, check=False)


def test_the_keyring_keeps_it_and_a_file_comes_first(config: Path, tmp_path: Path) -> None:
    assert in_keyring(tmp_path, "set", "--keyring", said=CANARY).returncode == 0
    assert (tmp_path / "kept").read_text() == CANARY
    shown = in_keyring(tmp_path, "show")
    assert (shown.returncode, shown.stdout) == (0, f"dashscope: …{CANARY[-4:]}, from the keyring\n")
    kept(config / "dashscope.key", "sk-of-the-file-0000")
    assert "dashscope.key comes first" in in_keyring(tmp_path, "set", "--keyring", said=CANARY).stderr
    assert "…0000, from /" in in_keyring(tmp_path, "show").stdout
    gone = in_keyring(tmp_path, "forget")
    assert gone.returncode == 0
    assert not (tmp_path / "kept").exists()
    assert not (config / "dashscope.key").exists()


def test_a_keyring_that_does_not_work_is_passed_over_when_looking_and_told_when_asked_for(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "DASHSCOPE_API_KEY": CANARY}
    command = [sys.executable, "-m", "popcond", "key"]
    shown = subprocess.run([*command, "show"], capture_output=True, text=True, env=broken, check=False)
    assert (shown.returncode, shown.stdout) == (0, f"dashscope: …{CANARY[-4:]}, from DASHSCOPE_API_KEY\n")
    kept_not = subprocess.run(
        [*command, "set", "--keyring"], input=CANARY, capture_output=True, text=True, env=broken, check=False
    )
    assert kept_not.returncode == 1
    assert "Leave --keyring away" in kept_not.stderr
    assert not config.exists()


def test_looking_for_a_key_in_a_file_does_not_load_the_keyring(config: Path) -> None:
    kept(config / "dashscope.key")
    program = (
        "import sys; from popcond import keys; from popcond.settings import Settings;"
        "assert keys.read(Settings.load(), 'dashscope'); assert 'keyring' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
