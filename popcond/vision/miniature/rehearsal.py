"""Endless batches of scenes, made in worker processes while the model learns from those before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from popcond.vision.miniature.scenes import Cast, Wish, scene

Pictures = tuple[torch.Tensor, torch.Tensor]  # frames (T, side, side, 3) and alphas (T, K, side, side), uint8


class Scenes(IterableDataset[Pictures]):
    """Scenes of one kind; every worker has its own seed, and a seed gives the same scenes again."""

    def __init__(self, cast: Cast, wish: Wish, seed: tuple[int, ...]) -> None:
        self._cast, self._wish, self._seed = cast, wish, seed

    def __iter__(self) -> Iterator[Pictures]:
        worker = get_worker_info()
        cv2.setNumThreads(1)
        rng = np.random.default_rng([*self._seed, worker.id if worker else 0])
        while True:
            made = scene(self._cast, self._wish, rng)
            yield torch.from_numpy(made.frames), torch.from_numpy(made.alphas)


def batches(cast: Cast, wish: Wish, seed: tuple[int, ...], *, size: int, workers: int) -> Iterator[Any]:
    """(B, T, side, side, 3) and (B, T, K, side, side), without end."""
    loader = DataLoader(
        Scenes(cast, wish, seed),
        batch_size=size,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        pin_memory=torch.cuda.is_available(),
    )
    return iter(loader)
