"""Who goes first, and how the one who is in a hurry gets the model."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from popcond.errors import Cancelled
from popcond.vision.sam_agenda import Agenda, Courtesy


@dataclass
class Steps:
    """Work of some steps that writes down when each was done."""

    id: int
    urgency: int
    left: int
    diary: list[int] = field(default_factory=list)

    def step(self) -> bool:
        """One of them."""
        self.diary.append(self.id)
        self.left -= 1
        return self.left > 0


def work_off(agenda: Agenda, count: int, after_each: Callable[[], None] = lambda: None) -> None:
    """Take so many steps, as the worker does."""
    for _ in range(count):
        work = agenda.take()
        if work.step():
            agenda.give_back(work)
        else:
            agenda.over(work)
        after_each()


def test_the_most_urgent_goes_on_after_every_step() -> None:
    agenda, diary = Agenda(), list[int]()
    agenda.add(Steps(1, 3, 3, diary))
    work_off(agenda, 1)
    agenda.add(Steps(2, 2, 2, diary))
    work_off(agenda, 4)
    assert diary == [1, 2, 2, 1, 1]


def test_among_equals_the_first_come_is_finished_first() -> None:
    agenda, diary = Agenda(), list[int]()
    for id_ in (1, 2, 3):
        agenda.add(Steps(id_, 2, 2, diary))
    work_off(agenda, 6)
    assert diary == [1, 1, 2, 2, 3, 3]


def test_what_was_cancelled_while_it_waited_is_never_begun() -> None:
    agenda, diary = Agenda(), list[int]()
    agenda.add(Steps(1, 1, 5, diary))
    agenda.add(Steps(2, 2, 1, diary))
    agenda.cancel(1)
    work_off(agenda, 1)
    assert diary == [2]


def test_cancelling_what_is_over_harms_nobody_who_comes_later() -> None:
    agenda, diary = Agenda(), list[int]()
    agenda.add(Steps(1, 1, 1, diary))
    work_off(agenda, 1)
    agenda.cancel(1)
    agenda.add(Steps(1, 1, 1, diary))
    work_off(agenda, 1)
    assert diary == [1, 1]


def test_who_is_at_work_hears_that_nobody_wants_it_any_more() -> None:
    agenda = Agenda()
    courtesy = Courtesy(agenda, side_by_side=True)
    agenda.add(Steps(1, 1, 5))
    agenda.take()
    courtesy.between_layers()
    agenda.cancel(1)
    with pytest.raises(Cancelled):
        courtesy.between_layers()


def test_taking_waits_for_work() -> None:
    agenda, diary = Agenda(), list[int]()
    worker = threading.Thread(target=work_off, args=(agenda, 1))
    worker.start()
    agenda.add(Steps(1, 1, 1, diary))
    worker.join(timeout=30)
    assert diary == [1]


@pytest.mark.parametrize("side_by_side", [True, False])
def test_nothing_moves_between_two_layers_or_two_steps_while_somebody_is_in_a_hurry(*, side_by_side: bool) -> None:
    courtesy = Courtesy(Agenda(), side_by_side=side_by_side)
    diary: list[str] = []
    inside = threading.Event()

    def patient() -> None:
        inside.wait(30)
        with courtesy.patiently():
            courtesy.between_layers()
            diary.append("patient")

    other = threading.Thread(target=patient)
    other.start()
    with courtesy.first():
        inside.set()
        courtesy.between_layers()  # the hurried one's own layers wait for nobody
        diary.append("hurried")
    other.join(timeout=30)
    assert diary == ["hurried", "patient"]


def test_a_layer_in_the_middle_of_a_step_lets_the_hurried_one_through() -> None:
    courtesy = Courtesy(Agenda(), side_by_side=True)
    diary: list[str] = []
    started, hurried_is_in = threading.Event(), threading.Event()

    def patient() -> None:
        with courtesy.patiently():
            diary.append("first layer")
            started.set()
            hurried_is_in.wait(30)
            courtesy.between_layers()
            diary.append("second layer")

    other = threading.Thread(target=patient)
    other.start()
    started.wait(30)
    with courtesy.first():
        hurried_is_in.set()
        diary.append("click")
    other.join(timeout=30)
    assert diary == ["first layer", "click", "second layer"]
