"""The stand-in's HTTP: the documented routes, the results, and the control routes of tests.

Kinds of faults: `drop_before` closes the line before the order is taken, `drop_after` after it was; `error_before` and
`error_after` answer with `status`, `code` and `message` instead; `slow_before` and `slow_after` wait for `seconds`;
`html` is a gateway's page, `garbled` an answer that cannot be read, `truncated` one that ends too soon, `cut_after` a
result whose second half is missing, `drip` an answer that never ends. A fault that says nothing of "after" keeps the
route from doing anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cloud import orders, picture_orders
from tests.cloud.account import Account, Fault, Line, Task, new_id
from tests.cloud.answers import result_of, succeeded

API = "/api/v1"


@dataclass(frozen=True)
class Counter:
    """Where one kind of orders is read."""

    mistake: Callable[[str, Mapping[str, Any]], str | None]  # against an order, as CODE: message
    line_of: Callable[[Mapping[str, Any], str], Line]
    pictures: Callable[[Mapping[str, Any]], list[bytes]]  # that came with it


_CLIPS = Counter(orders.mistake, orders.line_of, orders.pictures)
_PICTURES = Counter(picture_orders.mistake, picture_orders.line_of, picture_orders.pictures)
COUNTERS: Mapping[str, Counter] = {
    **dict.fromkeys((orders.VIDEO, orders.FRAMES), _CLIPS),
    **dict.fromkeys((picture_orders.WORDS, picture_orders.EDIT, picture_orders.MESSAGES), _PICTURES),
}


@dataclass(frozen=True)
class Reply:
    """What goes back."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    retry_after: str | None = None


def say(**answer: Any) -> Reply:
    """A good answer."""
    return Reply(body=json.dumps({"request_id": new_id(), **answer}).encode())


def refuse(status: int, code: str, message: str, retry_after: str | None = None) -> Reply:
    """An error answer as the service words it."""
    body = json.dumps({"code": code, "message": message, "request_id": new_id()}).encode()
    return Reply(status, body, retry_after=retry_after)


