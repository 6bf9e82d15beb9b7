"""Requests by our own OpenAPI page, fair and unfair, at a real daemon: no 5xx, and no answer that the page leaves out.

Ids and names that exist are mixed in, so that the requests get past the first 404. `python -m tests.attack.api_fuzz
--examples 300` runs at length.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import random
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.attack.outside import complaints
from tests.daemons import RunningDaemon, running_daemon

# The stream never ends, and a rotated token would shut the fuzzer itself out.
LEFT_OUT = {"GET /v1/events", "POST /v1/token/rotate"}
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass
class Outcome:
    """What was asked and answered."""

    statuses: collections.Counter[tuple[str, int]] = field(default_factory=collections.Counter)  # by operation
    faults: dict[str, str] = field(default_factory=dict)  # the first of each operation and kind, and how to repeat it

    @property
    def requests(self) -> int:
        """How many were sent."""
        return self.statuses.total()


def fuzz(daemon: RunningDaemon, examples: int, *, repeatable: bool = True) -> Outcome:
    """Ask every operation so many fair and so many unfair questions."""
    plan = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=repeatable,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    known = _make_things(daemon)
    page = httpx.get(f"{daemon.url}/openapi.json", headers=daemon.headers).json()
    schema = schemathesis.openapi.from_dict(page)
    outcome = Outcome()
    for found, mode in itertools.product(schema.get_all_operations(), MODES):
        operation = found.ok()
        httpx.post(f"{daemon.url}/v1/queue/pause", headers=daemon.headers)  # orders are answered; nobody draws them
        if operation.label not in LEFT_OUT:
            _ask(daemon, operation, mode, known, plan, outcome)
    return outcome


def _ask(
    daemon: RunningDaemon,
    operation: Any,
    mode: GenerationMode,
    known: dict[str, list[Any]],
    plan: settings,
    outcome: Outcome,
) -> None:
    @plan
    @given(case=operation.as_strategy(generation_mode=mode), dice=st.randoms(use_true_random=False))
    def one(case: Any, dice: random.Random) -> None:
        _mix_in(case, known, dice)
        answer = case.call(base_url=daemon.url, headers=daemon.headers, timeout=60)
        outcome.statuses[operation.label, answer.status_code] += 1
        try:
            case.validate_response(answer, checks=list(CHECKS))
        except (Failure, FailureGroup) as failure:
            for fault in failure.exceptions if isinstance(failure, FailureGroup) else (failure,):
                name = f"{operation.label}: {answer.status_code} {type(fault).__name__}"
                outcome.faults.setdefault(name, f"{fault}\n{case.as_curl_command()}\n{answer.text[:500]}")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the fuzzer's own libraries
        try:
            one()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told beside the others
            if "Unsatisfiable" not in type(error).__name__:  # an operation that nothing unfair can be asked
                outcome.faults.setdefault(f"{operation.label}: {type(error).__name__}", str(error))


def _make_things(daemon: RunningDaemon) -> dict[str, list[Any]]:
    """Characters, packs and emojis in several states; answers the values of fields and parameters by their names."""
    known = collections.defaultdict[str, list[Any]](list)
    with httpx.Client(base_url=daemon.url, headers=daemon.headers, timeout=60) as http:
        for number in range(6):
            character = http.post("/v1/characters/sample").json()["id"]
            known["character_id"].append(character)
            for waits in (True, False):
                order = {"name": f"Pack {number}", "character_id": character, "actions": ["wave"], "targets": ["gif"]}
                pack = http.post("/v1/packs", json=order | {"awaits_clips": waits, "auto_accept": True}).json()
                known["pack_id"].append(pack["id"])
                known["emoji_id"].append(pack["emojis"][0]["id"])
        done = known["emoji_id"][1]
        while (emoji := http.get(f"/v1/emojis/{done}").json())["status"] != "done":
            time.sleep(0.1)
        known["sticker_id"] = [sticker["id"] for sticker in http.get(f"/v1/emojis/{done}/stickers").json()]
        known["take_id"] = [take["id"] for take in emoji["takes"]]
    known |= {"target": ["gif", "apng"], "provider": ["puppet"], "model": [None], "index": [0, 1], "width": [32]}
    known |= {"actions": [["wave"], ["jump", "cry"]], "targets": [["gif"], []], "from_stage": ["slice", "encode"]}
    return dict(known)


def _mix_in(case: Any, known: dict[str, list[Any]], dice: random.Random) -> None:
    """In two of three requests, values that exist take the place of invented ones."""
    parts = [case.path_parameters, case.query, case.body]
    for part in parts:
        for name in sorted(known) if isinstance(part, dict) and dice.random() < 0.67 else ():
            if name in part:
                part[name] = dice.choice(known[name])


def table(outcome: Outcome) -> str:
    """Answers by their status, and every fault."""
    by_status = collections.Counter[int]()
    for (_, status), count in outcome.statuses.items():
        by_status[status] += count
    operations = {operation for operation, _ in outcome.statuses}
    answered = {operation for operation, status in outcome.statuses if status < 400}
    lines = [f"{status}  {count:>6}" for status, count in sorted(by_status.items())]
    lines.append(f"{outcome.requests} requests to {len(operations)} operations, {len(outcome.faults)} faults")
    lines.append(f"never answered with success: {', '.join(sorted(operations - answered)) or 'none'}")
    return "\n".join(lines + [f"\nFAULT {name}\n{told}" for name, told in outcome.faults.items()])


def main() -> int:
    """Fuzz at length, print, and say by the exit status whether anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300, help="of each mode for each operation")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_daemon(Path(folder, "home")) as daemon:
        outcome = fuzz(daemon, asked.examples, repeatable=False)
        logged = complaints(daemon.home)
    sys.stdout.write(table(outcome) + f"\nerrors in the log: {len(logged)}\n")
    return 1 if outcome.faults else 0


if __name__ == "__main__":
    sys.exit(main())
