"""Whether the daemon is there is anybody's to know; how it is, only the token bearer's."""

from __future__ import annotations

import httpx

from tests.daemons import RunningDaemon


def test_a_daemon_that_can_work_is_ready(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/readyz", headers=daemon.headers, timeout=30)
    told = answer.json()
    assert (answer.status_code, told["status"]) == (200, "ready")
    assert {check["name"] for check in told["checks"]} == {"database", "disk", "workers", "queue"}
    assert all(check["ok"] and check["message"].endswith(".") for check in told["checks"])


def test_how_it_is_wants_the_token(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/readyz")
    assert answer.status_code == 401
    assert "checks" not in answer.text
