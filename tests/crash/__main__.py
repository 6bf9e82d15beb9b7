"""`python -m tests.crash --kills 200`: kills at random moments and named points, with a provider that misbehaves.

Prints the table of the README; the exit status is 1 when there is anything to complain about.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from popcond.crash import POINTS
from tests.cloud.running import Cloud, running_cloud
from tests.crash.judge import Verdict, judge
from tests.crash.trial import ACTIONS, Trial

_MOST_OPEN = 6  # packs that wait while another one is ordered
_TROUBLE: tuple[
    tuple[str, str, dict[str, Any]], ...
] = (  # route, kind and more of what goes wrong over there now and then
    ("create", "drop_after", {}),
    ("create", "drop_before", {}),
    ("create", "error_after", {}),
    ("create", "error_before", {"status": 429, "code": "Throttling.RateQuota", "retry_after": "1"}),
    ("create", "slow_after", {"seconds": 2.5}),
    ("query", "error_before", {"status": 500}),
    ("query", "drop_before", {}),
    ("list", "error_before", {"status": 503}),
    ("result", "truncated", {}),
)
_FATAL = ("lost", "doubled", "orphaned", "unsettled", "forgotten", "leftovers", "damage")


async def _run(folder: Path, kills: int, chance: random.Random) -> tuple[Verdict, Counter[str]]:
    died: Counter[str] = Counter()
    with running_cloud(folder / "cloud") as cloud:
        trial = Trial(folder / "home", cloud)
        async with trial.life() as life:
            await trial.order(life, *ACTIONS[:2])
        for number in range(kills):
            _misbehave(cloud, chance, number)
            died[await _one_life(trial, chance, number)] += 1
            if sys.stderr.isatty():
                print(f"\r{number + 1} of {kills}", end="", file=sys.stderr)
        return judge(trial, await trial.finish(within=600.0)), died


def _misbehave(cloud: Cloud, chance: random.Random, number: int) -> None:
    cloud.turn(run_seconds=chance.choice((0.0, 0.1, 1.0)), list_lag=chance.choice((0.0, 0.0, 1.0)))
    if chance.random() < 0.5:
        route, kind, more = chance.choice(_TROUBLE)
        cloud.fault(route, kind, **more)
    if number % 10 == 9:
        cloud.order_elsewhere(f"Somebody else's character does something, number {number}.")


async def _one_life(trial: Trial, chance: random.Random, number: int) -> str:
    """Live for a while and die; answers of what."""
    point = f"{chance.choice(POINTS)}:{chance.choice((1, 1, 1, 2, 3))}" if chance.random() < 0.35 else ""
    async with trial.life(POPCON_CRASH_AT=point) as life:
        if len(trial.ordered) < _MOST_OPEN or number % 3 == 0:
            await trial.order(life, *chance.sample(ACTIONS, chance.choice((1, 2))))
        if chance.random() < 0.9:  # the others may die while they start
            await life.url()
        give_up_at = time.monotonic() + chance.uniform(0.0, 6.0 if point else 2.0)
        while life.is_alive and time.monotonic() < give_up_at:
            await asyncio.sleep(0.01)
        if not life.is_alive:
            status = await life.death()
            return f"at {point.partition(':')[0]}" if status == -signal.SIGKILL else f"by itself, status {status}"
        number_of_signal = chance.choice((signal.SIGKILL,) * 5 + (signal.SIGTERM,))
        await life.end(number_of_signal)
        return "at random, killed" if number_of_signal is signal.SIGKILL else "at random, told to stop"


def _table(verdict: Verdict, died: Counter[str], seconds: float) -> str:
    counts = {name: len(getattr(verdict, name)) for name in _FATAL}
    rows = [
        f"| daemons that died | {sum(died.values())} |",
        *(f"| … {how} | {times} |" for how, times in sorted(died.items())),
        f"| emojis ordered | {verdict.emojis} |",
        f"| clips bought | {verdict.accepted} |",
        *(f"| {name} | {count} |" for name, count in counts.items()),
        f"| minutes | {seconds / 60:.1f} |",
    ]
    return "\n".join(("| | |", "| --- | ---: |", *rows))


def main() -> int:
    """Run, print, answer."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="repeat a run's choices (not its timing)")
    parser.add_argument("--keep", type=Path, default=None, help="a folder in which home and ledger are left to look at")
    given = parser.parse_args()
    seed = random.randrange(2**32) if given.seed is None else given.seed
    folder = given.keep or Path(tempfile.mkdtemp(prefix="popcon-crash-"))
    begun = time.monotonic()
    verdict, died = asyncio.run(_run(folder, given.kills, random.Random(seed)))
    print(f"seed {seed}\n\n{_table(verdict, died, time.monotonic() - begun)}")
    for name, found in verdict.complaints.items():
        print(f"\n{name}:", *found, sep="\n  ")
    if not given.keep and not verdict.complaints:
        shutil.rmtree(folder)
    return 1 if verdict.complaints or verdict.accepted != verdict.emojis else 0


if __name__ == "__main__":
    sys.exit(main())
