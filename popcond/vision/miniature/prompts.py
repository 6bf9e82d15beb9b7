"""Points as people set them, picked for a whole batch at once, on whatever device the masks are on.

Masks are (N, h, w); points (N, P, 2) are x, y in cells of the mask's grid; labels (N, P) are 1 for the object, 0 for
what does not belong to it and −1 for no point.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812

MOST = 6  # points of one object while training

_STEPS = 9  # how many cells from the border still count as deeper
_DEPTHS = (0.0, 0.0, 0.35, 0.7, 0.95)  # a point lies at least so deep, as a share of the deepest place
_INSIDE, _OUTSIDE = 0.9, 0.05  # alpha from which, and up to which, a pixel is meant for sure


@dataclass
class Prompts:
    """The points of every object of a batch so far."""

    points: torch.Tensor
    labels: torch.Tensor
    counts: torch.Tensor  # (N,) points of each

    @classmethod
    def none(cls, count: int, device: torch.device) -> Prompts:
        points = torch.zeros(count, MOST, 2, device=device)
        labels = torch.full((count, MOST), -1, dtype=torch.int32, device=device)
        return cls(points, labels, torch.zeros(count, dtype=torch.long, device=device))

    def add(self, where: torch.Tensor, label: torch.Tensor, wanted: torch.Tensor) -> None:
        """One more point for the rows that are `wanted` and have room; `label` (N,) is 1 or 0."""
        rows = torch.nonzero(wanted & (self.counts < MOST)).squeeze(1)
        slots = self.counts[rows]
        self.points[rows, slots] = where[rows]
        self.labels[rows, slots] = label[rows].to(torch.int32)
        self.counts[rows] += 1

    def used(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Points and labels without the columns that nobody uses."""
        most = max(1, int(self.counts.max()))
        return self.points[:, :most], self.labels[:, :most]


def first_points(truth: torch.Tensor) -> Prompts:
    """Mostly one point on the object; sometimes up to three, and up to two beside it."""
    prompts = Prompts.none(len(truth), truth.device)
    ones = torch.ones(len(truth), device=truth.device)
    inside = _or_else(truth > _INSIDE, truth > 0.5)
    where, found = pick(inside)
    prompts.add(where, ones, found)
    several = torch.rand(len(truth), device=truth.device) < 0.35
    for _ in range(2):
        where, found = pick(inside)
        prompts.add(where, ones, found & several & _chance(ones, 0.4))
        where, found = pick(_beside(truth))
        prompts.add(where, 0 * ones, found & several & _chance(ones, 0.5))
    return prompts


def correct(prompts: Prompts, found: torch.Tensor, truth: torch.Tensor) -> None:
    """One more point for every object, inside the larger of its two errors."""
    meant = truth > 0.5
    missed, extra = meant & ~found, found & ~meant
    add = missed.flatten(1).sum(1) >= extra.flatten(1).sum(1)
    where, is_there = pick(torch.where(add[:, None, None], missed, extra))
    prompts.add(where, add.float(), is_there)


def pick(region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 2) a random place in each region, often well inside, and (N,) whether there is one."""
    depth = depths(region)
    shares = torch.tensor(_DEPTHS, device=region.device)
    share = shares[torch.randint(len(_DEPTHS), (len(region),), device=region.device)]
    deepest = depth.flatten(1).amax(1)
    allowed = region & (depth >= (share * deepest)[:, None, None])
    chosen = (torch.rand(region.shape, device=region.device) * allowed).flatten(1).argmax(1)
    return _cells(chosen, region.shape[-1]), deepest > 0


def deepest(region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(N, 2) the place that is farthest from the border of each region, and (N,) whether there is one."""
    depth = depths(region, steps=max(region.shape[-2:]) // 2)
    return _cells(depth.flatten(1).argmax(1), region.shape[-1]), depth.flatten(1).amax(1) > 0


def depths(region: torch.Tensor, steps: int = _STEPS) -> torch.Tensor:
    """(N, h, w) how many cells each cell of a region is from its border, `steps` at most; 0 outside."""
    left = region.to(torch.uint8)
    total = left.clone()
    for _ in range(steps - 1):
        left = _eroded(left)
        total += left
    return total.float()


def _eroded(region: torch.Tensor) -> torch.Tensor:
    """Without the cells that have a neighbour outside, above, below or beside them; the frame is outside."""
    wide = F.pad(region, (1, 1, 1, 1))
    rows = torch.minimum(torch.minimum(wide[:, :-2, 1:-1], wide[:, 2:, 1:-1]), region)
    return torch.minimum(torch.minimum(wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]), rows)


def _beside(truth: torch.Tensor) -> torch.Tensor:
    """What is not the object, for half of the rows only close to it."""
    outside = truth < _OUTSIDE
    reach = truth.shape[-1] // 8 * 2 + 1
    near = F.max_pool2d((~outside).float()[:, None], reach, stride=1, padding=reach // 2)[:, 0] > 0
    anywhere = torch.rand(len(truth), device=truth.device) < 0.5
    return _or_else(outside & (near | anywhere[:, None, None]), outside)


def _or_else(region: torch.Tensor, instead: torch.Tensor) -> torch.Tensor:
    is_empty = ~region.flatten(1).any(1)
    return torch.where(is_empty[:, None, None], instead, region)


def _chance(like: torch.Tensor, probability: float) -> torch.Tensor:
    return torch.rand_like(like) < probability


def _cells(index: torch.Tensor, width: int) -> torch.Tensor:
    return torch.stack([index % width, index // width], dim=1).float()
