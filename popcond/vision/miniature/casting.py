"""Who performs in training and in evaluation: emoji art, figures that our code draws, strips of performances.

Held out are emoji by their code point, procedural figures by their seed, performances by their file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from popcond.vision.miniature.art import gallery
from popcond.vision.miniature.figures import draw_figures
from popcond.vision.miniature.scenes import Cast

_SEED, _HELD_OUT_SEED = 20_261, 90_417  # of the procedural figures
_HELD_OUT_FIGURES = 120
_FINE = 384  # pixels of the art that evaluation sees
_DRAWN_SHARE, _STRIP_SHARE = 0.6, 0.35  # how often they are chosen, where a package of art is 1


def training_cast(packages: Sequence[Path], strips: Sequence[Path], cache: Path, *, figures: int) -> Cast:
    """Everybody but those held out; what is drawn once is kept in `cache`."""
    art = [(1.0, gallery(package, cache).for_training()) for package in packages]
    drawn = _kept(cache / f"figures-{figures}.npy", lambda: draw_figures(figures, _SEED))
    performing = [(_STRIP_SHARE, _opened(path)) for path in strips]
    return Cast((*art, (_DRAWN_SHARE, drawn), *performing))


def evaluation_casts(packages: Sequence[Path], strips: Sequence[Path], cache: Path) -> dict[str, Cast]:
    """Those held out, by where they come from."""
    art = {package.name: gallery(package, cache, _FINE).for_evaluation() for package in packages}
    drawn = _kept(cache / "figures-held-out.npy", lambda: draw_figures(_HELD_OUT_FIGURES, _HELD_OUT_SEED))
    performing = {path.stem: _opened(path) for path in strips}
    pools = {**art, "drawn": drawn, **performing}
    return {name: Cast(((1.0, pool),)) for name, pool in pools.items()}


def _kept(path: Path, make: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, make())
    return _opened(path)


def _opened(path: Path) -> NDArray[np.uint8]:
    return np.asarray(np.load(path, mmap_mode="r"))
