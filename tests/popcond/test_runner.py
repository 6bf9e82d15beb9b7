"""The runner over the real queue, with a provider that keeps a ledger of what it was asked for."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from popcond.assets import Assets
from popcond.bus import Bus
from popcond.errors import NotFound, ProviderBusy
from popcond.media.raster import png
from popcond.runner import Lane, Runner
from popcond.stages import transitions
from popcond.stages.animate import animate
from popcond.stages.studio import Studio
from popcond.stages.work import Finish, StageFunction, Work, of_emojis
from popcond.store import characters, frames, jobs, packs, queue
from popcond.store.budget import Ceilings
from popcond.store.db import Connection, Database
from popcond.store.frames import MaskRow, RawFrame
from popcond.store.migrations import migrate
from popcond.wire import Emoji, JobState, Pack, Stage, Status
from popcond.workers import Report, Workers, report_nothing
from tests.data import a_character, a_new_pack, an_action, its_files
from tests.fakes import LedgerProvider

LANES = (Lane("local", (Stage.SLICE,), 2), Lane("remote", (Stage.ANIMATE,), 2))


class House:
    """A home folder with a pack in it, and runners that come and go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        migrate(home / "popcon.db")
        self.bus = Bus()
        self.database = Database(home / "popcon.db", committed=self.bus.ring_from_thread)
        self.assets = Assets(home / "assets")
        self.sliced: list[str] = []
        self.hanging: list[str] = []  # actions whose stage hangs at this moment
        self.ended: list[str] = []  # actions whose hanging was ended

    async def pack_of(self, *actions: str, first: Stage = Stage.ANIMATE) -> Pack:
        """A pack whose emojis are queued for their first stage."""
        cutout = np.zeros((32, 32, 4), np.uint8)
        cutout[8:24, 8:24] = (200, 40, 40, 255)
        files = its_files(cutout=self.assets.put(png(cutout)))
        character = await self.database.write(partial(characters.add, character=a_character(), files=files))
        new = a_new_pack(character, *actions).model_copy(update={"provider": "ledger"})

        def order(connection: Connection) -> Pack:
            pack = packs.add(connection, new, [an_action(name) for name in actions])
            for emoji in pack.emojis:
                transitions.enqueue(connection, emoji.id, first)
            return pack

        return await self.database.write(order)

    @asynccontextmanager
    async def running(self, provider: LedgerProvider) -> AsyncIterator[Runner]:
        """A runner as the daemon would have it, which ends in REFINE's place, after SLICE."""
        (self.home / "work").mkdir(exist_ok=True)
        studio = Studio(
            self.database, self.assets, Workers(1, 2048), {"ledger": provider}, {}, Ceilings(), self.home / "work"
        )
        stages: dict[Stage, StageFunction] = {
            Stage.ANIMATE: partial(animate, studio),
            Stage.SLICE: self.slice_nothing,
        }
        async with self.runner(stages, LANES) as runner:
            yield runner

    @asynccontextmanager
    async def runner(
        self, stages: dict[Stage, StageFunction], lanes: tuple[Lane, ...], **settings: Any
    ) -> AsyncIterator[Runner]:
        """A runner of these stages, closed afterwards."""
        self.bus.attach()
        functions = {stage: of_emojis(self.database, function) for stage, function in stages.items()}
        runner = Runner(self.database, self.bus, functions, lanes, **settings)
        runner.start()
        try:
            yield runner
        finally:
            await runner.close()

    async def slice_nothing(self, work: Work) -> Finish:
        """Stands for all that follows: hangs for `hang`, stumbles for `stumble`, else notes that it was here."""
        if work.emoji.action.startswith("hang"):
            await self.hang(work)
        if work.emoji.action == "stumble":
            raise ZeroDivisionError("a bug of ours")
        self.sliced.append(work.emoji.action)
        return lambda _connection: None

    async def hang(self, work: Work) -> Finish:
        """Never ends by itself."""
        self.hanging.append(work.emoji.action)
        try:
            await asyncio.Event().wait()
        finally:
            self.hanging.remove(work.emoji.action)
            self.ended.append(work.emoji.action)
        raise AssertionError("an event that nobody sets was set")

    async def until(self, pack: Pack, reached: Callable[[dict[str, Emoji]], bool]) -> dict[str, Emoji]:
        """The pack's emojis by action, once they have got there."""
        async with asyncio.timeout(30):
            while True:
                now = await self.database.read(partial(packs.get, pack_id=pack.id))
                by_action = {emoji.action: emoji for emoji in now.emojis}
                if reached(by_action):
                    return by_action
                await asyncio.sleep(0.01)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A new home."""
    house = House(tmp_path)
    yield house
    house.database.close()


def all_at(*statuses: Status) -> Callable[[dict[str, Emoji]], bool]:
    """Whether every emoji has one of these statuses."""
    return lambda by_action: all(emoji.status in statuses for emoji in by_action.values())


async def until(reached: Callable[[], bool]) -> None:
    """Wait for something that has no bell."""
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.01)


async def test_each_emoji_fails_alone_and_says_why(house: House) -> None:
    provider = LedgerProvider(refusals={"angry": "Not that one."}, failures={"cry": "It rained."})
    pack = await house.pack_of("wave", "angry", "cry", "stumble", "jump")
    async with house.running(provider):
        ended = await house.until(pack, all_at(Status.FAILED, Status.SEGMENTING))
    problems = {name: emoji.problem.message for name, emoji in ended.items() if emoji.problem}
    assert set(problems) == {"angry", "cry", "stumble"}
    assert (problems["angry"], problems["cry"]) == ("Not that one.", "It rained.")
    assert "ZeroDivisionError" in problems["stumble"]
    assert sorted(house.sliced) == ["jump", "wave"]
    assert ended["wave"].stage is Stage.SEGMENT
    assert ended["stumble"].stage is Stage.SLICE


async def test_a_restart_asks_for_the_old_task_and_submits_nothing_anew(house: House) -> None:
    provider = LedgerProvider(checks_until_ready=10**9)
    pack = await house.pack_of("wave")
    async with house.running(provider):
        await until(lambda: sum(provider.checks.values()) >= 3)
    assert provider.cancelled == []
    provider.checks_until_ready = 0
    async with house.running(provider):
        await house.until(pack, all_at(Status.SEGMENTING))
    assert provider.ledger == ["wave"]


# ------------------------------------------------------------------ stopped by a person


async def test_a_cancelled_emoji_stops_its_stage_and_the_others_go_on(house: House) -> None:
    provider = LedgerProvider()
    pack = await house.pack_of("hang", "wave")
    async with house.running(provider) as runner:
        await until(lambda: "hang" in house.hanging)
        hanging = pack.emojis[0].id
        await house.database.write(partial(transitions.cancel, emoji_id=hanging))
        runner.stop(hanging)
        ended = await house.until(pack, all_at(Status.CANCELLED, Status.SEGMENTING))
        assert ended["hang"].status is Status.CANCELLED
        await until(lambda: "hang" not in house.hanging)
        await house.database.write(partial(transitions.enqueue, emoji_id=hanging, stage=Stage.SLICE))
        await until(lambda: "hang" in house.hanging)


async def test_cancelling_while_a_clip_is_made_tells_the_provider(house: House) -> None:
    provider = LedgerProvider(checks_until_ready=10**9)
    pack = await house.pack_of("wave")
    async with house.running(provider) as runner:
        await until(lambda: sum(provider.checks.values()) >= 2)
        await house.database.write(partial(transitions.cancel, emoji_id=pack.emojis[0].id))
        runner.stop(pack.emojis[0].id)
        await until(lambda: bool(provider.cancelled))
    assert provider.cancelled == ["wave-1"]


async def test_a_job_of_a_deleted_pack_ends_quietly(house: House) -> None:
    pack = await house.pack_of("hang", "wave")
    async with house.running(LedgerProvider()) as runner:
        await until(lambda: "hang" in house.hanging)
        await house.database.write(partial(packs.remove, pack_id=pack.id))
        runner.stop(pack.emojis[0].id)
        other = await house.pack_of("jump")
        await house.until(other, all_at(Status.SEGMENTING))
    assert await house.database.read(_emoji_count) == 1


def _emoji_count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM emoji").fetchone()[0])


def compute_for_ever(_report: Report, note: str) -> None:
    """Leaves its process id, then is too busy to hear anything."""
    Path(note).write_text(str(os.getpid()))
    while True:
        sum(range(10**6))


def is_alive(process: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def test_cancelling_ends_a_child_that_computes_within_two_seconds(house: House) -> None:
    workers, note = Workers(count=1, memory_mb=512), house.home / "pid"

    async def compute(_work: Work) -> Finish:
        await workers.run(compute_for_ever, report_nothing, str(note))
        raise AssertionError("what never ends has ended")

    pack = await house.pack_of("wave", first=Stage.SLICE)
    async with house.runner({Stage.SLICE: compute}, LANES) as runner:
        await until(lambda: note.exists() and bool(note.read_text()))
        child = int(note.read_text())
        assert is_alive(child)
        await house.database.write(partial(transitions.cancel, emoji_id=pack.emojis[0].id))
        runner.stop(pack.emojis[0].id)
        async with asyncio.timeout(2):
            while is_alive(child):
                await asyncio.sleep(0.01)
    assert (await house.until(pack, all_at(Status.CANCELLED)))["wave"].problem is None


async def test_a_paused_queue_ends_what_runs_and_begins_nothing(house: House) -> None:
    pack = await house.pack_of("hang", "wave", first=Stage.SLICE)
    await house.database.write(partial(queue.set_paused, lanes=(), paused=True))
    async with house.running(LedgerProvider()):
        await house.database.write(lambda _connection: None)  # a commit, which the runner hears
        assert house.hanging == []
        await house.database.write(partial(queue.set_paused, lanes=(), paused=False))
        await house.until(pack, lambda emojis: emojis["wave"].status is Status.SEGMENTING)
        await until(lambda: "hang" in house.hanging)
        await house.database.write(partial(queue.set_paused, lanes=(), paused=True))
        later = await house.pack_of("jump", first=Stage.SLICE)
        assert "hang" in house.hanging
        assert (await house.until(later, all_at(Status.QUEUED)))["jump"].progress < 1
    assert house.sliced == ["wave"]


# ------------------------------------------------------------------ leases


async def test_closing_gives_running_work_back(house: House) -> None:
    await house.pack_of("hang")
    async with house.running(LedgerProvider()):
        await until(lambda: "hang" in house.hanging)
    job = await house.database.write(partial(transitions.claim, kinds=[Stage.SLICE]))
    assert job is not None
    assert (job.attempt, job.failures) == (2, 0)


async def test_who_learns_that_a_claim_is_lost_stops_and_the_job_begins_anew(house: House) -> None:
    await house.pack_of("hang", first=Stage.SLICE)
    async with house.runner({Stage.SLICE: house.slice_nothing}, LANES, beat=0.02):
        await until(lambda: "hang" in house.hanging)
        await house.database.write(jobs.recover)
        await until(lambda: house.ended == ["hang"] and house.hanging == ["hang"])
        (job,) = await house.database.read(queue.rows)
    assert (job.state, job.attempt, job.failures) == (JobState.RUNNING, 2, 0)


async def test_a_job_whose_holder_is_not_heard_of_is_done_by_another(house: House) -> None:
    pack = await house.pack_of("wave", first=Stage.SLICE)
    long_ago = partial(jobs.claim, kinds=[Stage.SLICE], now=time.time() - 3600)
    assert await house.database.write(long_ago) is not None
    async with house.runner({Stage.SLICE: house.slice_nothing}, LANES, beat=0.02):
        await house.until(pack, all_at(Status.SEGMENTING))


# ------------------------------------------------------------------ limits


async def test_a_lane_and_a_kind_have_their_limits(house: House) -> None:
    packs_of_both = [
        await house.pack_of("wave", "jump", "cry", "nod", first=Stage.ENCODE),
        await house.pack_of("bow", "run", "spin", "shy", first=Stage.SLICE),
    ]
    running, seen = Counter[Stage](), list[tuple[int, int]]()

    async def take_a_while(work: Work) -> Finish:
        running[work.job.kind] += 1
        seen.append((running.total(), running[Stage.ENCODE]))
        await asyncio.sleep(0.05)  # long enough for all the others to be claimed, if they may
        running[work.job.kind] -= 1
        return lambda _connection: None

    lanes = (Lane("local", (Stage.ENCODE, Stage.SLICE), 3),)
    stages: dict[Stage, StageFunction] = {Stage.ENCODE: take_a_while, Stage.SLICE: take_a_while}
    async with house.runner(stages, lanes, most_at_once={Stage.ENCODE: 1}):
        for pack in packs_of_both:
            await house.until(pack, all_at(Status.DONE, Status.SEGMENTING))
    assert max(total for total, _ in seen) <= 3
    assert max(encoding for _, encoding in seen) == 1


async def test_a_stage_that_takes_too_long_is_ended_with_a_cure(house: House) -> None:
    pack = await house.pack_of("hang", "wave", first=Stage.SLICE)
    lanes = (Lane("local", (Stage.SLICE,), 1, patience=0.05),)
    async with house.runner({Stage.SLICE: house.slice_nothing}, lanes):
        ended = await house.until(pack, all_at(Status.FAILED, Status.SEGMENTING))
    problem = ended["hang"].problem
    assert problem is not None
    assert problem.code == "took_too_long"
    assert problem.cure
    assert ended["wave"].status is Status.SEGMENTING


async def test_a_timeout_of_the_stages_own_is_not_taken_for_ours(house: House) -> None:
    async def give_up(_work: Work) -> Finish:
        raise TimeoutError

    pack = await house.pack_of("wave", first=Stage.SLICE)
    async with house.runner({Stage.SLICE: give_up}, (Lane("local", (Stage.SLICE,), 1, patience=600),)):
        ended = await house.until(pack, all_at(Status.FAILED))
    assert ended["wave"].problem is not None
    assert ended["wave"].problem.code == "unexpected"


# ------------------------------------------------------------------ trying again


async def test_what_failed_for_now_is_tried_again_by_itself(house: House) -> None:
    tries: list[float] = []

    async def busy_at_first(work: Work) -> Finish:
        tries.append(time.time())
        if len(tries) == 1:
            raise ProviderBusy("They are busy.", details={"retry_after": 0.2})
        return await house.slice_nothing(work)

    pack = await house.pack_of("wave", first=Stage.SLICE)
    async with house.runner({Stage.SLICE: busy_at_first}, LANES):
        told = await house.until(pack, lambda emojis: emojis["wave"].problem is not None)
        assert told["wave"].problem is not None
        assert "Tried again in" in told["wave"].problem.message
        ended = await house.until(pack, all_at(Status.SEGMENTING))
    assert ended["wave"].problem is None
    assert tries[1] - tries[0] >= 0.2
    (done,) = [row for row in await house.database.read(queue.rows) if row.kind is Stage.SLICE]
    assert (done.state, done.attempt, done.failures) == (JobState.DONE, 2, 1)


async def test_a_damaged_file_is_made_again_without_asking_anybody(house: House) -> None:
    """The mask that ENCODE needs is broken: SEGMENT makes it again, and the person who accepted is not asked again."""
    raw, mask = house.assets.put(b"a raw frame"), house.assets.put(b"its mask")
    done: list[Stage] = []

    async def segment(work: Work) -> Finish:
        done.append(Stage.SEGMENT)
        house.assets.put(b"its mask")
        return lambda connection: frames.mask(connection, work.emoji.id, [MaskRow(mask, (), 0.0)])

    async def encode(_work: Work) -> Finish:
        done.append(Stage.ENCODE)
        assert house.assets.read(mask) == b"its mask"
        return lambda _connection: None

    def prepare(connection: Connection) -> None:
        emoji = packs.get(connection, pack.id).emojis[0]
        frames.replace(connection, emoji.id, [RawFrame(raw, None, 8, 8, 0.1)])
        frames.mask(connection, emoji.id, [MaskRow(mask, (), 0.0)])

    pack = await house.pack_of("wave", first=Stage.ENCODE)
    await house.database.write(prepare)
    house.assets.path(mask).write_bytes(b"a burst")
    with pytest.raises(NotFound):
        house.assets.read(mask)
    lanes = (Lane("local", (Stage.ENCODE, Stage.SEGMENT), 1),)
    async with house.runner({Stage.SEGMENT: segment, Stage.ENCODE: encode}, lanes):
        ended = await house.until(pack, all_at(Status.DONE, Status.FAILED, Status.AWAITING_REFINEMENT))
    assert (ended["wave"].status, ended["wave"].problem) == (Status.DONE, None)
    assert done == [Stage.ENCODE, Stage.SEGMENT, Stage.ENCODE]
    first, *_ = await house.database.read(partial(queue.rows, state=JobState.DEAD))
    assert first.superseded
