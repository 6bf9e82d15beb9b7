"""The command line as people type it, and the help that teaches it."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Iterator

import pytest

from popcond.cli import main
from popcond.cli.options import build_parser, parse
from popcond.cli.parser import Parser
from popcond.cli.usage import WrongUsage


def test_the_main_job_reads_as_it_is_written() -> None:
    line = "make hero.png --actions wave,jump --target line-emoji --target gif --out pack --json"
    options = parse(line.split())
    assert (str(options.picture), options.actions, options.targets) == (
        "hero.png",
        ["wave,jump"],
        ["line-emoji", "gif"],
    )
    assert (options.provider, options.refine, options.remove_background) == ("puppet", "auto", "auto")
    assert options.json


def test_clips_come_with_their_actions() -> None:
    line = "import a.mp4 b.gif --character hero.png --action wave --action jump"
    options = parse(line.split())
    assert [str(clip) for clip in options.clips] == ["a.mp4", "b.gif"]
    assert options.action == ["wave", "jump"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "There is no command"),
        ("mkae --sample", "Did you mean make"),
        ("make --sample", "--actions"),
        ("make --sample --actions wave --refine maybe", "maybe"),
        ("make --sample --actions wave --max-spend -1", "max-spend"),
        ("make --sample --actions wave --max-spend nan", "max-spend"),
        ("make --sample --actions wave --max-spend x", "'x' is no number of 0 or more"),
        ("make --sample --actions wave --jso", "--jso"),
        ("make --sample --act wave", "--act"),
        ("status --jso", "--jso"),
        ("serve --port x", "'x' is no port"),
        ("serve --port 70000", "'70000' is no port"),
        ("serve --linger soon", "linger"),
        ("token --verbose", "--verbose"),
    ],
)
def test_a_wrong_word_is_named_and_the_help_is_near(words: str, says: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        parse(words.split())
    assert says in str(caught.value)
    assert "_amount" not in str(caught.value)
    assert caught.value.cure


def test_wrong_usage_ends_with_2_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "--sample"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("popcond: ")


def test_wrong_usage_is_json_too_when_json_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["make", "--sample", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["problems"][0]["code"] == "wrong_usage"


def test_the_version_is_data(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("popcond 0.")


def test_every_option_has_one_sentence_of_help() -> None:
    _, commands = build_parser()
    assert {"make", "import", "accept", "resume", "serve", "status", "token"} <= set(commands)
    for name, parser in _with_verbs(commands):
        for option in _own_options(parser):
            text = option.help or ""
            assert text[:1].isupper(), f"{name} {option.dest}: {text!r}"
            assert text.endswith("."), f"{name} {option.dest}: {text!r}"


def _with_verbs(commands: dict[str, Parser]) -> Iterator[tuple[str, Parser]]:
    for name, parser in commands.items():
        yield name, parser
        for option in parser._actions:
            if isinstance(option, argparse._SubParsersAction):
                yield from ((f"{name} {verb}", each) for verb, each in option.choices.items())


def _own_options(parser: Parser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.dest != "help"]


def test_the_help_teaches_with_examples_that_parse(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("make", "import", "approve", "retry", "character"):
        with pytest.raises(SystemExit):
            main([name, "--help"])
        help_text = capsys.readouterr().out
        examples = [line.strip() for line in help_text.splitlines() if line.startswith("  popcond ")]
        assert examples
        for example in examples:
            assert parse(shlex.split(example.partition("|")[0])[1:]).module
