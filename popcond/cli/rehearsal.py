"""How a command says that its daemon rehearses."""

from __future__ import annotations

REHEARSAL = "rehearsal"  # a daemon's feature
NOTHING_IS_BILLED = "This is a rehearsal: prices are told as they are, and nothing is billed."
