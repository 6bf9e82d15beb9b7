"""A real socket that answers each connection with the next of some prepared bytes, and keeps what it was asked.

Stands for what a well-behaved daemon never does: lines that break, strangers on its port, answers from the future.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from popcond.wire import Event


@dataclass
class ScriptServer:
    """Where it listens, and the requests so far, head and body as they came."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[ScriptServer]:
    """Serves the answers, one a connection; whoever connects after the last is cut off at once."""
    told, waiting = ScriptServer(), list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.asked.append(await _request(reader))
        if waiting:
            writer.write(waiting.pop(0))
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    told.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield told


async def _request(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lengths = [line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("content-length:")]
    if lengths:
        return head + (await reader.readexactly(int(lengths[0]))).decode(errors="replace")
    if "chunked" not in head.lower():
        return head
    return head + (await reader.readuntil(b"\r\n0\r\n\r\n")).decode(errors="replace")


def answer(status: int, body: Any, *, media_type: str = "application/json", headers: str = "") -> bytes:
    """One whole HTTP answer; a body that is no bytes becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Told\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}\r\n{headers}"
    return f"{head}Connection: close\r\n\r\n".encode() + content


def stream(*events: Event, more: str = "") -> bytes:
    """An event stream that breaks off after these."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 1000\n\n"
    lines = (f"id: {event.seq}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n" for event in events)
    return (head + more + "".join(lines)).encode()
