"""The stand-in's HTTP: orders, questions, the list, cancelling and results, as the service documents them.

It takes one key, the rehearsal's own, and what it answers leads nowhere but to itself.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from popcond.rehearsal.orders import CLIP_PATHS, PICTURE_PATHS, NoSuchModel, Ordered, clip_order, picture_order
from popcond.rehearsal.studio import Studio
from popcond.rehearsal.tasks import Book, Task
from popcond.video.dashscope_picture_models import PictureShape, picture_row

API = "/api/v1"

_ZONE = timezone(timedelta(hours=8))  # of the service's clocks

_Endpoint = Callable[[Request], Awaitable[Response]]
_Read = Callable[[bytes, str], Ordered]  # body and path


class Service:
    """One account whose clips and pictures cost nothing, at `origin`."""

    def __init__(self, book: Book, studio: Studio, key: str, origin: str) -> None:
        self._book = book
        self._studio = studio
        self._key = f"Bearer {key}".encode()
        self._origin = origin

    def app(self) -> Starlette:
        """The routes."""

        @contextlib.asynccontextmanager
        async def life(_app: Starlette) -> AsyncIterator[None]:
            self._studio.open()
            yield

        return Starlette(
            routes=[
                *(self._order_route(path, clip_order) for path in CLIP_PATHS),
                *(self._order_route(path, picture_order) for path in PICTURE_PATHS),
                Route(f"{API}/tasks", self._known(self._list)),
                Route(f"{API}/tasks/{{id}}", self._known(self._query)),
                Route(f"{API}/tasks/{{id}}/cancel", self._known(self._cancel), methods=["POST"]),
                Route("/results/{id}", self._result),
            ],
            lifespan=life,
        )

    def _known(self, endpoint: _Endpoint) -> _Endpoint:
        """The endpoint for bearers of the rehearsal's key."""

        async def guarded(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode("utf-8", "surrogateescape")
            if not secrets.compare_digest(given, self._key):
                return _refuse(401, "InvalidApiKey", "Invalid API-key provided.")
            return await endpoint(request)

        return guarded

    def _order_route(self, path: str, read: _Read) -> Route:
        async def create(request: Request) -> Response:
            return await self._create(request, path, read)

        return Route(f"{API}{path}", self._known(create), methods=["POST"])

    async def _create(self, request: Request, path: str, read: _Read) -> Response:
        if request.headers.get("x-dashscope-async") != "enable":
            return _refuse(403, "AccessDenied", "current user api does not support synchronous calls.")
        try:
            order = read(await request.body(), path)
        except NoSuchModel:
            return _refuse(404, "ModelNotFound", "Model can not be found.")
        except ValueError:
            return _refuse(400, "InvalidParameter", "url error, please check url!")
        task = self._book.accept(order)
        self._studio.begin(task)
        return _say(output={"task_id": task.id, "task_status": "PENDING"})

    async def _query(self, request: Request) -> Response:
        task = self._book.find(request.path_params["id"])
        if task is None:
            return _say(output={"task_id": request.path_params["id"], "task_status": "UNKNOWN"})
        status = self._studio.status(task)
        told = {"task_id": task.id, "task_status": status, "submit_time": _service_time(task.at)}
        if status == "FAILED":
            return _say(output={**told, "code": "InternalError", "message": task.failure})
        if status != "SUCCEEDED":
            return _say(output=told)
        made = (_drawn if task.is_picture else _filmed)(task, f"{self._origin}/results/{task.id}")
        return _say(output={**told, **made.output}, usage=made.usage)

    async def _list(self, request: Request) -> Response:
        wanted = request.query_params
        try:
            rows = _within(self._book.all(), wanted)
            number, size = int(wanted.get("page_no", "1")), int(wanted.get("page_size", "10"))
        except ValueError:
            return _refuse(400, "InvalidParameter", "a time or a number cannot be read")
        page = rows[max(number - 1, 0) * size : max(number, 1) * size]
        return _say(total=len(rows), page_no=number, page_size=size, data=[self._row(task) for task in page])

    def _row(self, task: Task) -> dict[str, Any]:
        return {
            "task_id": task.id,
            "model_name": task.model,
            "status": self._studio.status(task),
            "gmt_create": int(task.at * 1000),
        }

    async def _cancel(self, request: Request) -> Response:
        task = self._book.find(request.path_params["id"])
        if task is None or self._studio.status(task) != "PENDING":
            return _refuse(400, "UnsupportedOperation", "Failed to cancel the task: it is not PENDING.")
        self._book.keep(task.model_copy(update={"is_cancelled": True}))
        return _say()

    async def _result(self, request: Request) -> Response:
        task = self._book.find(request.path_params["id"])
        if task is None or self._studio.status(task) != "SUCCEEDED":
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404, media_type="application/xml")
        return FileResponse(self._book.result(task), media_type="image/png" if task.is_picture else "video/mp4")


@dataclass(frozen=True)
class _Made:
    """What is said of a task that has succeeded."""

    output: Mapping[str, Any]
    usage: Mapping[str, Any]


def _filmed(task: Task, place: str) -> _Made:
    return _Made(
        {"orig_prompt": task.prompt, "video_url": place},
        {"duration": task.seconds, "video_count": 1, "SR": task.tier},
    )


def _drawn(task: Task, place: str) -> _Made:
    """Older models answer with results that repeat the prompt, newer ones with a message that does not."""
    row, usage = picture_row(task.model), {"image_count": 1, "size": f"{task.side}*{task.side}"}
    if row is None or row.shape is not PictureShape.MESSAGES:
        return _Made({"results": [{"orig_prompt": task.prompt, "url": place}]}, usage)
    message = {"role": "assistant", "content": [{"type": "image", "image": place}]}
    return _Made({"finished": True, "choices": [{"finish_reason": "stop", "message": message}]}, usage)


def _within(tasks: list[Task], wanted: Mapping[str, str]) -> list[Task]:
    """The tasks of the span and model that are asked for. Raises ValueError for a time that is none."""
    since = _instant(wanted.get("start_time")) or 0.0
    until = _instant(wanted.get("end_time")) or float("inf")
    model = wanted.get("model_name")
    return [task for task in tasks if since <= task.at <= until and model in (None, task.model)]


def _instant(text: str | None) -> float | None:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=_ZONE).timestamp() if text else None


def _service_time(at: float) -> str:
    return datetime.fromtimestamp(at, _ZONE).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _say(**answer: Any) -> JSONResponse:
    return JSONResponse({"request_id": str(uuid4()), **answer})


def _refuse(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"request_id": str(uuid4()), "code": code, "message": message}, status_code=status)
