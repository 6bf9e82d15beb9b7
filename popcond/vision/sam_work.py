"""The three kinds of work of the model's process, each as a series of short steps: embed, mask, track."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from popcond.media.raster import Alpha, Rgb
from popcond.vision.sam_embeddings import Embedding, Embeddings
from popcond.vision.sam_guess import Guess, Guesswork, Reader, Seen
from popcond.vision.segmenter import (
    Prompt,
    Segmented,
    Still,
    Tracked,
    Urgency,
    refuse_bad_prompt,
    refuse_bad_prompts,
)


class Following(Protocol):
    """One object's memory of the frames that it was seen in."""

    def remember(self, index: int, embedding: Embedding, guess: Guess) -> None:
        """This is how the object looks in this frame."""
        ...

    def turn_round(self) -> None:
        """From here on in the other direction."""
        ...

    def follow(self, index: int, embedding: Embedding, *, backwards: bool) -> Guess:
        """Where the object is in this frame."""
        ...


class Model(Reader, Protocol):
    """What the engine can do."""

    def encode(self, rgb: Rgb) -> Embedding:
        """What it sees in a frame."""
        ...

    def tracker(self, count: int) -> Following:
        """A memory for one object in a clip of so many frames."""
        ...


class Desk:
    """What all work shares: the model, what is kept, and which frame somebody looks at."""

    def __init__(self, model: Model, embeddings: Embeddings) -> None:
        self.model = model
        self.embeddings = embeddings
        self.guesswork = Guesswork(model)
        self.looked_at: str | None = None  # the key of the frame that was last clicked or shown

    def embedding(self, still: Still) -> Embedding:
        """From memory or disk, else made."""
        kept = self.embeddings.get(still.key)
        if kept is None:
            kept = self.model.encode(still.pixels())
            self.embeddings.put(still.key, kept)
        return kept


class EmbedWork:
    """Embeddings in advance: one frame a step, the nearest to the one that somebody looks at first."""

    def __init__(self, desk: Desk, id_: int, stills: Sequence[Still], urgency: int) -> None:
        self.id = id_
        self.urgency = urgency
        self._desk = desk
        self._places = {still.key: place for place, still in enumerate(stills)}
        self._left = dict(enumerate(stills))
        self._near = 0  # the place that somebody looked at last

    def step(self) -> bool:
        """One more frame; False when all of them are ready."""
        if not self._left:
            return False
        still = self._left.pop(self._nearest())
        if self.urgency <= Urgency.SHOWN:
            self._desk.looked_at = still.key
        if not self._desk.embeddings.has(still.key):
            self._desk.embedding(still)
        return bool(self._left)

    def _nearest(self) -> int:
        self._near = self._places.get(self._desk.looked_at or "", self._near)
        return min(self._left, key=lambda place: (abs(place - self._near), place))


class MaskWork:
    """One prompt, in one step."""

    def __init__(
        self, desk: Desk, id_: int, still: Still, prompt: Prompt, urgency: int, answer: Callable[[Segmented], None]
    ) -> None:
        self.id = id_
        self.urgency = urgency
        self._desk = desk
        self._still = still
        self._prompt = prompt
        self._answer = answer

    def step(self) -> bool:
        """All of it. Raises BadInput."""
        if self.urgency == Urgency.CLICK:
            self._desk.looked_at = self._still.key
        embedding = self._desk.embedding(self._still)
        refuse_bad_prompt(self._prompt, *embedding.frame)
        self._answer(self._desk.guesswork.answer(self._still.key, embedding, self._prompt))
        return False


