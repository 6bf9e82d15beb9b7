"""Alibaba's DashScope (Wan image-to-video) as a VideoProvider: clips for money.

The character is laid on the chosen backdrop, and a model moves it. Orders are sent once (see dashscope_gateway); prices
and lengths are rows (see dashscope_models). What this object remembers costs nothing to forget.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from popcond.errors import ProviderFailed, ProviderUnreachable
from popcond.media.raster import Colour, from_png, png
from popcond.video.dashscope_answers import Output, TaskAnswer, Usage
from popcond.video.dashscope_gateway import Answer, Gateway
from popcond.video.dashscope_list import listed
from popcond.video.dashscope_models import BEIJING_URL, MODELS, Model, Region, model_named, region_of
from popcond.video.dashscope_refusals import failure
from popcond.video.fetch import Rules, fetch
from popcond.video.provider import ClipRequest, RemoteTask, TaskList, TaskState, TaskStatus
from popcond.video.start_picture import start_picture
from popcond.wire import Provider

NAME = "dashscope"
RESULT_HOSTS = ("aliyuncs.com",)

_CREATE = "/services/aigc/video-generation/video-synthesis"
_STAGING = (
    "The whole body stays in the frame. Fixed camera, no zoom, no cuts. "
    "Plain flat background of one colour; nothing else appears."
)
_UNWANTED = (
    "static picture, frozen, jitter, flicker, blur, distortion, extra limbs, text, watermark, "
    "shadow on the background, cluttered background, camera movement, zoom"
)
_PATIENCE = 0.8  # of the time to settle: what is answered later than that counts as unanswered
_STATES = {
    "PENDING": TaskState.PENDING,
    "SUSPENDED": TaskState.PENDING,
    "RUNNING": TaskState.RUNNING,
    "SUCCEEDED": TaskState.SUCCEEDED,
    "FAILED": TaskState.FAILED,
    "CANCELED": TaskState.FAILED,
    "UNKNOWN": TaskState.UNKNOWN,
}


class DashScope:
    """Clips made by Wan models. The key is asked for at every request, so that a new one holds at once."""

    def __init__(
        self,
        key: Callable[[], SecretStr | None],
        *,
        base_url: str | None = None,
        hosts: tuple[str, ...] = (),
        settles_in: float = 90.0,
        poll_after: float = 10.0,
    ) -> None:
        """`key` may raise ProviderFailed. An order is waited for a little less than `settles_in` seconds."""
        self.settles_in = settles_in
        self._key = key
        self._poll_after = poll_after
        self._gateway = Gateway(base_url or BEIJING_URL, key, answers_in=max(_PATIENCE * settles_in, 1.0))
        self._region: Region = region_of(base_url or BEIJING_URL)
        self._rules = Rules((*RESULT_HOSTS, *hosts), allows_loopback=self._gateway.is_loopback)
        self._models: dict[str, str] = {}  # by task; the service does not repeat them

    def describe(self) -> Provider:
        """All models with the prices of the region; the first is the default."""
        return Provider(
            name=NAME,
            label="Alibaba DashScope (Wan)",
            models=tuple(model.on_the_wire(self._region) for model in MODELS),
            needs_key=True,
            has_key=self._has_key(),
            needs_network=True,
        )

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Order a clip, once. Raises ProviderFailed, ProviderBusy and SubmitUnanswered."""
        model = _model(request.model)
        order = _order(model, self._region, request)
        order["input"]["img_url"] = await asyncio.to_thread(
            _data_uri, request.cutout, request.backdrop, model.side(self._region)
        )
        task = await self._gateway.create(_CREATE, order)
        self._models[task] = model.name
        return RemoteTask(NAME, task)

    async def tasks(self, since: float, until: float) -> TaskList:
        """What the account accepted, ours and others'. Incomplete when it reaches back further than is kept."""
        listing = await listed(self._gateway, since, until)
        self._models |= {task.id: task.model for task in listing.tasks}
        return listing

    async def check(self, task: RemoteTask) -> TaskStatus:
        """How far it is. Raises ProviderUnreachable."""
        answer = _read(await self._gateway.ask(f"/tasks/{_in_path(task.id)}"))
        output, state = answer.output, _STATES.get(answer.output.task_status, TaskState.RUNNING)
        if state is TaskState.SUCCEEDED:
            return await self._succeeded(task, answer)
        return TaskStatus(
            task,
            state,
            progress=0.3 if state is TaskState.RUNNING else 0.0,  # the service tells no more
            message=_why_failed(output) if state is TaskState.FAILED else "",
            billed=0.0 if output.task_status == "FAILED" else None,
            prompt=output.orig_prompt,
            poll_after=self._poll_after,
        )

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Fetch the clip. Raises ProviderUnreachable, and ProviderFailed for a place that is not the provider's."""
        if not status.result:
            raise ProviderFailed("DashScope names no place of this clip.", cure="Retry the emoji.")
        await fetch(status.result, to, self._rules)

    async def cancel(self, task: RemoteTask) -> bool:
        """Only what has not begun can be stopped."""
        try:
            return await self._gateway.wish(f"/tasks/{_in_path(task.id)}/cancel")
        except ProviderUnreachable:
            return False

    def _has_key(self) -> bool:
        try:
            return self._key() is not None
        except ProviderFailed:  # one that is no good; orders say so
            return False

    async def _succeeded(self, task: RemoteTask, answer: TaskAnswer) -> TaskStatus:
        output, usage = answer.output, answer.billed()
        is_here = bool(output.video_url)
        return TaskStatus(
            task,
            TaskState.SUCCEEDED if is_here else TaskState.FAILED,
            progress=1.0,
            result=output.video_url,
            message="" if is_here else "DashScope says that the clip is ready, but not where. Retry the emoji.",
            billed=self._sum(await self._model_of(output), usage) if usage else None,
            prompt=output.orig_prompt,
        )

    async def _model_of(self, output: Output) -> Model | None:
        """By memory; after a restart by the list, since the answer to a query does not tell it."""
        if output.task_id not in self._models and (at := output.submitted_at) is not None:
            try:
                await self.tasks(at - 60.0, at + 60.0)
            except ProviderUnreachable:
                return None
        return model_named(self._models.get(output.task_id, ""))

    def _sum(self, model: Model | None, usage: Usage) -> float | None:
        """Seconds × price of the size that was made; None for what is on no price list of ours."""
        seconds = usage.duration or usage.video_duration
        if model is None or seconds is None:
            return None
        prices = model.prices[self._region]
        price = prices.get(usage.tier or model.tier(self._region))
        return round(price * seconds * usage.video_count, 6) if price is not None else None


