"""The routes of refinement: frames prepared, masks predicted and changed, edits taken back and done again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from popcond.line import Line, quoted
from popcond.wire import Apply, Edited, Embed, Embedding, Frame, Mode, Point, Predict, Propagate, Propagating, Wire


@dataclass(frozen=True)
class Predicted:
    """What points mean, before anything is changed."""

    png: bytes  # RGBA, the size of the frame; visible where the mask is
    score: float  # 0..1, how sure the engine is
    coverage: float  # 0..1, share of the frame
    engine: str


class RefineRoutes:
    """Refinement, one method a route."""

    _line: Line

    async def embed(self, emoji_id: str, frames: Sequence[int] | None = None) -> Embedding:
        """Prepare these frames for clicks; None: all of them."""
        return await self._line.one(
            Embedding, "POST", _sam(emoji_id, "embed"), Embed(frames="all" if frames is None else tuple(frames))
        )

    async def predict(self, emoji_id: str, frame: int, points: Sequence[Point]) -> Predicted:
        """The mask that the points mean; changes nothing. Raises BadInput for a point outside."""
        body = _json(Predict(frame=frame, points=tuple(points)))
        answer = await self._line.send("POST", _sam(emoji_id, "predict"), json=body)
        told = answer.headers
        score, coverage = float(told.get("X-Popcon-Score", 0)), float(told.get("X-Popcon-Coverage", 0))
        return Predicted(answer.content, score, coverage, told.get("X-Popcon-Engine", ""))

    async def apply(self, emoji_id: str, frame: int, points: Sequence[Point], mode: Mode = "replace") -> Frame:
        """Change a frame's mask by what the points mean. Raises BadInput, and Conflict while the emoji is worked on."""
        asked = Apply(frame=frame, points=tuple(points), mode=mode)
        return await self._line.one(Frame, "POST", _sam(emoji_id, "apply"), asked)

    async def propagate(
        self, emoji_id: str, frames: Mapping[int, Sequence[Point]], span: tuple[int, int] | None = None
    ) -> Propagating:
        """Carry what is meant on these frames along the clip, in the background; `edit_made` tells its end."""
        asked = Propagate(frames={index: tuple(points) for index, points in frames.items()}, range=span)
        return await self._line.one(Propagating, "POST", _sam(emoji_id, "propagate"), asked)

    async def cancel_propagation(self, emoji_id: str) -> None:
        """End it; it has changed nothing. Raises Conflict when there is none."""
        await self._line.send("POST", _sam(emoji_id, "cancel"))

    async def undo(self, emoji_id: str) -> Edited:
        """Take the newest edit back. Raises Conflict when there is none."""
        return await self._line.one(Edited, "POST", f"/v1/emojis/{quoted(emoji_id)}/edits/undo")

    async def redo(self, emoji_id: str) -> Edited:
        """Do again what was undone last. Raises Conflict when there is nothing."""
        return await self._line.one(Edited, "POST", f"/v1/emojis/{quoted(emoji_id)}/edits/redo")


def _sam(emoji_id: str, route: str) -> str:
    return f"/v1/emojis/{quoted(emoji_id)}/sam/{route}"


def _json(asked: Wire) -> object:
    return asked.model_dump(mode="json")
