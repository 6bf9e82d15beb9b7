"""Frames written as an H.264 clip that every player shows in the same colours.

The clip says what it is: BT.709 matrix, primaries and transfer, limited range, 4:2:0. Flat colours stay flat and come
back within ±3 of what was written. There is no sound, and nothing is renamed: the caller owns the path.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from av.video.stream import VideoStream

from popcond.errors import OutOfDisk, PopconError
from popcond.media.raster import Rgb

_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP


def write_h264(frames: Iterable[Rgb], *, fps: int, to: Path, crf: int = 14) -> None:
    """Write (H, W, 3) frames of one size to `to` as MP4; streams, so `frames` may be a generator.

    An odd side gets its last row or column twice. Raises ValueError without frames, OutOfDisk when the disk is full.
    """
    waiting = iter(frames)
    first = next(waiting, None)
    if first is None:
        raise ValueError("a clip needs at least one frame")
    try:
        with av.open(to, "w", format="mp4", options={"movflags": "+faststart"}) as container:
            stream = _h264_stream(container, first, fps=fps, crf=crf)
            for number, frame in enumerate(chain((first,), waiting)):
                container.mux(stream.encode(_picture(frame, number, fps)))
            container.mux(stream.encode(None))
    except (FFmpegError, OSError) as error:
        raise _not_written(to, error) from error


def _h264_stream(container: OutputContainer, frame: Rgb, *, fps: int, crf: int) -> VideoStream:
    stream = container.add_stream(
        "libx264", rate=fps, options={"crf": str(crf), "preset": "veryfast", "g": str(fps), "threads": "2"}
    )
    stream.height, stream.width = (side + side % 2 for side in frame.shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.colorspace = Colorspace.ITU709
    stream.color_range = ColorRange.MPEG
    stream.color_primaries = ColorPrimaries.BT709
    stream.color_trc = ColorTrc.BT709
    return stream


def _picture(frame: Rgb, number: int, fps: int) -> av.VideoFrame:
    picture = av.VideoFrame.from_ndarray(_even(frame), format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=_EXACT,
        threads=1,
    )
    picture.pts = number
    picture.time_base = Fraction(1, fps)
    return picture


def _even(frame: Rgb) -> Rgb:
    below, right = frame.shape[0] % 2, frame.shape[1] % 2
    if not (below or right):
        return np.ascontiguousarray(frame)
    return np.asarray(cv2.copyMakeBorder(frame, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def _not_written(to: Path, error: FFmpegError | OSError) -> PopconError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfDisk(f"The disk is full: {to.name} could not be written.", cure="Free some space and retry.")
    return PopconError(
        f"{to.name} could not be written: {error.strerror or error}.", cure="Check the folder's permissions."
    )
