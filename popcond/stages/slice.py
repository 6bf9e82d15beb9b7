"""SLICE: the clip becomes numbered frames with their true durations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from popcond.assets import Assets
from popcond.errors import BadInput
from popcond.media.clip import ClipLimits, probe, read_frames
from popcond.media.raster import png
from popcond.stages.work import Finish, Work
from popcond.store import emojis, frames
from popcond.store.db import Connection, Database
from popcond.store.frames import RawFrame
from popcond.workers import Report, Workers


@dataclass(frozen=True)
class Slices:
    """A clip in frames, all of one size."""

    frames: tuple[RawFrame, ...]
    notes: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """How long the clip lasts."""
        return sum(frame.seconds for frame in self.frames)


async def slice_clip(database: Database, assets: Assets, workers: Workers, limits: ClipLimits, work: Work) -> Finish:
    """Decode the chosen take. Raises UnreadableClip and TooLarge."""
    take = await database.read(lambda connection: emojis.chosen_take(connection, work.emoji.id))
    slices = await workers.run(cut_into_frames, work.report, assets, take.clip, limits)

    def finish(connection: Connection) -> None:
        first = slices.frames[0]
        frames.replace(connection, work.emoji.id, slices.frames)
        emojis.describe_take(connection, take.id, seconds=slices.seconds)
        emojis.note(connection, work.emoji.id, slices.notes)
        emojis.describe_frames(
            connection,
            work.emoji.id,
            count=len(slices.frames),
            fps=len(slices.frames) / slices.seconds,
            width=first.width,
            height=first.height,
        )

    return finish


def cut_into_frames(report: Report, assets: Assets, name: str, limits: ClipLimits) -> Slices:
    """In a child process: strangers' bytes are decoded here and nowhere else. Raises UnreadableClip and TooLarge.

    The clip is held until its last frame is cut, for it is opened several times and may be deleted meanwhile.
    """
    with assets.held(name) as clip:
        try:
            return _cut(report, assets, clip, limits)
        except BadInput as error:  # it names the file, which is ours and means nothing to anybody
            message = error.message.replace(clip.name, "The clip")
            raise type(error)(message, cure=error.cure, details=error.details, code=error.code) from error


def _cut(report: Report, assets: Assets, clip: Path, limits: ClipLimits) -> Slices:
    rows: list[RawFrame] = []
    notes: list[str] = []
    expected = max(probe(clip, limits=limits).frames, 1)
    for frame in read_frames(clip, limits=limits, report=notes.append):
        height, width = frame.rgb.shape[:2]
        own_alpha = assets.put(png(frame.alpha)) if frame.alpha is not None else None
        rows.append(RawFrame(assets.put(png(frame.rgb)), own_alpha, width, height, frame.seconds))
        report(len(rows) / expected)
    return Slices(tuple(rows), tuple(notes))
