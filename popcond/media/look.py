"""How one movie's frames become stills: upright, with square pixels, in sRGB-like 8-bit colours.

Decided once, from the first frame. The matrix and the range are what the frame says; a movie that says nothing is read
as players read it: BT.709 when it is high-definition, BT.601 below. HDR and wide gamut go through `light`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
from av.error import FFmpegError
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorPrimaries, Colorspace, Interpolation, VideoReformatter
from av.video.stream import VideoStream

from popcond.errors import TooLarge, UnreadableClip
from popcond.media import raster, reel
from popcond.media.light import HDR, Light, needs_light
from popcond.media.raster import Rgb, Rgba
from popcond.media.reel import ClipLimits

_CAREFUL = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_BILINEAR, _AREA = Interpolation.BILINEAR | _CAREFUL, Interpolation.AREA | _CAREFUL
_MATRIX_UNSAID = (0, 2, 3)  # AVCOL_SPC_RGB (impossible for YUV), UNSPECIFIED, RESERVED
_Turn = Callable[[Rgba], Rgba]


class Look:
    """See the module. `shown` is the full size as a person sees it, (width, height)."""

    def __init__(self, first: av.VideoFrame, stream: VideoStream, limits: ClipLimits) -> None:
        self._max_pixels = limits.max_pixels
        self._reformatter = VideoReformatter()
        self._layout = "rgba" if any(part.is_alpha for part in first.format.components) else "rgb24"
        self._matrix = _matrix_of(first, stream.codec_context.name)
        self._light = _light_of(first)
        self._turn = _turn_of(first)
        width, height = _squared(first, stream.sample_aspect_ratio)
        self._size = reel.fitted(width, height, limits.max_side)
        self.shown = (height, width) if self._turn in _SIDEWAYS else (width, height)
        self.is_turned = self._turn is not _as_it_is
        self.notes = _notes(first)

    def draw(self, frame: av.VideoFrame) -> Rgba:
        """(H, W, 3 or 4) of any frame of the movie."""
        if frame.width * frame.height > self._max_pixels:
            raise TooLarge("A frame in the middle of the clip is far larger than the others.", cure="Export it again.")
        try:
            still = self._lit(frame, self._light) if self._light else reel.shrunk(self._as_stored(frame), *self._size)
        except FFmpegError as error:
            raise UnreadableClip(
                "The clip stores its colours in a way that we cannot convert.", cure="Export it as MP4 with H.264."
            ) from error
        return np.ascontiguousarray(self._turn(still))

    def is_see_through(self, frame: av.VideoFrame) -> bool:
        """Whether a frame really has transparent pixels."""
        still = self.draw(frame)
        return still.shape[2] == 4 and raster.is_see_through(still[..., 3])

    def _as_stored(self, frame: av.VideoFrame) -> Rgba:
        picture = self._reformatter.reformat(
            frame, format=self._layout, src_colorspace=self._matrix, interpolation=_BILINEAR, threads=1
        )
        return np.asarray(picture.to_ndarray(), np.uint8)

    def _lit(self, frame: av.VideoFrame, light: Light) -> Rgb:
        """The same for HDR and wide-gamut frames, already at the size of the stills."""
        width, height = self._size
        picture = self._reformatter.reformat(
            frame,
            width,
            height,
            format="rgb48le",
            src_colorspace=self._matrix,
            interpolation=_AREA,
            threads=1,
        )
        return light.to_srgb(np.asarray(picture.to_ndarray(), np.uint16))


# ------------------------------------------------------------------ colours


def _light_of(frame: av.VideoFrame) -> Light | None:
    if not needs_light(frame.color_trc, frame.color_primaries):
        return None
    return Light(frame.color_trc, frame.color_primaries)


def _matrix_of(frame: av.VideoFrame, codec: str) -> int | None:
    """The matrix that the frame does not say itself."""
    if frame.format.is_rgb or frame.colorspace not in _MATRIX_UNSAID:
        return None
    return _usual_matrix(frame, codec)


def _usual_matrix(frame: av.VideoFrame, codec: str) -> int:
    says_709 = ColorPrimaries.BT709 in (frame.color_primaries, frame.color_trc)
    is_high_definition = frame.width >= 1280 or frame.height > 576
    return Colorspace.ITU709 if says_709 or (is_high_definition and codec != "vp8") else Colorspace.ITU601


def _notes(frame: av.VideoFrame) -> tuple[str, ...]:
    if frame.color_trc in HDR:
        return ("The clip is HDR; its colours were brought to the range that stickers have.",)
    return ()


# ------------------------------------------------------------------ shape


def _squared(frame: av.VideoFrame, pixel_shape: Fraction | None) -> tuple[int, int]:
    """Width and height once the pixels are square; absurd shapes are taken for mistakes."""
    if not pixel_shape or not Fraction(1, 5) <= pixel_shape <= 5:
        return frame.width, frame.height
    return max(1, round(frame.width * pixel_shape)), frame.height


def _as_it_is(still: Rgba) -> Rgba:
    return still


def _mirrored(still: Rgba) -> Rgba:
    return still[:, ::-1]


def _upside_down(still: Rgba) -> Rgba:
    return still[::-1]


def _half_turned(still: Rgba) -> Rgba:
    return still[::-1, ::-1]


def _transposed(still: Rgba) -> Rgba:
    return still.transpose(1, 0, 2)


def _turned_right(still: Rgba) -> Rgba:
    return _mirrored(_transposed(still))


def _turned_left(still: Rgba) -> Rgba:
    return _upside_down(_transposed(still))


def _transposed_the_other_way(still: Rgba) -> Rgba:
    return _half_turned(_transposed(still))


_SIDEWAYS = (_transposed, _turned_right, _turned_left, _transposed_the_other_way)
# By the signs of (a, b, c, d) in x' = a·x + c·y, y' = b·x + d·y, y pointing down (ISO/IEC 14496-12, 6.2.2).
_TURNS: dict[tuple[int, int, int, int], _Turn] = {
    (1, 0, 0, 1): _as_it_is,
    (-1, 0, 0, 1): _mirrored,
    (1, 0, 0, -1): _upside_down,
    (-1, 0, 0, -1): _half_turned,
    (0, 1, 1, 0): _transposed,
    (0, 1, -1, 0): _turned_right,
    (0, -1, 1, 0): _turned_left,
    (0, -1, -1, 0): _transposed_the_other_way,
}


def _turn_of(frame: av.VideoFrame) -> _Turn:
    """How the display matrix wants the frame turned; slanted matrices are ignored."""
    side_data = frame.side_data
    assert isinstance(side_data, SideDataContainer)
    for entry in side_data:
        if entry.type is SideDataType.DISPLAYMATRIX:
            a, b, _, c, d = struct.unpack("=5i", bytes(entry)[:20])
            return _TURNS.get((_sign(a), _sign(b), _sign(c), _sign(d)), _as_it_is)
    return _as_it_is


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
