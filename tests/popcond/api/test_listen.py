"""The daemon's own socket."""

from __future__ import annotations

import socket

import pytest

from popcond.api.listen import listen, url_of
from popcond.errors import HomeUnusable


def test_a_connection_sends_short_answers_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_and_a_stranger_address_are_told_apart() -> None:
    with listen("127.0.0.1", 0) as listener:
        with pytest.raises(HomeUnusable, match="cannot listen") as caught:
            listen("127.0.0.1", listener.getsockname()[1])
        assert (caught.value.code, "--port" in str(caught.value)) == ("port_taken", True)
    with pytest.raises(HomeUnusable, match="no address") as caught:
        listen("256.1.1.1", 0)
    assert caught.value.code == "no_such_host"


def test_the_url_is_one_that_this_computer_can_call() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")
