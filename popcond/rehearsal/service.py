"""The stand-in's HTTP: orders, questions, the list, cancelling and results, as the service documents them.

It takes one key, the rehearsal's own, and what it answers leads nowhere but to itself.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from popcond.rehearsal.studio import Studio
from popcond.rehearsal.tasks import Book, Task
from popcond.video.dashscope_models import model_named

API = "/api/v1"

_ZONE = timezone(timedelta(hours=8))  # of the service's clocks
_FIXED = 5  # seconds of a clip whose order names no length

_Endpoint = Callable[[Request], Awaitable[Response]]


class _Input(BaseModel):
    prompt: str = ""
    img_url: str | None = None
    first_frame_url: str | None = None
    media: tuple[dict[str, str], ...] = ()

    def picture(self) -> bytes:
        """The first frame, whichever way it came. Raises ValueError when none did."""
        frames = [item.get("url", "") for item in self.media if item.get("type") == "first_frame"]
        uri = self.img_url or self.first_frame_url or next(iter(frames), "")
        head, _, data = uri.partition(",")
        if not (head.startswith("data:image/") and head.endswith(";base64")):
            raise ValueError("not a picture")
        return base64.b64decode(data, validate=True)


class _Parameters(BaseModel):
    resolution: str = Field(default="1080P", pattern=r"^\d{3,4}P$")
    duration: int = Field(default=_FIXED, ge=1, le=60)


class _Order(BaseModel):
    model: str
    input: _Input
    parameters: _Parameters = _Parameters()


class Service:
    """One account whose clips cost nothing, at `origin`."""

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

        orders = ("video-generation", "image2video")
        return Starlette(
            routes=[
                *(
                    Route(f"{API}/services/aigc/{kind}/video-synthesis", self._known(self._create), methods=["POST"])
                    for kind in orders
                ),
                Route(f"{API}/tasks", self._known(self._list)),
                Route(f"{API}/tasks/{{id}}", self._known(self._query)),
                Route(f"{API}/tasks/{{id}}/cancel", self._known(self._cancel), methods=["POST"]),
                Route("/results/{id}.mp4", self._result),
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

    async def _create(self, request: Request) -> Response:
        if request.headers.get("x-dashscope-async") != "enable":
            return _refuse(403, "AccessDenied", "current user api does not support synchronous calls.")
        try:
            order = _Order.model_validate_json(await request.body())
            picture = order.input.picture()
        except (ValidationError, binascii.Error, ValueError):
            return _refuse(400, "InvalidParameter", "url error, please check url!")
        if model_named(order.model) is None:
            return _refuse(404, "ModelNotFound", "Model can not be found.")
        tier = int(order.parameters.resolution.removesuffix("P"))
        task = self._book.accept(order.model, order.input.prompt, order.parameters.duration, tier, picture)
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
        told |= {"orig_prompt": task.prompt, "video_url": f"{self._origin}/results/{task.id}.mp4"}
        return _say(output=told, usage={"duration": task.seconds, "video_count": 1, "SR": task.tier})

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
        return FileResponse(self._book.clip(task), media_type="video/mp4")


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
