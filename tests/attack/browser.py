"""A real headless Chromium, the pages that attack from it, and an open server that proves that they can.

`attacked` opens page after page; each runs `pages/attack.js` against one target and reports what it has learned. The
toy is what a careless daemon would be: it welcomes every origin and every name. A rebound name is played by a relay: it
serves the page first, and from then on the very same name and port lead to the target, as after a change in the DNS.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from PIL import Image

from tests.clips import moving_disc, write_clip

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 90.0  # seconds for one page on a small, busy machine
NAMED, BARE = "rebound.example", "bare-rebound.example"  # with a port in the address, and without one
_PAGES = Path(__file__).parent / "pages"
_OURS = ("/page", "/attack.js", "/service_worker.js", "/verdicts", "/favicon.ico")
Verdicts = dict[str, str]  # attempt → what it learned; "" for nothing


def program() -> str | None:
    """Where Chromium is; None when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Scenario:
    """One page: where it comes from and what it attacks."""

    name: str
    origin: str  # of the page
    target: str  # empty: the page's own origin, which leads to the target by now

    def url(self, token: str) -> str:
        """The page's address."""
        return f"{self.origin}/page?" + urlencode({"name": self.name, "target": self.target, "token": token})


def attacked(
    pages: PageServer, scenarios: Sequence[Scenario], token: str, rules: str, profile: Path
) -> dict[str, Verdicts]:
    """What each page has learned, by the scenario's name."""
    pages.following = [scenario.url(token) for scenario in scenarios[1:]]
    with chromium(scenarios[0].url(token), rules, profile):
        return dict(pages.told.get(timeout=PATIENCE) for _ in scenarios)


@contextlib.contextmanager
def chromium(url: str, rules: str, profile: Path) -> Iterator[None]:
    """A browser on a page; it is gone afterwards, with all its processes."""
    found = program()
    assert found
    options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-popup-blocking")
    quiet = ("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync")
    place = (f"--user-data-dir={profile}", f"--host-resolver-rules={rules}")
    process = subprocess.Popen(
        [found, *options, *quiet, *place, url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


# ------------------------------------------------------------------ servers


@contextlib.contextmanager
def _serving(handler: type[BaseHTTPRequestHandler], server_class: type[ThreadingHTTPServer]) -> Iterator[Any]:
    with server_class(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def url_of(server: ThreadingHTTPServer) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{server.server_address[1]}"


class PageServer(ThreadingHTTPServer):
    """Serves the attacking pages and hears their verdicts."""

    daemon_threads = True

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(place, handler)
        self.told: queue.Queue[tuple[str, Verdicts]] = queue.Queue()
        self.following: list[str] = []


class _Pages(BaseHTTPRequestHandler):
    server: PageServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/page":
            self._answer("text/html", self._page())
        elif path.endswith(".js"):
            self._answer("text/javascript", (_PAGES / path[1:]).read_bytes())
        else:
            self._answer("text/plain", b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        (name,) = parse_qs(urlsplit(self.path).query)["name"]
        following = self.server.following.pop(0) if self.server.following else ""
        self._answer("text/plain", following.encode())
        self.server.told.put((name, json.loads(body)))

    def _page(self) -> bytes:
        asked = {
            name: values[0] for name, values in parse_qs(urlsplit(self.path).query, keep_blank_values=True).items()
        }
        target = json.dumps(asked["target"]) if asked["target"] else "location.origin"
        facts = f"const SAME_ORIGIN = {json.dumps(not asked['target'])}, TARGET = {target};"
        script = f"{facts} const TOKEN = {json.dumps(asked['token'])};"
        return f"<!doctype html><body><script>{script}</script><script src=/attack.js></script>".encode()

    def _answer(self, media_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Toy(ThreadingHTTPServer):
    """A daemon that lets everybody in; it counts what was changed."""

    daemon_threads = True

    def __init__(self, place: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(place, handler)
        self.changes: list[str] = []
        self.answers = {
            "/v1/characters/x/picture": ("image/png", _dot()),
            "/v1/actions": ("image/png", _dot()),
            "/v1/providers": ("text/css", b"p{}"),
            "/v1/stickers/x/file": ("video/webm", _film()),
            "/v1/usage": ("text/html", b"<p>stolen"),
        }


def _dot() -> bytes:
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


def _film() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        write_clip("webm", moving_disc(3), 10, Path(folder, "film.webm"))
        return Path(folder, "film.webm").read_bytes()


class _OpenDoor(BaseHTTPRequestHandler):
    """Answers in the kind that the page hopes for, readable by everybody."""

    server: Toy
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self._open_socket()
        elif self.headers.get("Accept") == "text/event-stream":
            self._answer("text/event-stream", b"retry: 100000\n\ndata: stolen\n\n")
        else:
            self._answer(*self.server.answers.get(self.path, ("text/javascript", b"let stolen;")))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.changes.append(f"{self.command} {self.headers.get('Content-Type', '').partition(';')[0]}")
        self._answer("text/html", b"<p>changed")

    do_DELETE = do_PATCH = do_POST  # noqa: N815 - the names that the base class looks for

    def do_OPTIONS(self) -> None:
        self._answer("text/plain", b"")

    def _open_socket(self) -> None:
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        self.rfile.read(2)
        self.close_connection = True

    def _answer(self, media_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", self.headers.get("Origin", "*"))
        self.send_header("Access-Control-Allow-Headers", "authorization, content-type")
        self.send_header("Access-Control-Allow-Methods", "GET, POST, DELETE, PATCH")
        self.send_header("Access-Control-Allow-Private-Network", "true")
        self.send_header("Timing-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextlib.contextmanager
def page_server() -> Iterator[PageServer]:
    """The attacker's own web server."""
    with _serving(_Pages, PageServer) as server:
        yield server


@contextlib.contextmanager
def toy() -> Iterator[Toy]:
    """A careless daemon."""
    with _serving(_OpenDoor, Toy) as server:
        yield server


# ------------------------------------------------------------------ a name that changes its mind


@dataclass
class Relay:
    """One port of loopback: the page's own paths go to the page server, everything else to the target."""

    pages: tuple[str, int]
    target: tuple[str, int]
    hosts: set[str] = field(default_factory=set)  # that the target was called by
    port: int = 0

    def carry(self, line: socket.socket) -> None:
        """One connection, one request: bytes are carried as they are, but for the promise to hang up."""
        with line, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                chunk = line.recv(65536)
                if not chunk:
                    return
                head += chunk
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            is_ours = path in _OURS
            if not is_ours:
                self.hosts.update(part[6:].decode() for part in head.split(b"\r\n") if part.startswith(b"Host: "))
            with socket.create_connection(self.pages if is_ours else self.target) as onward:
                onward.sendall(head.replace(b"\r\nConnection: keep-alive", b"\r\nConnection: close", 1))
                back = threading.Thread(target=_pour, args=(onward, line))
                back.start()
                _pour(line, onward)
                back.join()


def _pour(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            to.sendall(chunk)
        to.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def relay(pages: str, target: str) -> Iterator[Relay]:
    """A port that is the attacker's page at first and the target from then on."""
    told = Relay(_place(pages), _place(target))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        told.port = listener.getsockname()[1]
        thread = threading.Thread(target=_accept, args=(listener, told))
        thread.start()
        try:
            yield told
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, told: Relay) -> None:
    with contextlib.suppress(OSError):
        while True:
            line, _ = listener.accept()
            threading.Thread(target=told.carry, args=(line,), daemon=True).start()


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port
