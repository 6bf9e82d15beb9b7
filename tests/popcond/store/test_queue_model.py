"""The queue against a model of it in plain Python: whatever is done in whatever order, both say the same.

So there are never two holders, a stale claim writes nothing, nothing is lost, and the order is kept.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from popcond.errors import Conflict, PopconError
from popcond.store import characters, jobs, packs, queue
from popcond.store.db import connect
from popcond.store.jobs import LEASE, Job
from popcond.store.migrations import migrate
from popcond.wire import JobState, Stage
from tests.data import a_character, a_new_pack, an_action, its_files

COUNT = 4  # emojis
KINDS = (Stage.ENCODE, Stage.SLICE)  # in the order of their precedence
PROBLEM = PopconError("It did not work.").problem()
EMOJIS = st.integers(0, COUNT - 1)
NUMBERS = st.integers(0, 10**6)  # picks one of as many as there are


@dataclass
class Row:
    """A job as the model sees it."""

    id: int
    kind: Stage
    emoji: int
    state: JobState = JobState.READY
    token: int = 0
    failures: int = 0
    run_at: float = 0.0
    lease_until: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (JobState.READY, JobState.RUNNING)


class QueueModel(RuleBasedStateMachine):
    """Every rule does one thing to both and compares the answers; the invariants compare the rows."""

    @initialize()
    def begin(self) -> None:
        """An empty queue."""
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "popcon.db"
        path.write_bytes(_template())
        self.connection = connect(path)
        self.ids = [str(row["id"]) for row in self.connection.execute("SELECT id FROM emoji ORDER BY number")]
        self.now = time.time() + 60  # ahead of the rows' own clock, as a clock is that was never set back
        self.order = list(range(COUNT))
        self.priorities = [0] * COUNT
        self.rows: dict[int, Row] = {}
        self.claims: list[Job] = []
        self.paused = False

    def teardown(self) -> None:
        """Close what `begin` opened, where it was reached."""
        if hasattr(self, "connection"):
            self.connection.close()
            self.folder.cleanup()

    def both(self, step: partial[Any]) -> Any:
        """One transaction of the real queue."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            return step(self.connection)
        finally:
            self.connection.execute("COMMIT")

    # ------------------------------------------------------------------ what the model thinks

    def live(self, emoji: int) -> Row | None:
        """The emoji's live job."""
        return next((row for row in self.rows.values() if row.emoji == emoji and row.is_live), None)

    def stands(self, claim: Job) -> bool:
        """Whether its holder still holds it."""
        row = self.rows[claim.id]
        return row.state is JobState.RUNNING and row.token == claim.claim_token

    def place(self, row: Row, kinds: tuple[Stage, ...] = KINDS) -> tuple[float, int, int, int, int]:
        """Where a ready job stands; what sleeps comes last."""
        turn = self.order.index(row.emoji)
        return row.run_at, -self.priorities[row.emoji], kinds.index(row.kind), turn, row.id

    def waiting(self) -> list[Row]:
        """The ready jobs in their order."""
        return sorted((row for row in self.rows.values() if row.state is JobState.READY), key=self.place)

    # ------------------------------------------------------------------ rules

    @rule(emoji=EMOJIS, kind=st.sampled_from(KINDS))
    def add(self, emoji: int, kind: Stage) -> None:
        """Queue a stage; a double key press changes nothing."""
        added = self.both(partial(jobs.add, emoji_id=self.ids[emoji], kind=kind))
        assert added is (self.live(emoji) is None)
        if added:
            new = self.connection.execute("SELECT max(id) FROM job").fetchone()[0]
            assert new > max(self.rows, default=0)
            self.rows[new] = Row(new, kind, emoji)

    @rule(kinds=st.permutations(KINDS), count=st.integers(1, len(KINDS)))
    def claim(self, kinds: list[Stage], count: int) -> None:
        """Whoever comes gets what is next."""
        wanted = tuple(kinds[:count])
        claimed = self.both(partial(jobs.claim, kinds=wanted, now=self.now))
        for row in self.waiting():
            row.run_at = row.run_at if row.run_at > self.now else 0.0
        due = [row for row in self.waiting() if row.kind in wanted and row.run_at == 0.0 and not self.paused]
        if not due:
            assert claimed is None
            return
        row = min(due, key=lambda row: self.place(row, wanted))
        row.state, row.token, row.lease_until = JobState.RUNNING, row.token + 1, self.now + LEASE
        assert (claimed.id, claimed.claim_token, claimed.failures) == (row.id, row.token, row.failures)
        self.claims.append(claimed)

    @rule()
    def beat(self) -> None:
        """Everybody who ever claimed says that he is there; those who lost their claim learn it."""
        lost = self.both(partial(jobs.beat, held=self.claims, now=self.now))
        assert lost == [claim for claim in self.claims if not self.stands(claim)]
        for claim in self.claims:
            if self.stands(claim):
                self.rows[claim.id].lease_until = self.now + LEASE

    @rule(seconds=st.sampled_from([1.0, LEASE / 2, LEASE - 1, LEASE + 1]))
    def time_passes(self, seconds: float) -> None:
        """Sleepers wake; leases run out, and what nobody beat for is given back."""
        self.now += seconds
        silent = [row for row in self.rows.values() if row.state is JobState.RUNNING and row.lease_until < self.now]
        assert self.both(partial(jobs.sweep, now=self.now)) == len(silent)
        for row in silent:
            row.state = JobState.READY

    @rule()
    def crash(self) -> None:
        """The daemon dies; the next one recovers. Holders of then may still be heard of."""
        running = [row for row in self.rows.values() if row.state is JobState.RUNNING]
        assert self.both(partial(jobs.recover)) == len(running)
        for row in running:
            row.state = JobState.READY

    @precondition(lambda self: self.claims)
    @rule(number=NUMBERS, end=st.sampled_from(["finish", "bury", "delay"]), sleep=st.floats(1.0, LEASE))
    def end(self, number: int, end: str, sleep: float) -> None:
        """Somebody who claimed once comes to an end, in time or far too late."""
        claim = self.claims[number % len(self.claims)]
        steps = {
            "finish": partial(jobs.finish, job=claim),
            "bury": partial(jobs.bury, job=claim, problem=PROBLEM),
            "delay": partial(jobs.delay, job=claim, problem=PROBLEM, run_at=self.now + sleep),
        }
        stood = self.stands(claim)
        assert self.both(steps[end]) is stood
        if stood:
            row = self.rows[claim.id]
            row.state = {"finish": JobState.DONE, "bury": JobState.DEAD, "delay": JobState.READY}[end]
            row.failures += end != "finish"
            row.run_at = self.now + sleep if end == "delay" else row.run_at

    @rule(emoji=EMOJIS)
    def cancel(self, emoji: int) -> None:
        """A person wants it no more."""
        live = self.live(emoji)
        assert self.both(partial(jobs.cancel, subject=self.ids[emoji])) is (live is not None)
        if live:
            live.state = JobState.CANCELLED

    @rule()
    def pause_or_resume(self) -> None:
        """A person stops the queue, or lets it go on."""
        self.paused = not self.paused
        assert self.both(partial(queue.set_paused, lanes=(), paused=self.paused)).paused is self.paused

    @rule(emoji=EMOJIS, before=EMOJIS)
    def move(self, emoji: int, before: int) -> None:
        """A person changes the order."""
        try:
            self.both(partial(queue.move, emoji_id=self.ids[emoji], before=self.ids[before]))
        except Conflict:
            assert self.live(emoji) is None
            return
        if emoji != before:
            self.order.remove(emoji)
            self.order.insert(self.order.index(before), emoji)
            self.priorities[emoji] = self.priorities[before]

    @rule(emoji=EMOJIS, priority=st.integers(-2, 2))
    def prioritise(self, emoji: int, priority: int) -> None:
        """A person finds one more urgent than another."""
        self.both(partial(queue.prioritise, emoji_ids=[self.ids[emoji]], priority=priority))
        self.priorities[emoji] = priority

    # ------------------------------------------------------------------ invariants

    @invariant()
    def nothing_is_lost_and_nothing_is_held_twice(self) -> None:
        """Every row is where the model has it, and no emoji has two live ones."""
        told = {
            row["id"]: (row["state"], row["claim_token"], row["failures"])
            for row in self.connection.execute("SELECT * FROM job")
        }
        assert told == {row.id: (row.state, row.token, row.failures) for row in self.rows.values()}
        live = [row.emoji for row in self.rows.values() if row.is_live]
        assert len(live) == len(set(live))
        assert sum(self.stands(claim) for claim in set(self.claims)) <= len(live)

    @invariant()
    def the_order_is_kept(self) -> None:
        """The list of what waits is in the order of its claims."""
        told = [row.id for row in queue.rows(self.connection, state=JobState.READY)]
        assert told == [row.id for row in self.waiting()]

    @invariant()
    def the_outlook_is_true(self) -> None:
        """A runner that looks first claims nothing in vain and misses nothing."""
        outlook = queue.look(self.connection, KINDS, now=self.now)
        due = {row.kind for row in self.waiting() if row.run_at <= self.now and not self.paused}
        assert outlook.due == due
        asleep = [row.run_at for row in self.waiting() if row.run_at > self.now]
        assert outlook.wakes_at == (None if self.paused else min(asleep, default=None))


@cache
def _template() -> bytes:
    """A database with one pack, made once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "popcon.db"
        migrate(path)
        connection = connect(path)
        _fill(connection)
        connection.close()
        return path.read_bytes()


def _fill(connection: sqlite3.Connection) -> None:
    names = [f"action-{number}" for number in range(COUNT)]
    character = characters.add(connection, a_character(), its_files())
    packs.add(connection, a_new_pack(character, *names), [an_action(name) for name in names])


TestQueueModel = QueueModel.TestCase
TestQueueModel.settings = settings(
    max_examples=120, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