# ------------------------------------------------------------------ the order


def _model(name: str) -> Model:
    model = model_named(name)
    if model is None:
        raise ProviderFailed(
            f"There is no DashScope model {name!r}.", cure=f"Choose: {', '.join(row.name for row in MODELS)}."
        )
    return model


def _order(model: Model, region: Region, request: ClipRequest) -> dict[str, Any]:
    """Everything that has a default over there is said: defaults cost more and change."""
    seconds = model.length(request.seconds)
    if seconds is None:
        raise ProviderFailed(
            f"{model.name} makes clips of {max(model.seconds)} seconds at most.", cure="Ask for a shorter clip."
        )
    parameters: dict[str, Any] = {
        "resolution": f"{model.tier(region)}P",
        "prompt_extend": False,
        "watermark": False,
    }
    if model.has_duration:
        parameters["duration"] = seconds
    if model.has_audio_switch:
        parameters["audio"] = False
    prompt = {"prompt": _prompt(model, request), "negative_prompt": _UNWANTED}
    return {"model": model.name, "input": prompt, "parameters": parameters}


def _prompt(model: Model, request: ClipRequest) -> str:
    """Motion, effects, staging. Raises ProviderFailed for one that the service would cut."""
    parts = (request.motion_prompt.strip(), request.action.effect_prompt.strip(), _STAGING)
    prompt = " ".join(part for part in parts if part)
    if len(prompt) > model.longest_prompt:
        raise ProviderFailed(
            f"The prompt is {len(prompt) - model.longest_prompt} characters too long for {model.name}.",
            cure="Shorten the motion prompt, or choose another model.",
        )
    return prompt


def _data_uri(cutout: Path, backdrop: Colour, side: int) -> str:
    try:
        figure = from_png(cutout.read_bytes())
    except FileNotFoundError as error:
        raise ProviderFailed("The character's cut-out is gone.", cure="Add the character again.") from error
    picture = png(start_picture(figure, backdrop, side))
    return f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}"


# ------------------------------------------------------------------ the answers


def _read(answer: Answer) -> TaskAnswer:
    read = answer.read(TaskAnswer)
    if read is None:
        raise ProviderUnreachable("DashScope's answer cannot be read.", cure="It is asked again by itself.")
    return read


def _why_failed(output: Output) -> str:
    if output.task_status == "CANCELED":
        return "This clip was cancelled at the provider. Retry the emoji to make a new one."
    return failure(output.code, output.message)


def _in_path(task: str) -> str:
    """An id as one piece of a path, whatever somebody typed for it."""
    return "".join(sign for sign in task if sign.isalnum() or sign in "-_") or "-"
