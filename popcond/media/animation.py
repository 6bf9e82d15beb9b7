"""GIF, APNG and animated WebP through Pillow, which composes their frames and keeps their alpha.

The delays come from `delays`, exact and as browsers show them. The decoder is named, never guessed from the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image

from popcond.errors import UnreadableClip
from popcond.media import raster, reel
from popcond.media.delays import read_delays
from popcond.media.pillow import FAILURES, quietly
from popcond.media.raster import Rgba
from popcond.media.reel import ClipFacts, ClipLimits, Still
from popcond.media.signature import FileKind

_CONTAINERS = {FileKind.GIF: "gif", FileKind.PNG: "apng", FileKind.WEBP: "webp"}


class Animation:
    """An animation that is open; a Reel."""

    def __init__(self, path: Path, kind: FileKind, limits: ClipLimits) -> None:
        self._path, self._kind, self._limits = path, kind, limits
        self._delays = delays = read_delays(path, kind)
        reel.check_extent(path.name, *delays.reach, limits)
        reel.check_extent(path.name, delays.width, delays.height, limits)
        self.promised = delays.promised
        reel.check_whole(path.name, len(delays.seconds), delays.promised, limits)
        reel.check_length(path.name, len(delays.seconds), sum(delays.seconds), limits)
        reel.check_moves(path.name, len(delays.seconds), sum(delays.seconds))
        self._size = reel.fitted(delays.width, delays.height, limits.max_side)
        self.facts = self._facts()

    def stills(self) -> Iterator[Still | None]:
        """See Reel.stills."""
        starts = accumulate(self._delays.seconds, initial=0.0)
        for picture, at in zip(self._pictures(), starts, strict=False):
            yield None if picture is None else Still(at, partial(reel.shrunk, picture, *self._size))

    def _pictures(self) -> Iterator[Rgba | None]:
        first = int(self._delays.hidden_first)
        with self._opened() as image:
            for number in range(first, first + len(self._delays.seconds)):
                yield self._picture(image, number)

    def _picture(self, image: Image.Image, number: int) -> Rgba | None:
        """The composed canvas after a frame, at full size, or None when the frame is damaged."""
        try:
            with quietly():
                image.seek(number)
                whole = image.convert("RGBA").crop((0, 0, self._delays.width, self._delays.height))
        except FAILURES:
            return None
        return np.asarray(whole, np.uint8)

    @contextmanager
    def _opened(self) -> Iterator[Image.Image]:
        with self._path.open("rb") as file:
            try:
                with quietly():
                    image = Image.open(file, formats=[self._kind.name])
            except FAILURES as error:
                raise UnreadableClip(
                    f"{self._path.name} is damaged or not complete.",
                    cure="Export or download it again, and check that it plays.",
                ) from error
            with image:
                yield image

    def _facts(self) -> ClipFacts:
        delays = self._delays
        first = next((picture for picture in self._pictures() if picture is not None), None)
        if first is None:
            raise UnreadableClip(
                f"Not one frame of {self._path.name} can be decoded.", cure="Export or download it again."
            )
        return ClipFacts(
            container=_CONTAINERS[self._kind],
            width=delays.width,
            height=delays.height,
            frames=len(delays.seconds),
            seconds=sum(delays.seconds),
            fps=len(delays.seconds) / sum(delays.seconds),
            has_alpha=raster.is_see_through(first[..., 3]),
            rotated=False,
            notes=() if delays.is_whole else ("The file has no end mark; the frames that are there are used.",),
        )
