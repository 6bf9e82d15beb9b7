"""What goes through the pipe comes out the same, and what is no message is noticed."""

from __future__ import annotations

import asyncio
import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from popcond import errors
from popcond.errors import BadInput, PopconError, TooLarge
from popcond.media.raster import Alpha
from popcond.vision.sam_messages import (
    Cancel,
    Done,
    Mask,
    Masked,
    PointNote,
    PromptNote,
    StillNote,
    as_error,
    bits,
    from_bits,
    packed,
    read_from,
    receive,
    refusal,
)

A_REQUEST = Mask(
    id=3,
    still=StillNote(key="ab", raster=0),
    prompt=PromptNote(points=(PointNote(x=1.5, y=2, is_foreground=False, object=2, candidate=None),), raster=1),
    urgency=0,
)


def test_a_message_comes_out_as_it_went_in_with_its_rasters() -> None:
    rasters = [np.arange(24, dtype=np.uint8).reshape(2, 4, 3), np.zeros((0,), np.uint8), np.full((3, 3), 7, np.uint8)]
    pipe = io.BytesIO(b"".join([*packed(A_REQUEST, rasters), *packed(Cancel(id=3))]))
    first = read_from(pipe)
    second = read_from(pipe)
    assert first is not None
    assert second is not None
    assert first.request() == A_REQUEST
    assert all(np.array_equal(*pair) for pair in zip(first.rasters, rasters, strict=True))
    assert second.request() == Cancel(id=3)
    assert read_from(pipe) is None


async def test_both_ends_of_the_pipe_read_alike() -> None:
    note = Masked(id=1, height=2, width=3, score=0.5, candidates=())
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(packed(note, [bits(np.ones((2, 3), np.uint8))])))
    reader.feed_eof()
    received = await receive(reader)
    assert received.reply() == note
    assert from_bits(received.rasters[0], 2, 3).all()
    with pytest.raises(EOFError):
        await receive(reader)


@given(arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20)), elements=st.sampled_from([0, 255])))
def test_masks_survive_as_bits(mask: Alpha) -> None:
    assert np.array_equal(from_bits(bits(mask), *mask.shape), mask)


@pytest.mark.parametrize("x", [float("nan"), float("inf"), 1e300])
def test_even_a_number_that_is_none_arrives(x: float) -> None:
    note = PointNote(x=x, y=0, is_foreground=True, object=0, candidate=None)
    request = A_REQUEST.model_copy(update={"prompt": PromptNote(points=(note,))})
    received = read_from(io.BytesIO(b"".join(packed(request))))
    assert received is not None
    assert repr(received.request()) == repr(request)


def test_a_message_that_broke_off_is_the_end() -> None:
    whole = b"".join(packed(A_REQUEST, [np.zeros((9, 9), np.uint8)] * 2))
    for end in (0, 3, 9, len(whole) - 1):
        assert read_from(io.BytesIO(whole[:end])) is None


@pytest.mark.parametrize(
    "noise", [b"Traceback (most recent call last)", struct.pack("<II", 1 << 31, 0), struct.pack("<II", 4, 0) + b"\n{}}"]
)
def test_noise_is_no_message(noise: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it is called
        read_from(io.BytesIO(noise + bytes(100)))


def test_a_reply_is_no_request() -> None:
    received = read_from(io.BytesIO(b"".join(packed(Done(id=1)))))
    assert received is not None
    with pytest.raises(ValueError, match="tag"):
        received.request()


def test_what_is_too_much_for_the_pipe_is_refused_before_it_is_sent() -> None:
    huge = np.broadcast_to(np.zeros(1, np.uint8), (1,))
    with pytest.raises(TooLarge):
        packed(A_REQUEST.model_copy(update={"still": StillNote(key="a" * (17 << 20))}), [huge])


def test_an_error_of_ours_is_the_same_on_the_other_side() -> None:
    error = BadInput("Nothing is pointed at.", cure="Set a point.", code="nothing")
    again = as_error(refusal(4, error))
    assert (type(again), again.message, again.cure, again.code) == (BadInput, error.message, error.cure, "nothing")


def test_an_error_of_nobodys_is_an_error_of_ours() -> None:
    refused = refusal(4, PopconError("x")).model_copy(update={"error": "annotations"})
    assert type(as_error(refused)) is errors.PopconError
