"""Movies (MP4, MOV, M4V, WebM, Matroska) opened so that the file itself is all that is ever read.

The demuxer is forced, so no playlist is followed; the bytes come through a file object of ours and every further
open is refused, so no reference out of the file is; only the decoders that clips really use may run. Times are the
container's own. Transparent VP8 and VP9 go through libvpx by name, because the built-in decoders drop the alpha.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, cast

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from popcond.errors import UnreadableClip
from popcond.media import reel
from popcond.media.look import Look
from popcond.media.reel import ClipFacts, ClipLimits, Still
from popcond.media.signature import FileKind

_DEMUXERS = {FileKind.MOVIE: "mov", FileKind.MATROSKA: "matroska"}
_CONTAINERS = {FileKind.MOVIE: "mp4/mov", FileKind.MATROSKA: "webm/matroska"}
_DECODERS = ("h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "mjpeg", "prores", "qtrle", "png", "ffv1")
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_THREADS = 2
_BROKEN = "Export it again (MP4 with H.264 is safest), and check that it plays to its end."


@dataclass(frozen=True)
class _Timeline:
    """What the packets say, without decoding any."""

    unit: Fraction  # seconds; frames that leave the decoder at its end no longer say it themselves
    start: Fraction  # seconds
    end: Fraction
    frames: int  # that are meant to be shown
    promised: int  # by the container's header; 0 when it says nothing
    has_alpha: bool  # packets carry a second, transparent layer


class Movie:
    """A movie that is open; a Reel."""

    def __init__(self, path: Path, kind: FileKind, limits: ClipLimits) -> None:
        self._path, self._kind, self._limits = path, kind, limits
        with self._opened() as (container, stream):
            self._timeline = _timeline(path.name, container, stream, limits)
        self.promised = self._timeline.promised
        with self._opened() as (container, stream):
            first = _first_frame(self._frames(container, stream), path.name)
            self._look = Look(first, stream, limits)
            self.facts = self._facts(has_alpha=self._look.is_see_through(first))

    def stills(self) -> Iterator[Still | None]:
        """See Reel.stills."""
        with self._opened() as (container, stream):
            for frame in self._frames(container, stream):
                yield self._still(frame) if frame is not None else None

    def _still(self, frame: av.VideoFrame) -> Still | None:
        if frame.pts is None:
            return None
        at = frame.pts * self._timeline.unit - self._timeline.start
        return Still(float(at), partial(self._look.draw, frame))

    @contextmanager
    def _opened(self) -> Iterator[tuple[InputContainer, VideoStream]]:
        with ExitStack() as stack:
            file = stack.enter_context(self._path.open("rb"))
            try:
                container = stack.enter_context(
                    av.open(
                        file,
                        "r",
                        format=_DEMUXERS[self._kind],
                        options=_opening_options(self._limits),
                        metadata_errors="replace",
                        io_open=_refuse_to_open,
                    )
                )
            except (FFmpegError, ValueError) as error:
                raise UnreadableClip(f"{self._path.name} is damaged or not complete.", cure=_BROKEN) from error
            yield container, _video_stream(self._path.name, container, self._limits)

    def _frames(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame | None]:
        context = _decoder(stream, self._limits, has_alpha=self._timeline.has_alpha)
        for packet in _packets(container, stream):
            yield from _decoded(context, packet)
        yield from _decoded(context, None)

    def _facts(self, *, has_alpha: bool) -> ClipFacts:
        seconds = float(self._timeline.end - self._timeline.start)
        frames = self._timeline.frames
        width, height = self._look.shown
        reel.check_extent(self._path.name, width, height, self._limits)
        return ClipFacts(
            container=_CONTAINERS[self._kind],
            width=width,
            height=height,
            frames=frames,
            seconds=seconds,
            fps=frames / seconds if seconds > 0 else 0.0,
            has_alpha=has_alpha,
            rotated=self._look.is_turned,
            notes=self._look.notes,
        )


# ------------------------------------------------------------------ opening


def _refuse_to_open(url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    raise PermissionError(f"a clip may not open {url}")


def _opening_options(limits: ClipLimits) -> dict[str, str]:
    """The probe's decoders may see somewhat larger frames, so that the refusal can tell their size."""
    return {"codec_whitelist": ",".join(_DECODERS), "max_pixels": str(4 * limits.max_pixels)}


