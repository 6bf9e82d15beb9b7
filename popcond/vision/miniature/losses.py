"""What the miniature is trained to do: masks, how good they are, whether the object is there at all.

Logits are (N, 4, h, w): the mask for many points first, then the three candidates for one point. Truth is (N, 1, h, w),
alpha averaged over a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812

_FOCUS = 1.5  # exponent of the focal term
_CLAMP = 32.0  # logits are never fed back larger


@dataclass(frozen=True)
class Guess:
    """What the decoder answered for a batch of objects."""

    logits: torch.Tensor  # (N, 4, h, w)
    quality: torch.Tensor  # (N, 4) IoU that it expects of each
    tokens: torch.Tensor  # (N, 4, C) of which object pointers are made
    presence: torch.Tensor  # (N, 1) logits

    def chosen(self, which: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (N, 1, h, w) and tokens (N, C) of one mask of each row."""
        rows = torch.arange(len(which), device=which.device)
        return self.logits[rows, which][:, None].clamp(-_CLAMP, _CLAMP), self.tokens[rows, which]

    def best_candidate(self) -> torch.Tensor:
        """(N,) which of the three candidates it expects most of."""
        return 1 + self.quality[:, 1:].argmax(1)


def loss_of(guess: Guess, truth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss, and (N, 4) the IoU that each mask really has."""
    logits = F.interpolate(guess.logits.float(), truth.shape[-2:], mode="bilinear", align_corners=False)
    is_there = (truth > 0.5).flatten(1).any(1)
    each, real = _of_masks(logits, truth), overlap(logits.detach(), truth)
    shown = is_there.float() / is_there.float().sum().clamp(min=1)
    masks = (each[:, 0] + each[:, 1:].amin(1) + 0.1 * each[:, 1:].mean(1)) * shown
    quality = ((guess.quality.float() - real) ** 2).mean(1) * shown
    presence = F.binary_cross_entropy_with_logits(guess.presence.float()[:, 0], is_there.float())
    return masks.sum() + quality.sum() + 0.1 * presence, real


def overlap(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(N, K) intersection over union of each mask with the truth."""
    found, meant = logits > 0, truth > 0.5
    both = (found & meant).flatten(2).sum(2).float()
    return both / (found | meant).flatten(2).sum(2).clamp(min=1)


def _of_masks(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """(N, K): focal, dice and plain cross entropy."""
    truth = truth.expand_as(logits)
    share = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    focal = (entropy * (share - truth).abs() ** _FOCUS).mean((2, 3))
    dice = 1 - (2 * (share * truth).sum((2, 3)) + 1) / ((share + truth).sum((2, 3)) + 1)
    return 4 * focal + dice + 0.5 * entropy.mean((2, 3))
