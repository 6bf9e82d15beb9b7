"""Orders keep within a service's limits, are not slower than they, and none of them waits for ever."""

from __future__ import annotations

import asyncio
import math
import random

import pytest

from popcond.video.pace import Limits, Meter, Pace

TWO = Limits(per_second=2, at_once=2)


def sent(meter: Meter, now: float, task: str, answered: float | None = None) -> None:
    """An order that is sent, accepted and given back."""
    assert meter.wait(now) == 0.0
    meter.give()
    turn = meter.spend()
    assert turn is not None
    meter.accepted(turn, task, now if answered is None else answered)
    meter.take_back(turn, now if answered is None else answered)


def refused(meter: Meter, now: float, wish: float | None = None, *, is_crowded: bool = False) -> float:
    """An order that is sent and throttled; answers the pause."""
    meter.give()
    turn = meter.spend()
    assert turn is not None
    pause = meter.throttled(now, wish, chance=1.0, is_crowded=is_crowded)
    meter.take_back(turn, now)
    return pause


def test_below_the_limits_nothing_waits() -> None:
    meter = Meter(Limits(per_second=3, at_once=9))
    for number in range(3):
        sent(meter, 0.0, f"task {number}")


def test_a_second_begins_when_the_service_has_answered() -> None:
    meter = Meter(Limits(per_second=1, at_once=9))
    sent(meter, 10.0, "slow", answered=14.0)
    assert meter.wait(14.0) == pytest.approx(1.0)
    assert meter.wait(14.75) == pytest.approx(0.25)
    assert meter.wait(15.0) == 0.0


def test_an_order_on_its_way_counts_until_it_is_answered() -> None:
    meter = Meter(TWO)
    turns = [meter.give(), meter.give()]
    assert math.isinf(meter.wait(1e6))
    meter.take_back(turns[0], 1e6)  # it was never sent
    assert meter.wait(1e6) == 0.0


def test_no_more_tasks_are_in_progress_than_the_service_takes() -> None:
    meter = Meter(Limits(per_second=9, at_once=2))
    sent(meter, 0.0, "one")
    sent(meter, 0.0, "two")
    assert meter.wait(5.0) > 100.0
    meter.ended("one")
    assert meter.wait(5.0) == 0.0
    meter.runs("of the day before", 5.0)  # a daemon that starts again finds what is in progress
    assert meter.wait(5.0) > 100.0


def test_a_task_that_nobody_asks_about_is_forgotten_some_day() -> None:
    meter = Meter(Limits(per_second=9, at_once=1))
    sent(meter, 0.0, "lost")
    meter.runs("lost", 100.0)
    assert meter.wait(179.0) == pytest.approx(101.0)
    assert meter.wait(281.0) == 0.0


def test_an_order_in_doubt_counts_until_it_is_settled() -> None:
    meter = Meter(Limits(per_second=9, at_once=1))
    turn = meter.give()
    turn.is_spent = True
    meter.doubtful(turn, 0.0, 90.0)
    meter.take_back(turn, 0.0)
    assert meter.wait(1.0) == pytest.approx(89.0)
    assert meter.wait(90.5) == 0.0


def test_a_throttled_service_is_left_alone_for_longer_and_longer_but_never_for_ever() -> None:
    meter = Meter(TWO)
    assert [refused(meter, 1000.0 * number) for number in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert meter.wait(7000.0) == pytest.approx(60.0)
    sent(meter, 7060.0, "at last")
    assert refused(meter, 8000.0) == 1.0


def test_what_the_service_wishes_is_granted() -> None:
    meter = Meter(TWO)
    assert refused(meter, 0.0, wish=7.0) == 7.0
    assert meter.wait(0.0) == pytest.approx(7.0)


def test_one_refusal_for_speed_does_not_narrow_what_is_in_progress() -> None:
    meter = Meter(TWO)
    refused(meter, 0.0)
    sent(meter, 2.0, "one")
    sent(meter, 2.0, "two")


def test_a_crowded_service_is_asked_for_less_at_once_and_soon_for_more_again() -> None:
    meter = Meter(Limits(per_second=9, at_once=4))
    sent(meter, 0.0, "one")
    sent(meter, 0.0, "two")
    refused(meter, 0.0, is_crowded=True)  # two are what it takes today
    assert meter.wait(10.0) > 60.0
    meter.ended("one")
    sent(meter, 10.0, "three")  # and now three
    sent(meter, 12.0, "four")
    sent(meter, 14.0, "five")
    assert meter.wait(16.0) > 60.0


def test_however_often_it_is_throttled_one_order_may_always_be_tried() -> None:
    meter = Meter(TWO)
    for number in range(50):
        refused(meter, 1000.0 * number, is_crowded=True)
    assert meter.wait(60_000.0) == 0.0


def test_a_thousand_random_days_keep_every_second_and_every_task_within_the_limits() -> None:
    """Against a service that receives an order at any time between its sending and its answer."""
    dice = random.Random(4)
    for _day in range(100):
        limits = Limits(per_second=dice.randint(1, 5), at_once=dice.randint(1, 5))
        meter, now, received = Meter(limits), 0.0, []
        running: list[tuple[float, str]] = []
        for number in range(12):
            while (wait := meter.wait(now)) > 0.0:
                now += min([wait, *(end - now for end, _ in running if end > now)])
                for _end, task in [each for each in running if each[0] <= now]:
                    meter.ended(task)
                running = [each for each in running if each[0] > now]
            assert len(running) < limits.at_once
            answered = now + dice.random()
            received.append(dice.uniform(now, answered))
            sent(meter, now, str(number), answered)
            running.append((answered + 3 * dice.random(), str(number)))
            now = answered if dice.random() < 0.5 else now
        for at in received:
            assert sum(at <= other < at + 1.0 for other in received) <= limits.per_second


# ------------------------------------------------------------------ waiting


async def test_who_asks_first_is_served_first() -> None:
    pace, served = Pace(Limits(per_second=50, at_once=1)), []

    async def order(number: int) -> None:
        async with pace.turn(), pace.sending() as turn:
            served.append(number)
            pace.accepted(turn, str(number))
        await asyncio.sleep(0)
        pace.ended(str(number))

    async with asyncio.timeout(20):
        await asyncio.gather(*(order(number) for number in range(10)))
    assert served == list(range(10))


async def test_a_turn_that_is_given_up_is_free_for_the_next() -> None:
    pace = Pace(Limits(per_second=1, at_once=1))
    async with asyncio.timeout(20):
        async with pace.turn():
            waiting = [asyncio.create_task(_take(pace)) for _ in range(3)]
            await asyncio.sleep(0)
            waiting[0].cancel()
            waiting[1].cancel()
            await asyncio.wait(waiting[:2])
        await waiting[2]


async def test_an_order_that_fails_gives_its_place_back() -> None:
    pace = Pace(Limits(per_second=50, at_once=1))
    async with asyncio.timeout(20):
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                async with pace.sending():
                    raise ZeroDivisionError


async def _take(pace: Pace) -> None:
    async with pace.turn():
        return
