"""What cameras, codecs and scaling leave of a picture: blur, grain, JPEG, H.264, half the pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, cast

import av
import cv2
import numpy as np

from popcond.media.raster import Floats, Rgb


def worn(pictures: Sequence[Floats], rng: np.random.Generator) -> list[Rgb]:
    """The frames of one scene, all worn in the same way; a still is a scene of one frame."""
    soft = float(rng.uniform(0.3, 1.1)) if rng.random() < 0.3 else 0.0
    grain = float(rng.uniform(0.5, 7.0)) if rng.random() < 0.5 else 0.0
    coarse = float(rng.uniform(0.45, 0.9)) if rng.random() < 0.15 else 1.0
    frames = [_seen(picture, rng, soft, grain, coarse) for picture in pictures]
    if rng.random() < 0.5:
        return _compressed(frames, rng)
    return frames


def _seen(picture: Floats, rng: np.random.Generator, soft: float, grain: float, coarse: float) -> Rgb:
    if coarse < 1.0:
        side = picture.shape[0]
        small = cv2.resize(picture, None, fx=coarse, fy=coarse, interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR), np.float32)
    if soft:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), soft), np.float32)
    if grain:
        picture = picture + rng.normal(0, grain, picture.shape).astype(np.float32)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def _compressed(frames: list[Rgb], rng: np.random.Generator) -> list[Rgb]:
    if len(frames) > 1 and rng.random() < 0.6:
        return h264(frames, int(rng.integers(16, 36)))
    quality = int(rng.integers(30, 95))
    return [jpeg(frame, quality) for frame in frames]


def jpeg(frame: Rgb, quality: int) -> Rgb:
    """What a JPEG of that quality shows."""
    _, data = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def h264(frames: Sequence[Rgb], crf: int) -> list[Rgb]:
    """What an H.264 clip of that quality shows; the sides must be even."""
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        options = {"crf": str(crf), "preset": "ultrafast", "threads": "1"}
        stream = cast(Any, container.add_stream("libx264", rate=24, options=options))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for rgb in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    data.seek(0)
    with av.open(data, "r") as clip:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in clip.decode(video=0)]
