"""Trains the miniature from scratch, or goes on where a checkpoint stopped.

    python -m popcond.vision.miniature.train --art NOTO TWEMOJI --work FOLDER --minutes 60 --plan cpu

The plan is spread over the minutes given, whatever the machine: a faster one takes more steps. Stopped and started
again with the same folder it goes on; a checkpoint is written every few minutes, and the weights at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from popcond.vision.miniature.architecture import SHAPES, Shape, build, read_weights, shape_of, write_weights
from popcond.vision.miniature.casting import training_cast
from popcond.vision.miniature.lessons import Batch, Outcome, lesson
from popcond.vision.miniature.plans import PLANS, Phase, Plan
from popcond.vision.miniature.rehearsal import batches
from popcond.vision.miniature.scenes import Cast, Wish

_SAVE_EVERY = 120.0  # seconds
_TELL_EVERY = 25  # steps
_CALM = 0.998  # of the running mean of the weights, which is what is shipped
_STEEPEST = 1.0  # norm that gradients are cut to
_DECAY = 0.02
_TRANSFORMERS = ("trunk.blocks", "decoder.transformer", "memory_attention.layers", "memory_encoder.fuser")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    given.work.mkdir(parents=True, exist_ok=True)
    start = None if given.weights is None else read_weights(given.weights)
    apprentice = Apprentice.begin(given.work, device, PLANS[given.plan], SHAPES[given.shape], start)
    cast = training_cast(given.art, given.strips, given.work / "art", figures=given.figures)
    School(apprentice, cast, given.work, given.minutes * 60, given.workers, given.seed).teach()
    write_weights(apprentice.calm_model(), given.out or given.work / "weights.pt")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--art", nargs="*", type=Path, default=[], help="unpacked Iconify packages of emoji")
    parser.add_argument("--strips", nargs="*", type=Path, default=[], help="performances, as tests.puppets writes them")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints, figures and drawn art")
    parser.add_argument("--out", type=Path, help="where the finished weights go; else into the work folder")
    parser.add_argument("--minutes", type=float, required=True, help="of training in all, earlier runs included")
    parser.add_argument("--plan", choices=sorted(PLANS), default="cpu")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="mini", help="how large, when nothing is there yet")
    parser.add_argument("--weights", type=Path, help="weights to begin with, when there is no checkpoint")
    parser.add_argument("--figures", type=int, default=1500, help="how many figures our own code draws")
    parser.add_argument("--workers", type=int, default=1, help="processes that make scenes")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    return parser


# ------------------------------------------------------------------ who learns


@dataclass
class Apprentice:
    """The model, what it remembers of its steps, and how far it is."""

    model: Any
    calm: dict[str, torch.Tensor]  # running mean of the weights
    optimisers: Sequence[torch.optim.Optimizer]
    plan: Plan
    device: torch.device
    spent: float = 0.0  # seconds of training
    steps: int = 0
    starts: int = 0

    @classmethod
    def begin(
        cls, work: Path, device: torch.device, plan: Plan, shape: Shape, weights: Mapping[str, torch.Tensor] | None
    ) -> Apprentice:
        """From the folder's checkpoint, else from weights, else from nothing; the first two know their shape."""
        stored = _checkpoint(work)
        known = weights if stored is None else stored["model"]
        model: Any = build(shape=shape if known is None else shape_of(known))
        if known is not None:
            model.load_state_dict(known)
        model.to(device).train()
        optimisers = optimisers_of(model)
        calm = {name: value.detach().clone() for name, value in model.state_dict().items()}
        if stored is None:
            return cls(model, calm, optimisers, plan, device)
        for optimiser, state in zip(optimisers, stored["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        calm = {name: value.to(device) for name, value in stored["calm"].items()}
        return cls(model, calm, optimisers, plan, device, stored["spent"], stored["steps"], stored["starts"] + 1)

    def step(self, batch: Batch, phase: Phase, progress: float) -> Outcome:
        """One lesson and what is learned from it."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
            for group in optimiser.param_groups:
                group["lr"] = self.plan.rate_at(progress)
        with self._precision():
            outcome = lesson(self.model, batch, phase.corrections)
        torch.autograd.backward(outcome.loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _STEEPEST)
        for optimiser in self.optimisers:
            optimiser.step()
        self.steps += 1
        self._calm_down()
        return outcome

    def calm_model(self) -> Any:
        """A model with the running mean of the weights, to evaluate and to ship."""
        model = build(shape=shape_of(self.calm))
        model.load_state_dict(self.calm)
        return model

    def save(self, work: Path) -> None:
        """Whole or not at all."""
        state = {
            "model": self.model.state_dict(),
            "calm": self.calm,
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "spent": self.spent,
            "steps": self.steps,
            "starts": self.starts,
        }
        torch.save(state, work / "checkpoint.partial")
        os.replace(work / "checkpoint.partial", work / "checkpoint.pt")

    def _calm_down(self) -> None:
        share = 1 - min(_CALM, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                if value.is_floating_point():
                    self.calm[name].lerp_(value, share)
                else:
                    self.calm[name].copy_(value)

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        if self.device.type == "cuda":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return contextlib.nullcontext()


def optimisers_of(model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Muon (Jordan 2024) for the matrices inside the transformers, which learn in fewer steps by it; else AdamW."""
    inner: list[torch.nn.Parameter] = []
    rest: list[torch.nn.Parameter] = []
    for name, value in model.named_parameters():
        is_inner = value.ndim == 2 and any(part in name for part in _TRANSFORMERS)
        (inner if is_inner else rest).append(value)
    return [
        torch.optim.Muon(inner, lr=0.0, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=0.0, weight_decay=_DECAY, betas=(0.9, 0.98)),
    ]


def _checkpoint(work: Path) -> dict[str, Any] | None:
    path = work / "checkpoint.pt"
    return torch.load(path, map_location="cpu", weights_only=True) if path.is_file() else None


# ------------------------------------------------------------------ what is taught, and when


@dataclass
class School:
    """Runs the plan against the clock, writes checkpoints and figures."""

    apprentice: Apprentice
    cast: Cast
    work: Path
    seconds: float
    workers: int
    seed: int
    _recent: list[Outcome] = field(default_factory=list)

    def teach(self) -> None:
        """Until the time is spent, or somebody stops it; either way the folder holds all that was learned."""
        try:
            self._teach()
        finally:
            self.apprentice.save(self.work)

    def _teach(self) -> None:
        saved = time.monotonic()
        for phase, batch in self._lessons():
            began = time.monotonic()
            self._recent.append(self.apprentice.step(batch, phase, self._progress()))
            self.apprentice.spent += time.monotonic() - began
            if self.apprentice.steps % _TELL_EVERY == 0:
                self._tell(phase)
            if time.monotonic() - saved > _SAVE_EVERY:
                self.apprentice.save(self.work)
                saved = time.monotonic()

    def _progress(self) -> float:
        return self.apprentice.spent / self.seconds

    def _lessons(self) -> Iterator[tuple[Phase, Batch]]:
        """Batches of the phase that the time says; waiting for one is time, too."""
        number = -1
        source: Iterator[Any] = iter(())
        while self._progress() < 1.0:
            wanted = self.apprentice.plan.phase_at(self._progress())
            phase = self.apprentice.plan.phases[wanted]
            if wanted != number:
                number, source = wanted, self._source(wanted, phase)
            began = time.monotonic()
            frames, alphas = next(source)
            self.apprentice.model.set_imgsz([phase.side, phase.side])
            batch = Batch.of(frames, alphas, self.apprentice.device)
            self.apprentice.spent += time.monotonic() - began
            for _ in range(phase.views):
                yield phase, batch
                batch = batch.mirrored()

    def _source(self, number: int, phase: Phase) -> Iterator[Any]:
        seed = (self.seed, self.apprentice.starts, number)
        wish = Wish(phase.side, phase.frames, company=phase.company)
        return batches(self.cast, wish, seed, size=phase.batch, workers=self.workers)

    def _tell(self, phase: Phase) -> None:
        tracked = [outcome.tracked for outcome in self._recent if outcome.tracked is not None]
        line = {
            "step": self.apprentice.steps,
            "minutes": round(self.apprentice.spent / 60, 2),
            "side": phase.side,
            "frames": phase.frames,
            "loss": _mean([float(outcome.loss.detach()) for outcome in self._recent]),
            "clicked": _mean([outcome.clicked for outcome in self._recent]),
            "corrected": _mean([outcome.corrected for outcome in self._recent]),
            "tracked": _mean(tracked) if tracked else None,
        }
        self._recent.clear()
        with (self.work / "metrics.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)


if __name__ == "__main__":
    main()
