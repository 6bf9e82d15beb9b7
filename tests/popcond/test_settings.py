"""Settings: arguments over environment over config.toml over defaults, and a sentence for what cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from popcond.errors import BadEntry, BadSetting
from popcond.settings import Settings
from popcond.wire import Stage


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty config folder, and an environment that says nothing."""
    for name in os.environ:
        if name.startswith(("POPCON_", "DASHSCOPE_")):
            monkeypatch.delenv(name)
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


def test_tables_lists_and_switches_of_the_environment_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("POPCON_MOST_AT_ONCE", '{"animate": 2}')
    monkeypatch.setenv("POPCON_DASHSCOPE_HOSTS", "a.example, b.example,")
    settings = Settings.load(home=tmp_path)
    assert settings.most_at_once == {Stage.ANIMATE: 2}
    assert settings.dashscope_hosts == ("a.example", "b.example")
    for word, is_on in (("on", True), ("1", True), ("No", False), ("false", False)):
        monkeypatch.setenv("POPCON_SOCKET", word)
        assert Settings.load(home=tmp_path).socket is is_on


def test_a_socket_is_off_in_the_home_or_where_one_says(config: Path, tmp_path: Path) -> None:
    assert Settings.load().socket_file is None
    assert Settings.load(home=tmp_path, socket=True).socket_file == tmp_path / "socket" / "popcond.sock"
    assert Settings.load(socket=Path("/run/me/pop.sock")).socket_file == Path("/run/me/pop.sock")
    config.write_text('socket = "near/pop.sock"')
    assert Settings.load().socket_file == tmp_path / "near" / "pop.sock"


def test_there_is_a_ceiling_for_a_day_until_somebody_lifts_it() -> None:
    settings = Settings.load()
    assert settings.max_spend_per_day is not None
    assert settings.max_spend_per_pack is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("MOST_AT_ONCE", "animate=2", "JSON"),
        ("MOST_AT_ONCE", '{"encode": 0}', "pause the queue"),
        ("MOST_AT_ONCE", '{"dance": 1}', "most_at_once"),
        ("MAX_SPEND_PER_DAY", "-1", "max_spend_per_day"),
        ("MAX_SPEND_PER_PACK", "inf", "max_spend_per_pack"),
        ("LOG_LEVEL", "loud", "log_level"),
        ("TCP", "off", "socket to listen on"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"POPCON_{name}", value)
    with pytest.raises(BadSetting, match=told) as caught:
        Settings.load()
    assert caught.value.cure


def test_an_api_key_of_the_environment_does_not_show_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-canary-in-a-mine")
    settings = Settings.load()
    assert settings.dashscope_api_key is not None
    assert "canary" not in repr(settings)
    assert "canary" not in settings.model_dump_json()


@pytest.mark.parametrize("name", ["dashscope_api_key", "DASHSCOPE_API_KEY"])
def test_an_api_key_in_the_config_file_is_refused_and_not_repeated(config: Path, name: str) -> None:
    config.write_text(f'{name} = "sk-canary-in-a-mine"')
    with pytest.raises(BadSetting, match="popcond key set") as caught:
        Settings.load()
    assert "canary" not in str(caught.value)
