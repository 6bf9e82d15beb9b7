"""What the model makes of the points of one object, point after point.

A mask after three points is the first point's mask, corrected twice: each correction is told what was there before. The
chain is a function of the embedding and of the points, so it can be computed again at any time; what was computed is
kept, so that one more point costs one more decode.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha
from popcond.vision.sam_embeddings import Embedding
from popcond.vision.segmenter import Candidate, Point, Prompt, Segmented

Logits = NDArray[np.float32]  # (side / 4, side / 4); above 0 is inside

_KEPT_BYTES = 64 << 20


@dataclass(frozen=True)
class Guess:
    """One reading of what was pointed at."""

    logits: Logits
    score: float  # the IoU that the model expects; after following, how sure it is that there is something
    pointer: NDArray[np.float32]  # (channels,), what the object is like, for following it


Guesses = tuple[Guess, ...]  # three for a first point, else one


@dataclass(frozen=True)
class Seen:
    """One object as a prompt shows it."""

    guess: Guess
    mask: Alpha  # (H, W), 0 or 255


class Reader(Protocol):
    """The part of the engine that reads points."""

    def decode(self, embedding: Embedding, points: Sequence[Point], previous: Logits | None) -> Guesses:
        """What these points mean, given what was there before."""
        ...

    def given(self, embedding: Embedding, mask: Alpha) -> Guess:
        """A mask as if it had been guessed."""
        ...

    def to_frame(self, logits: Logits, frame: tuple[int, int]) -> Alpha:
        """The mask in the frame's own pixels."""
        ...


