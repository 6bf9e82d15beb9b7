"""Which device is taken, and at which size the model sees there."""

from __future__ import annotations

import pytest

from popcond.errors import BadInput
from popcond.vision.sam_devices import Device, choose_device


@pytest.mark.parametrize(
    ("available", "bfloat16", "chosen"),
    [
        (set(), False, Device("cpu", 512, "float32")),
        ({"mps"}, False, Device("mps", 1024, "float32")),
        ({"cuda"}, True, Device("cuda", 1024, "bfloat16")),
        ({"cuda"}, False, Device("cuda", 1024, "float32")),
        ({"cuda", "mps"}, True, Device("cuda", 1024, "bfloat16")),
    ],
)
def test_the_fastest_device_is_taken_at_the_size_that_it_bears(
    available: set[str], bfloat16: bool, chosen: Device
) -> None:
    assert choose_device(frozenset(available), bfloat16=bfloat16) == chosen


def test_a_device_and_a_size_can_be_chosen() -> None:
    assert choose_device(frozenset({"cuda"}), "cpu", 768, bfloat16=True) == Device("cpu", 768, "float32")


def test_a_device_that_is_not_here_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadInput) as caught:
        choose_device(frozenset({"mps"}), "cuda")
    assert caught.value.cure == "Choose one of: mps, cpu."


@pytest.mark.parametrize("size", [-512, 64, 500, 4096])
def test_a_size_that_the_architecture_cannot_see_is_refused(size: int) -> None:
    with pytest.raises(BadInput, match="cannot see"):
        choose_device(frozenset(), input_size=size)
