"""The daemon's own socket, bound before anything else may take the port."""

from __future__ import annotations

import errno
import os
import socket

from popcond.errors import HomeUnusable

_BACKLOG = 2048


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one. Raises HomeUnusable with the cure.

    Answers leave at once instead of waiting 40 ms for company: connections inherit TCP_NODELAY from here.
    """
    try:
        listener = socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):  # names are looked up with numbers of their own
            raise HomeUnusable(
                f"{host} is no address of this computer.",
                cure="Leave --host away, or give 127.0.0.1.",
                code="no_such_host",
            ) from error
        raise HomeUnusable(
            f"popcond cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}.",
            cure="Choose another port with --port (0 takes any free one).",
            code="port_taken",
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket) -> str:
    """Where clients of this computer find it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