class Server(ThreadingHTTPServer):
    """One account behind one port of loopback."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, account: Account, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.account = account
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One request; every answer closes its connection."""

    server: Server

    def do_GET(self) -> None:
        """Queries, the list, results."""
        path = urlsplit(self.path).path
        if path.startswith("/control/"):
            self._send(_CONTROL[path](self.server.account, None))
        elif path.startswith("/results/"):
            self._route("result", lambda: self._result(path.removeprefix("/results/").partition(".")[0]))
        elif path.rstrip("/") == f"{API}/tasks":
            self._route("list", self._list)
        elif path.startswith(f"{API}/tasks/"):
            self._route("query", lambda: self._query(path.removeprefix(f"{API}/tasks/")))
        else:
            self._send(refuse(404, "NotFound", "no such route"))

    def do_POST(self) -> None:
        """Orders, cancels, control."""
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if path.startswith("/control/"):
            self._send(_CONTROL[path](self.server.account, json.loads(body)))
        elif path.removeprefix(API) in COUNTERS:
            order = json.loads(body)
            self._route("create", lambda: self._create(path.removeprefix(API), order), picture_orders.words_of(order))
        elif path.endswith("/cancel"):
            self._route("cancel", lambda: self._cancel(path.split("/")[-2]))
        else:
            self._send(refuse(404, "NotFound", "no such route"))

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    # -------------------------------------------------------------- faults

    def _route(self, name: str, work: Callable[[], Reply], prompt: str = "") -> None:
        fault = self.server.account.fault(name, prompt)
        kind = fault.kind if fault else ""
        if fault and kind == "slow_before":
            time.sleep(fault.seconds)
        done = work() if not fault or kind.startswith("slow") or kind.endswith("after") else None
        if fault and kind == "slow_after":
            time.sleep(fault.seconds)
        if done is not None and (not fault or kind.startswith("slow")):
            self._send(done)
        elif done is not None and kind == "cut_after":
            self._send(replace(done, body=done.body[: len(done.body) // 2]))
        elif fault:
            self._fail(fault)

    def _fail(self, fault: Fault) -> None:
        match fault.kind:
            case "drop_before" | "drop_after":
                self.close_connection = True
            case "error_before" | "error_after":
                self._send(refuse(fault.status, fault.code, fault.message, fault.retry_after))
            case "html":
                self._send(Reply(fault.status, b"<html>Bad gateway</html>", "text/html"))
            case "garbled":
                self._send(Reply(200, b'{"output": {"task_'))
            case "truncated":
                self._head(Reply(media_type="video/mp4"), length=100_000)
                self.wfile.write(b"\0" * 1000)
            case "drip":
                self._drip()
            case _:
                raise ValueError(fault.kind)

    def _drip(self) -> None:
        """One byte now and then, until the other end has had enough."""
        self._head(Reply(media_type="video/mp4"), length=None)
        try:
            while True:
                self.wfile.write(b"\0")
                self.wfile.flush()
                time.sleep(0.02)
        except OSError:
            return

    # -------------------------------------------------------------- answers

    def _send(self, reply: Reply) -> None:
        try:
            self._head(reply, len(reply.body))
            self.wfile.write(reply.body)
        except OSError:
            return  # the other end was killed

    def _head(self, reply: Reply, length: int | None) -> None:
        self.protocol_version = "HTTP/1.1"
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        if reply.retry_after is not None:
            self.send_header("Retry-After", reply.retry_after)
        if reply.status in (301, 302):
            self.send_header("Location", reply.body.decode())
        self.end_headers()
        self.close_connection = True

    def _bad_key(self) -> Reply | None:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key.startswith("sk-") or "wrong" in key:
            return refuse(401, "InvalidApiKey", "Invalid API-key provided.")
        return None

    # -------------------------------------------------------------- routes

    def _create(self, path: str, order: Mapping[str, Any]) -> Reply:
        if problem := self._bad_key():
            return problem
        if self.headers.get("X-DashScope-Async") != "enable":
            return refuse(403, "AccessDenied", "current user api does not support synchronous calls.")
        if surplus := self.server.account.surplus():
            return refuse(429, *surplus)
        counter = COUNTERS[path]
        if wrong := counter.mistake(path, order):
            return refuse(404 if "Model" in wrong else 400, *wrong.split(": ", 1))
        line, pictures = counter.line_of(order, self.headers["Authorization"][-4:]), counter.pictures(order)
        self.server.account.accept(line, pictures[0] if pictures else b"")
        return say(output={"task_status": "PENDING", "task_id": line.id})

    def _query(self, task_id: str) -> Reply:
        if problem := self._bad_key():
            return problem
        account = self.server.account
        task = account.find(task_id)
        if task is None:
            return say(output={"task_id": task_id, "task_status": "UNKNOWN"})
        status = account.status(task)
        output = {"task_id": task_id, "task_status": status, "submit_time": _service_time(task.line.at)}
        if status == "FAILED":
            output["code"], output["message"] = task.failure(account.failures) or ("", "")
        if status != "SUCCEEDED":
            return say(output=output)
        return say(**succeeded(output, task, account.knobs, self.server.origin))

    def _list(self) -> Reply:
        if problem := self._bad_key():
            return problem
        query = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        account = self.server.account
        zone = timezone(timedelta(hours=account.knobs.list_zone))
        until = _instant(query.get("end_time"), zone) or time.time()
        since = _instant(query.get("start_time"), zone) or until - 86_400
        if until - since > 86_400:
            return refuse(400, "InvalidParameter", "the span is longer than 24 hours")
        rows = account.listed(since, until, query.get("model_name"))
        number, size = int(query.get("page_no", 1)), int(query.get("page_size", 10))
        total = len(rows) if account.knobs.list_total is None else account.knobs.list_total
        page = rows[(number - 1) * size : number * size]
        return say(
            total=total,
            page_no=number,
            page_size=size,
            data=[_row(task, account.status(task)) for task in page],
        )

    def _cancel(self, task_id: str) -> Reply:
        if problem := self._bad_key():
            return problem
        account = self.server.account
        with account.lock:
            task = account.find(task_id)
            if task is None or account.status(task) != "PENDING":
                return refuse(400, "UnsupportedOperation", "Failed to cancel the task: it is not PENDING.")
            task.is_cancelled = True
        return say()

    def _result(self, task_id: str) -> Reply:
        account = self.server.account
        task = account.find(task_id)
        if task is None or "Authorization" in self.headers:
            return refuse(403, "AccessDenied", "no such result, or a key where none belongs")
        with account.lock:
            task.asked_for_result += 1
            if task.asked_for_result <= account.knobs.absent_results:
                return Reply(404, b"<Error><Code>NoSuchKey</Code></Error>", "application/xml")
        body, media_type = result_of(task, account.knobs)
        return Reply(body=body, media_type=media_type)


# ------------------------------------------------------------------ rows and times


def _row(task: Task, status: str) -> dict[str, Any]:
    return {
        "task_id": task.line.id,
        "model_name": task.line.model,
        "status": status,
        "gmt_create": int(task.line.at * 1000),
        "request_id": new_id(),
        "region": "cn-beijing",
        "api_key_id": "1",
    }


def _service_time(at: float) -> str:
    return datetime.fromtimestamp(at, timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _instant(text: str | None, zone: timezone) -> float | None:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=zone).timestamp() if text else None


# ------------------------------------------------------------------ control


def _add_fault(account: Account, body: Any) -> Reply:
    with account.lock:
        account.faults.append(Fault(**body))
    return say()


def _turn(account: Account, body: Any) -> Reply:
    account.turn(body)
    return say()


def _add_failure(account: Account, body: Any) -> Reply:
    with account.lock:
        account.failures[body["words"]] = (body["code"], body["message"])
    return say()


def _add_foreign(account: Account, body: Any) -> Reply:
    return say(id=account.accept_foreign(**body))


def _reset(account: Account, _body: Any) -> Reply:
    account.reset()
    return say()


def _calls(account: Account, _body: Any) -> Reply:
    with account.lock:
        return say(came=dict(account.came))


_CONTROL: Mapping[str, Callable[[Account, Any], Reply]] = {
    "/control/faults": _add_fault,
    "/control/knobs": _turn,
    "/control/failures": _add_failure,
    "/control/foreign": _add_foreign,
    "/control/calls": _calls,
    "/control/reset": _reset,
}