def _video_stream(name: str, container: InputContainer, limits: ClipLimits) -> VideoStream:
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        raise UnreadableClip(f"{name} holds no video.", cure="Choose a file with moving pictures.")
    stream = streams[0]
    _check_codec(name, stream)
    reel.check_extent(name, stream.codec_context.width, stream.codec_context.height, limits)
    return stream


def _check_codec(name: str, stream: VideoStream) -> None:
    context: VideoCodecContext | None = stream.codec_context  # None: unknown, or encrypted
    if context is None:
        raise UnreadableClip(
            f"{name} is copy-protected, or uses a codec that we do not know.", cure="Export it as MP4 with H.264."
        )
    if context.name not in _DECODERS:
        raise UnreadableClip(
            f"{name} uses the codec {context.name}, which we do not read.", cure="Export it as MP4 with H.264."
        )


def _decoder(stream: VideoStream, limits: ClipLimits, *, has_alpha: bool) -> VideoCodecContext:
    context = stream.codec_context
    if has_alpha and context.name in _WITH_ALPHA:
        context = cast(VideoCodecContext, VideoCodecContext.create(_WITH_ALPHA[context.name], "r"))
        context.extradata = stream.codec_context.extradata
    context.options = {"max_pixels": str(limits.max_pixels)}
    context.thread_count = _THREADS
    context.thread_type = "AUTO"
    return context


# ------------------------------------------------------------------ packets


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """The stream's packets up to the first place where the file cannot be followed any more."""
    try:
        for packet in container.demux(stream):
            if packet.size:
                yield packet
    except FFmpegError:
        return


def _timeline(name: str, container: InputContainer, stream: VideoStream, limits: ClipLimits) -> _Timeline:
    """Read every packet's times. Raises before a long clip has been read to its end."""
    times: list[tuple[Fraction, Fraction]] = []
    unit = stream.time_base or Fraction(1, 1000)
    packets, has_alpha = 0, stream.metadata.get("alpha_mode") == "1"
    for packet in _packets(container, stream):
        packets += 1
        has_alpha = has_alpha or packet.has_sidedata("matroska_block_additional")
        at = packet.pts if packet.pts is not None else packet.dts
        if at is not None and not packet.is_discard:
            times.append((at * unit, (packet.duration or 0) * unit))
            reel.check_length(name, len(times), float(times[-1][0] - times[0][0]), limits)
    start, end = _span(times)
    promised = _promised(container, stream, len(times), start, end) - (packets - len(times))  # some are never shown
    reel.check_whole(name, len(times), promised, limits)
    reel.check_moves(name, len(times), float(end - start))
    return _Timeline(unit, start, end, len(times), promised, has_alpha)


def _promised(container: InputContainer, stream: VideoStream, frames: int, start: Fraction, end: Fraction) -> int:
    """How many packets the header announces: MP4 counts them, Matroska only says when the last one ends."""
    if stream.frames or end <= start:
        return stream.frames
    if len(container.streams) > 1 or not container.duration:  # the sound may be what lasts longer
        return 0
    missing = round((Fraction(container.duration, av.time_base) - end) * frames / (end - start))
    return frames + missing if missing > 0 else 0


def _span(times: list[tuple[Fraction, Fraction]]) -> tuple[Fraction, Fraction]:
    """Start and end in seconds; a last frame of no stated length lasts as long as the mean one."""
    if len(times) < 2:
        return Fraction(0), Fraction(0)
    start, (last, lasts) = min(times)[0], max(times)
    mean = (last - start) / (len(times) - 1)
    return start, last + (lasts if 0 < lasts <= 4 * mean else mean)


def _decoded(context: VideoCodecContext, packet: Packet[Any] | None) -> Iterator[av.VideoFrame | None]:
    try:
        for frame in context.decode(packet):
            yield None if frame.is_corrupt else frame
    except FFmpegError:
        yield None


def _first_frame(frames: Iterator[av.VideoFrame | None], name: str) -> av.VideoFrame:
    frame = next((frame for frame in frames if frame is not None), None)
    if frame is None:
        raise UnreadableClip(f"Not one frame of {name} can be decoded.", cure=_BROKEN)
    return frame
