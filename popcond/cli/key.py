"""`popcond key`: keeps, names and forgets a provider's API key. A key is never an argument, and never printed."""

from __future__ import annotations

import argparse
import getpass
import sys

from popcond import keys
from popcond.cli.usage import DONE, FAILED, known_names
from popcond.settings import Settings

_MOST_LETTERS = 4096  # of standard input


def run(options: argparse.Namespace) -> int:
    """Returns the exit code; 1 when there is no key to show or to forget."""
    known_names([options.provider], keys.PROVIDERS, "provider that takes a key")
    settings = Settings.load()
    act = {"set": _set, "show": _show, "forget": _forget}[options.what]
    return act(settings, options)


def _set(settings: Settings, options: argparse.Namespace) -> int:
    text = _asked(options.provider)
    if options.keyring:
        keys.write_to_keyring(options.provider, text)
        print("The key is kept in the keyring.", file=sys.stderr)
        found = keys.read(settings, options.provider)
        if found is not None and found.origin != keys.KEYRING:
            print(f"But the one in {found.origin} comes first: remove that file.", file=sys.stderr)
    else:
        print(f"The key is kept in {keys.write(settings, options.provider, text)}.", file=sys.stderr)
    return DONE


def _asked(provider: str) -> str:
    """From a pipe, or typed where nobody sees it."""
    if not sys.stdin.isatty():
        return sys.stdin.read(_MOST_LETTERS)
    return getpass.getpass(f"API key of {provider} (it will not show): ")


def _show(settings: Settings, options: argparse.Namespace) -> int:
    found = keys.read(settings, options.provider)
    if found is None:
        print(f"There is no key for {options.provider}. `popcond key set` asks for one.", file=sys.stderr)
        return FAILED
    print(f"{options.provider}: …{found.ending}, from {found.origin}")
    return DONE


def _forget(settings: Settings, options: argparse.Namespace) -> int:
    gone = keys.forget(settings, options.provider)
    for place in gone:
        print(f"The key is gone from {place}.", file=sys.stderr)
    if settings.dashscope_api_key is not None:
        print("There is one in the environment still: unset DASHSCOPE_API_KEY where you set it.", file=sys.stderr)
    elif not gone:
        print(f"There was no key for {options.provider}.", file=sys.stderr)
    return DONE if gone else FAILED
