"""PopCon's own small segmentation model: SAM 2.1's architecture in miniature, trained from scratch on pictures that our
code composes. The file beside this one holds what it learned; CARD.md says from what, how well, and where it fails.

Importing this package imports no torch: who wants the model imports `architecture`.
"""

from __future__ import annotations

from pathlib import Path

DISPLAY_NAME = "PopCon Mini"  # what people read; it is not SAM 2.1
WEIGHTS_NAME = "popcon_sam2.1_mini.pt"  # ultralytics picks the architecture and its class by how a file is called
WEIGHTS = Path(__file__).with_name(WEIGHTS_NAME)
INPUT_SIZE = 256  # pixels: the side of the square that the model was trained to see