class TrackWork:
    """A propagation: prompted frames first, then each object forward and backward, a frame as soon as it is whole."""

    urgency = int(Urgency.TRACKING)

    def __init__(
        self,
        desk: Desk,
        id_: int,
        stills: Sequence[Still],
        prompts: Mapping[int, Prompt],
        answer: Callable[[Tracked], None],
    ) -> None:
        self.id = id_
        self._desk = desk
        self._stills = stills
        self._prompts = prompts
        self._answer = answer
        self._steps = self._all_steps()

    def step(self) -> bool:
        """Embed one frame, or find one object in one. Raises BadInput."""
        return next(self._steps, False)

    def _all_steps(self) -> Iterator[bool]:
        refuse_bad_prompts(self._prompts, len(self._stills))
        told: dict[int, dict[int, Seen]] = {}  # by object, then by frame
        for index in sorted(self._prompts):
            yield from self._ready(index)
            for number, seen in self._read(index).items():
                told.setdefault(number, {})[index] = seen
            yield True
        if not told:
            yield from self._nothing()
        clip = _Clip(len(told), self._answer)
        routes = [self._route(clip, number, of_object) for number, of_object in sorted(told.items())]
        while routes:  # objects take turns, so that frames become whole early
            for route in list(routes):
                if next(route, None) is None:
                    routes.remove(route)
                else:
                    yield True

    def _ready(self, index: int) -> Iterator[bool]:
        """A step of its own when the frame is not embedded."""
        if not self._desk.embeddings.has(self._stills[index].key):
            self._desk.embedding(self._stills[index])
            yield True

    def _read(self, index: int) -> dict[int, Seen]:
        still, prompt = self._stills[index], self._prompts[index]
        embedding = self._desk.embedding(still)
        refuse_bad_prompt(prompt, *embedding.frame)
        return self._desk.guesswork.objects(still.key, embedding, prompt)

    def _nothing(self) -> Iterator[bool]:
        """Background points alone: every frame is empty."""
        for index, still in enumerate(self._stills):
            yield from self._ready(index)
            self._answer(Tracked(index, np.zeros(self._desk.embedding(still).frame, np.uint8), 1.0))
            yield True

    def _route(self, clip: _Clip, number: int, told: Mapping[int, Seen]) -> Iterator[bool]:
        """One object through the whole clip."""
        memory = self._desk.model.tracker(len(self._stills))
        for index, seen in told.items():
            memory.remember(index, self._desk.embedding(self._stills[index]), seen.guess)
            clip.add(index, seen.mask, seen.guess.score)
            yield True
        first = min(told)
        for backwards, indices in ((False, range(first, len(self._stills))), (True, range(first - 1, -1, -1))):
            memory.turn_round()
            for index in (index for index in indices if index not in told):
                yield from self._ready(index)
                embedding = self._desk.embedding(self._stills[index])
                guess = self._followed(memory, index, embedding, number, backwards=backwards)
                clip.add(index, self._desk.model.to_frame(guess.logits, embedding.frame), guess.score)
                yield True

    def _followed(self, memory: Following, index: int, embedding: Embedding, number: int, *, backwards: bool) -> Guess:
        """Where the object is, without what background points on this frame take away; that is remembered."""
        guess = memory.follow(index, embedding, backwards=backwards)
        points = self._prompts[index].objects().get(number, ()) if index in self._prompts else ()
        if points:
            guess = self._desk.guesswork.corrected(embedding, points, guess)
            memory.remember(index, embedding, guess)
        return guess


class _Clip:
    """Unites the objects of each frame, and answers with a frame once all of them are in."""

    def __init__(self, objects: int, answer: Callable[[Tracked], None]) -> None:
        self._objects = objects
        self._answer = answer
        self._waiting: dict[int, list[tuple[Alpha, float]]] = {}

    def add(self, index: int, mask: Alpha, score: float) -> None:
        """One object's part of a frame."""
        parts = self._waiting.setdefault(index, [])
        parts.append((mask, min(max(score, 0.0), 1.0)))
        if len(parts) == self._objects:
            masks, scores = zip(*self._waiting.pop(index), strict=True)
            self._answer(Tracked(index, np.maximum.reduce(masks), min(scores)))
