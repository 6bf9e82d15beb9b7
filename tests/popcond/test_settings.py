"""Settings: arguments over environment over config.toml over defaults, and a sentence for what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.errors import BadEntry
from popcond.settings import Settings


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty config folder, and an environment that says nothing."""
    for name in ("HOME", "URL", "TOKEN", "HOST", "PORT", "WORKERS"):
        monkeypatch.delenv(f"POPCON_{name}", raising=False)
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path))
    return tmp_path / "config.toml"


def test_arguments_win_over_the_environment_and_that_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text("port = 1111\nworkers = 3\n")
    assert (Settings.load().port, Settings.load().workers) == (1111, 3)
    monkeypatch.setenv("POPCON_PORT", "2222")
    assert Settings.load().port == 2222
    assert Settings.load(port=3333).port == 3333
    assert Settings.load(port=None).port == 2222


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    default = Settings.load().home
    monkeypatch.setenv("POPCON_HOME", "")
    assert Settings.load().home == default
    assert default.is_absolute()


def test_a_home_in_the_file_is_the_same_wherever_one_stands(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('home = "here/below"\n')
    monkeypatch.chdir("/")
    assert Settings.load().home == tmp_path / "here" / "below"


@pytest.mark.parametrize(
    ("text", "told"),
    [("port = 99999", "port"), ('workers = "many"', "workers"), ('host = ""', "host"), ("port = = 3", "config.toml")],
)
def test_a_value_that_cannot_be_used_is_named_with_its_cure(config: Path, text: str, told: str) -> None:
    config.write_text(text)
    with pytest.raises(BadEntry, match=told) as caught:
        Settings.load()
    assert caught.value.cure


def test_a_token_does_not_show_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POPCON_TOKEN", "canary-in-a-mine")
    assert "canary" not in repr(Settings.load())
