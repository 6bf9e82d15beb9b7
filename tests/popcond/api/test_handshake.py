"""Two programs of different versions: only those that cannot understand each other part, and both say why."""

from __future__ import annotations

import httpx
import pytest

from popcond.client import Client
from popcond.errors import PopconError
from popcond.wire import API_MAX, API_MIN, VERSION, Speaker, disagreement
from tests.daemons import RunningDaemon
from tests.popcond.script_server import answer, scripted

LATER = f"api={API_MAX + 1}-{API_MAX + 2}"


@pytest.mark.parametrize(
    ("client", "daemon", "to_update"),
    [
        ((1, 1), (1, 1), None),
        ((1, 3), (3, 9), None),
        ((3, 9), (1, 3), None),
        ((1, 9), (4, 5), None),
        ((1, 2), (3, 4), "the screen"),
        ((5, 6), (3, 4), "the daemon"),
    ],
)
def test_only_ranges_that_do_not_meet_are_a_reason_to_part(
    client: tuple[int, int], daemon: tuple[int, int], to_update: str | None
) -> None:
    problem = disagreement(Speaker("the screen", "1.0", *client), Speaker("the daemon", "2.0", *daemon))
    if to_update is None:
        assert problem is None
    else:
        assert problem is not None
        assert (problem.cure or "").startswith(f"Update {to_update}")
        assert "1.0" in problem.message
        assert "2.0" in problem.message


def test_what_a_client_says_of_itself_is_read_again() -> None:
    speaker = Speaker("popcon-tui", "0.1.0", 1, 12)
    assert str(speaker) == "popcon-tui/0.1.0 api=1-12"
    assert Speaker.read(str(speaker)) == speaker


UNREADABLE = [
    "",
    "curl",
    "popcond/1.0",
    "popcond/1.0 api=2",
    "popcond/1.0 api=9-8",
    "popcond/1.0 api=-1-9",
    "popcond/1.0  api=2-9",
    f"popcond/1.0 api=8-{'9' * 5000}",
    "popcond/1.0\tapi=8-9",
    "pop cond/1.0 api=8-9",
]


@pytest.mark.parametrize("line", UNREADABLE)
def test_what_cannot_be_read_is_nobody(line: str) -> None:
    assert Speaker.read(line) is None


@pytest.mark.parametrize("line", [*UNREADABLE, f"future/9.9 api={API_MIN}-{API_MAX + 7}"])
def test_whoever_may_understand_is_let_in(daemon: RunningDaemon, line: str) -> None:
    headers = {**daemon.headers, "Popcon-Client": line}
    assert httpx.get(f"{daemon.url}/v1/packs", headers=headers).status_code == 200


def test_a_client_of_the_future_is_told_to_update_the_daemon(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/v1/packs", headers={**daemon.headers, "Popcon-Client": f"future/9.9 {LATER}"})
    assert answer.status_code == 426
    assert answer.json()["code"] == "version_mismatch"
    assert answer.json()["cure"].startswith("Update the daemon")
    assert "future 9.9" in answer.json()["message"]


def test_a_client_of_the_past_is_told_to_update_itself(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/v1/events", headers={**daemon.headers, "Popcon-Client": "past/0.0.1 api=0-0"})
    assert (answer.status_code, answer.json()["cure"]) == (426, "Update past.")


def test_nobody_without_the_token_learns_of_versions(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/v1/packs", headers={"Popcon-Client": f"future/9.9 {LATER}"})
    assert answer.status_code == 401
    assert VERSION not in answer.text


def test_the_version_is_told_to_every_client(daemon: RunningDaemon) -> None:
    headers = {**daemon.headers, "Popcon-Client": f"future/9.9 {LATER}"}
    told = httpx.get(f"{daemon.url}/v1/version", headers=headers)
    assert told.status_code == 200
    assert told.json()["api"] == {"min": API_MIN, "max": API_MAX}
    assert told.json()["schema"].startswith("m00")
    assert {"unix-socket", "token-rotation"} <= set(told.json()["features"])


async def test_the_client_reads_all_of_the_version(client: Client) -> None:
    told = await client.version()
    assert (told.version, told.api) == (VERSION, {"min": API_MIN, "max": API_MAX})
    assert told.schema_name is not None


async def test_the_client_says_who_it_is_and_what_it_speaks() -> None:
    versions = answer(200, {"version": "0", "api": {"min": 1, "max": 1}, "features": []})
    async with scripted(versions) as server, Client(server.url, "token", name="popcon-tui") as client:
        assert (await client.version()).schema_name is None  # an older daemon does not tell it
    assert f"popcon-client: popcon-tui/{VERSION} api={API_MIN}-{API_MAX}\r\n" in server.asked[0].lower()


@pytest.mark.parametrize(("lowest", "highest", "to_update"), [(7, 9, "popcon-tui"), (0, 0, "the daemon")])
async def test_the_client_parts_from_a_daemon_that_it_does_not_understand(
    lowest: int, highest: int, to_update: str
) -> None:
    versions = answer(200, {"version": "9.9", "api": {"min": lowest, "max": highest}, "features": []})
    async with scripted(versions) as server, Client(server.url, "token", name="popcon-tui") as client:
        with pytest.raises(PopconError, match=r"the daemon 9\.9 speaks") as caught:
            await client.shake_hands()
    assert caught.value.code == "version_mismatch"
    assert (caught.value.cure or "").startswith(f"Update {to_update}")


async def test_the_client_stays_with_one_that_it_does_understand(client: Client) -> None:
    assert (await client.shake_hands()).version == VERSION