class Guesswork:
    """Reads prompts. Usable from several threads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[Hashable, Guesses] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def answer(self, key: str, embedding: Embedding, prompt: Prompt) -> Segmented:
        """The mask of a checked prompt about the frame that is called `key`."""
        guesses = {number: self._object(key, embedding, prompt, number) for number in prompt.objects()}
        masks = [self._mask(prompt, number, of_object, embedding.frame) for number, of_object in guesses.items()]
        points = prompt.objects()
        scores = [_chosen(points[number], of_object).score for number, of_object in guesses.items() if of_object]
        alone = next(iter(guesses.values())) if len(guesses) == 1 else ()
        return Segmented(
            mask=np.maximum.reduce(masks),
            score=_share(min(scores, default=0.0)),
            candidates=self._candidates(alone, embedding.frame) if len(alone) > 1 else (),
        )

    def objects(self, key: str, embedding: Embedding, prompt: Prompt) -> dict[int, Seen]:
        """What a checked prompt shows of each object; an object of background points is not shown."""
        shown = {}
        for number, points in prompt.objects().items():
            guesses = self._object(key, embedding, prompt, number)
            if guesses:
                mask = self._mask(prompt, number, guesses, embedding.frame)
                shown[number] = Seen(_chosen(points, guesses), mask)
        return shown

    def corrected(self, embedding: Embedding, points: tuple[Point, ...], guess: Guess) -> Guess:
        """A guess from elsewhere, after background points have taken away from it."""
        for end in range(1, len(points) + 1):
            guess = self._more(embedding, points[:end], guess)[0]
        return guess

    # -------------------------------------------------------------- one object

    def _object(self, key: str, embedding: Embedding, prompt: Prompt, number: int) -> Guesses:
        """The guesses after all points of an object; none when nothing says what it is."""
        points = prompt.objects()[number]
        mask = prompt.mask if number == 0 else None
        about = (key, _digest(mask))
        guesses: Guesses = ()
        if mask is not None:
            guesses = self._kept_or(about, lambda: (self._reader.given(embedding, mask),))
        for end in range(1, len(points) + 1):
            guesses = self._after(about, embedding, points[:end], guesses)
        return guesses

    def _after(
        self, about: tuple[str, str], embedding: Embedding, points: tuple[Point, ...], before: Guesses
    ) -> Guesses:
        """One point more. Background points before the first foreground point wait for it."""
        if not before and not any(point.is_foreground for point in points):
            return ()
        previous = _chosen(points, before) if before else None

        def guess() -> Guesses:
            if previous is None:
                return self._reader.decode(embedding, points, None)
            return self._more(embedding, points, previous)

        return self._kept_or((*about, _as_decoded(points)), guess)

    def _more(self, embedding: Embedding, points: tuple[Point, ...], previous: Guess) -> Guesses:
        """A guess with its last point, which takes away and never adds when it is a background point."""
        anchor = () if any(point.is_foreground for point in points) else self._anchor(embedding, points, previous)
        guesses = self._reader.decode(embedding, (*anchor, *points), previous.logits)
        if points[-1].is_foreground:
            return guesses
        return tuple(replace(guess, logits=np.minimum(guess.logits, previous.logits)) for guess in guesses)

    def _anchor(self, embedding: Embedding, points: tuple[Point, ...], previous: Guess) -> tuple[Point, ...]:
        """A foreground point where the mask is thick and far from what is to go.

        The models were asked about background in company of foreground only; alone, it empties their masks.
        """
        mask = self._reader.to_frame(previous.logits, embedding.frame)
        if not mask.any():
            return ()
        inside = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 3)
        rows, columns = np.indices(embedding.frame, np.float32)
        away = np.minimum.reduce([np.hypot(columns - point.x, rows - point.y) for point in points])
        row, column = np.unravel_index(np.argmax(np.minimum(inside[1:-1, 1:-1], away / 2)), embedding.frame)
        return (Point(float(column) + 0.5, float(row) + 0.5),)

    def _mask(self, prompt: Prompt, number: int, guesses: Guesses, frame: tuple[int, int]) -> Alpha:
        points = prompt.objects()[number]
        if not guesses:
            return np.zeros(frame, np.uint8)
        if prompt.mask is None or number != 0:
            return self._reader.to_frame(_chosen(points, guesses).logits, frame)
        start = np.asarray(prompt.mask >= 128, np.uint8) * np.uint8(255)
        if not points:
            return start
        mask = self._reader.to_frame(_chosen(points, guesses).logits, frame)
        return mask if any(point.is_foreground for point in points) else np.minimum(mask, start)

    def _candidates(self, guesses: Guesses, frame: tuple[int, int]) -> tuple[Candidate, ...]:
        return tuple(Candidate(self._reader.to_frame(one.logits, frame), _share(one.score)) for one in guesses)

    # -------------------------------------------------------------- keeping

    def _kept_or(self, about: Hashable, guess: Callable[[], Guesses]) -> Guesses:
        with self._lock:
            if about in self._kept:
                self._kept.move_to_end(about)
                return self._kept[about]
        guesses = guess()
        with self._lock:
            if about not in self._kept:
                self._kept[about] = guesses
                self._kept_bytes += _nbytes(guesses)
            while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
                self._kept_bytes -= _nbytes(self._kept.popitem(last=False)[1])
        return guesses


def _chosen(points: tuple[Point, ...], guesses: Guesses) -> Guess:
    """The candidate that somebody took of the first point's, or the best one."""
    wanted = points[0].candidate if points else None
    if wanted is not None and wanted < len(guesses):
        return guesses[wanted]
    return max(guesses, key=lambda guess: guess.score)


def _as_decoded(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The points as far as they matter: all candidates of a first point come from one decode."""
    return (replace(points[0], candidate=None),) if len(points) == 1 else points


def _digest(mask: Alpha | None) -> str:
    return "" if mask is None else hashlib.sha256(np.ascontiguousarray(mask).data).hexdigest()


def _nbytes(guesses: Guesses) -> int:
    return sum(guess.logits.nbytes + guess.pointer.nbytes for guess in guesses)


def _share(score: float) -> float:
    return float(min(max(score, 0.0), 1.0))
