"""What the stand-in says of a task that has succeeded, and the file that it has become."""

from __future__ import annotations

from typing import Any

from tests.cloud.account import Knobs, Task
from tests.cloud.clips import clip_of
from tests.cloud.drawings import drawing_of

_START = 640  # pixels of the picture that a clip starts from when none came with it


def succeeded(output: dict[str, Any], task: Task, knobs: Knobs, origin: str) -> dict[str, Any]:
    """Its output and usage, over what there is to say of any task."""
    if not task.line.drawn:
        return _filmed(output, task, _place(task, knobs, origin))
    return _drawn(output, task, _place(task, knobs, origin), refused=min(knobs.refused_pictures, task.line.drawn))


def result_of(task: Task, knobs: Knobs) -> tuple[bytes, str]:
    """The file and its media type."""
    if bool(task.line.drawn) == knobs.swaps_results:
        start = task.picture or drawing_of(task.line.prompt, b"", _START)
        return clip_of(start, knobs.clip_frames, is_still=task.is_flawed), "video/mp4"
    side = max(round(knobs.picture_share * (task.line.side or _START)), 16)
    return drawing_of(task.line.prompt, task.picture, side, is_cut_off=task.is_flawed), "image/png"


def _place(task: Task, knobs: Knobs, origin: str) -> str:
    """Where it is, as far as that is told."""
    kind = "png" if task.line.drawn else "mp4"
    own = f"{origin}/results/{task.line.id}.{kind}?Expires=1&Signature=s3cret"
    return (knobs.result_url or own) if knobs.tells_places else ""


def _filmed(output: dict[str, Any], task: Task, place: str) -> dict[str, Any]:
    line = task.line
    seconds = "video_duration" if "kf2v" in line.model else "duration"
    usage = {seconds: line.seconds, "video_count": 1, "SR": line.tier}
    return {"output": {**output, "orig_prompt": line.prompt, "video_url": place}, "usage": usage}


def _drawn(output: dict[str, Any], task: Task, place: str, refused: int) -> dict[str, Any]:
    """Newer models do not repeat the prompt; older ones do, with every picture, each of which may fail by itself."""
    line, count = task.line, task.line.drawn - refused
    usage = {"image_count": count, "size": f"{line.side}*{line.side}"}
    if not line.repeats:
        content = [{"type": "image", "image": place}] if place else []
        choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        return {"output": {**output, "finished": True, "choices": [choice] * count}, "usage": usage}
    failed = {"code": "InternalError.Algo", "message": "The picture could not be drawn."}
    one = {"orig_prompt": line.prompt, **({"url": place} if place else {})}
    metrics = {"TOTAL": line.drawn, "SUCCEEDED": count, "FAILED": refused}
    return {
        "output": {**output, "results": [failed] * refused + [one] * count, "task_metrics": metrics},
        "usage": usage,
    }
