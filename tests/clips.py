"""Clips for tests, written by libraries that popcond itself does not use for writing them.

`write_clip` makes one of each kind that users bring; `write_movie` turns every knob that a phone or an editor may have
turned. `moving_disc` draws frames whose every pixel is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from PIL import Image

from popcond.media.raster import Colour, Rgba, flatten
from popcond.media.video_file import write_h264

ClipKind = Literal["mp4", "mov", "webm", "gif", "apng", "webp"]
CLIP_KINDS: tuple[ClipKind, ...] = ("mp4", "mov", "webm", "gif", "apng", "webp")
KINDS_WITH_ALPHA: tuple[ClipKind, ...] = ("mov", "webm", "gif", "apng", "webp")
WHITE: Colour = (255, 255, 255)


def write_clip(kind: ClipKind, frames_rgba: Sequence[Rgba], fps: int, to: Path) -> None:
    """Write straight RGBA frames; mp4 has no alpha and lies on white, mov is lossless QuickTime Animation."""
    if kind == "mp4":
        write_h264((flatten(frame, WHITE) for frame in frames_rgba), fps=fps, to=to)
    elif kind == "mov":
        write_movie(frames_rgba, fps, to, Recording("mov", "qtrle", "argb", matrix=None))
    elif kind == "webm":
        write_movie(frames_rgba, fps, to, VP9_WITH_ALPHA)
    else:
        write_animation(kind, frames_rgba, [1000 // fps] * len(frames_rgba), to)


def write_animation(kind: ClipKind, frames_rgba: Sequence[Rgba], milliseconds: Sequence[int], to: Path) -> None:
    """Write a GIF, APNG or lossless WebP with a delay for each frame."""
    first, *rest = [Image.fromarray(frame) for frame in frames_rgba]
    options: dict[str, Any] = {"save_all": True, "append_images": rest, "duration": list(milliseconds), "loop": 0}
    if kind == "gif":
        options["disposal"] = 2
    if kind == "webp":
        options |= {"lossless": True, "exact": True}
    first.save(to, format="png" if kind == "apng" else kind, **options)


@dataclass(frozen=True)
class Recording:
    """How a movie is stored."""

    container: str
    codec: str
    layout: str  # pixel format
    matrix: int | None = Colorspace.ITU709  # None: nothing is converted, nothing is tagged
    full_range: bool = False
    tagged: bool = True
    transfer: int = 1  # AVColorTransferCharacteristic, when tagged
    primaries: int = 1
    rotation: int = 0  # degrees that a player turns it, counter-clockwise
    mirrored: bool = False
    pixel_shape: Fraction | None = None
    title: str = ""
    options: tuple[tuple[str, str], ...] = ()


VP9_WITH_ALPHA = Recording(
    "webm",
    "libvpx-vp9",
    "yuva420p",
    options=(("crf", "8"), ("b", "0"), ("cpu-used", "8"), ("deadline", "realtime")),
)
VP8_WITH_ALPHA = Recording(
    "webm",
    "libvpx",
    "yuva420p",
    matrix=Colorspace.ITU601,
    tagged=False,
    options=(("crf", "4"), ("b", "4M"), ("auto-alt-ref", "0"), ("cpu-used", "8"), ("deadline", "realtime")),
)
H264 = Recording("mov", "libx264", "yuv420p", options=(("crf", "10"), ("preset", "ultrafast")))


def write_movie(
    frames_rgba: Sequence[Rgba], fps: int, to: Path, recording: Recording, *, at: Sequence[int] | None = None
) -> None:
    """Write a movie as `recording` says; `at` gives the frames' times in milliseconds in place of a steady rate."""
    times = at or [round(number * 1000 / fps) for number in range(len(frames_rgba))]
    with av.open(to, "w", format=recording.container) as container:
        container.metadata["title"] = recording.title
        stream = container.add_stream(recording.codec, rate=fps, options=dict(recording.options))
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames_rgba[0].shape[:2]
        stream.pix_fmt = recording.layout
        stream.codec_context.time_base = Fraction(1, 1000)
        _tag(stream, recording)
        for frame, time in zip(frames_rgba, times, strict=True):
            picture = _stored(frame, recording)
            picture.pts, picture.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _tag(stream: av.VideoStream, recording: Recording) -> None:
    if recording.tagged and recording.matrix is not None:
        stream.colorspace = {Colorspace.ITU601: 6}.get(Colorspace(recording.matrix), recording.matrix)
        stream.color_range = ColorRange.JPEG if recording.full_range else ColorRange.MPEG
        stream.color_trc, stream.color_primaries = recording.transfer, recording.primaries
    if recording.rotation or recording.mirrored:
        stream.set_display_rotation(recording.rotation, hflip=recording.mirrored)
    if recording.pixel_shape:
        stream.codec_context.sample_aspect_ratio = recording.pixel_shape


def _stored(frame: Rgba, recording: Recording) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba")
    return picture.reformat(
        format=recording.layout,
        dst_colorspace=recording.matrix,
        dst_color_range=ColorRange.JPEG if recording.full_range else ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP,
        threads=1,
    )


def write_sound(to: Path) -> None:
    """Write an MP4 that holds a second of silence and no picture."""
    with av.open(to, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44_100)
        assert isinstance(stream, av.AudioStream)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 44_100), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44_100
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))


def moving_disc(count: int, *, width: int = 96, height: int = 72, colour: Colour = (200, 60, 90)) -> list[Rgba]:
    """A soft-edged disc of one colour that goes from left to right over nothing; a bar at the top marks "up"."""
    frames = []
    for number in range(count):
        alpha = np.zeros((height, width), np.uint8)
        x = round(width * (0.3 + 0.4 * number / max(count - 1, 1)))
        cv2.circle(alpha, (x, round(height * 0.6)), height // 4, 255, -1, cv2.LINE_AA)
        frame = np.zeros((height, width, 4), np.uint8)
        frame[..., :3] = colour
        frame[..., 3] = alpha
        frame[: height // 8] = (20, 40, 220, 255)
        frames.append(frame)
    return frames
