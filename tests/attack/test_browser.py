"""A page in a real browser learns nothing from a daemon on this computer and changes nothing in it.

The same pages learn and change a lot from a careless server, so the test can fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.attack import browser
from tests.attack.browser import BARE, NAMED, Scenario, Verdicts
from tests.attack.outside import rows
from tests.daemons import running_daemon

pytestmark = pytest.mark.skipif(browser.program() is None, reason="no Chromium here: apt-get install chromium")

PAGES = ("another port", "a rebound name", "a rebound name without a port")
# What even a careless server does not tell: a beacon has no answer, and what another origin's frame or window shows is
# the browser's secret. Whether these reach the target is judged at the target.
NEVER_TOLD = {"sendBeacon", "service worker of the target"}
TOLD_AT_HOME = {"iframe", "iframe of health", "window.open"} | {
    f"form {kind}" for kind in ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
}


@dataclass(frozen=True)
class Outcome:
    """What all pages learned, and what became of their targets."""

    of_daemon: dict[str, Verdicts]
    of_toy: dict[str, Verdicts]
    rows_before: dict[str, str]
    rows_after: dict[str, str]
    changes_of_toy: list[str]
    hosts: set[str]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Every page against the daemon, then against the toy, in one browser."""
    folder = tmp_path_factory.mktemp("browser")
    with (
        running_daemon(folder / "home") as daemon,
        browser.page_server() as pages,
        browser.toy() as toy,
        browser.relay(browser.url_of(pages), daemon.url) as to_daemon,
        browser.relay(browser.url_of(pages), browser.url_of(toy)) as to_toy,
    ):
        before = rows(daemon.home)
        own = browser.url_of(pages)
        told = {}
        for index, (target, relay) in enumerate(((daemon.url, to_daemon), (browser.url_of(toy), to_toy))):
            scenarios = (
                Scenario(PAGES[0], own, target),
                Scenario(PAGES[1], f"http://{NAMED}:{relay.port}", ""),
                Scenario(PAGES[2], f"http://{BARE}", ""),
            )
            rules = f"MAP {NAMED} 127.0.0.1, MAP {BARE} 127.0.0.1:{relay.port}"
            told[target] = browser.attacked(pages, scenarios, daemon.token, rules, folder / f"profile-{index}")
        yield Outcome(
            told[daemon.url], told[browser.url_of(toy)], before, rows(daemon.home), toy.changes, to_daemon.hosts
        )


@pytest.mark.parametrize("page", PAGES)
def test_a_page_learns_nothing(outcome: Outcome, page: str) -> None:
    assert {name: told for name, told in outcome.of_daemon[page].items() if told} == {}


@pytest.mark.parametrize("page", PAGES)
def test_the_same_page_learns_everything_from_a_careless_server(outcome: Outcome, page: str) -> None:
    silent = NEVER_TOLD | (TOLD_AT_HOME if page == PAGES[0] else set())
    assert {name for name, told in outcome.of_toy[page].items() if not told} <= silent


def test_a_page_changes_nothing(outcome: Outcome) -> None:
    assert outcome.rows_after == outcome.rows_before


def test_the_same_page_changes_a_careless_server(outcome: Outcome) -> None:
    kinds = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
    assert {change for change in outcome.changes_of_toy if change.startswith("POST")} >= {
        f"POST {kind}" for kind in kinds
    }
    assert {change.split()[0] for change in outcome.changes_of_toy} == {"POST", "DELETE", "PATCH"}


def test_the_rebound_names_did_reach_the_daemon(outcome: Outcome) -> None:
    assert BARE in outcome.hosts
    assert any(host.startswith(f"{NAMED}:") for host in outcome.hosts)
