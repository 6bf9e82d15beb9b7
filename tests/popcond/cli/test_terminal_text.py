"""Nothing that a stranger named reaches the terminal as a command to it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis.strategies import text

from popcond.cli.terminal_text import printable, sentence
from popcond.errors import BadInput


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ("wave", "wave"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("bell\x07", "bell\\x07"),
        ("\x9b31mred", "\\x9b31mred"),
        ("gnp.\u202eexe", "gnp.\\u202eexe"),
        ("line\u2028break", "line\\u2028break"),
        ("half a pair \ud800", "half a pair \\ud800"),
        ("日本語 ñ 👩\u200d🚀", "日本語 ñ 👩\u200d🚀"),
    ],
)
def test_controls_are_written_out_and_letters_stay(named: str, shown: str) -> None:
    assert printable(named) == shown


@given(text())
def test_what_is_shown_is_always_one_line_without_controls(named: str) -> None:
    shown = printable(named)
    assert len(shown.splitlines()) <= 1
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in shown)


@pytest.mark.parametrize(
    ("message", "cure", "told"),
    [
        ("It broke.", "Mend it.", "It broke. Mend it."),
        ("It broke", "Mend it.", "It broke. Mend it."),
        ("Why?", None, "Why?"),
        ("It broke", None, "It broke."),
    ],
)
def test_message_and_cure_are_sentences_on_one_line(message: str, cure: str | None, told: str) -> None:
    assert sentence(BadInput(message, cure=cure)) == told
