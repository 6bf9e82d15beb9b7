"""Where stickers go: every destination's rules as data, one row each.

A new destination is a new row here. Nothing in this file decides anything; `popcond.stickers` reads the rows. Where a
source says only KB or MB the limit is taken at ×1,000, which holds under either reading.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from popcond.errors import UnknownName
from popcond.wire import ExtraPicture, StickerFormat, Target

_AI_AT_LINE = (
    "LINE's submission form asks whether AI was used; no ban was found (third-party guides). Check before submitting."
)
_TAB = ExtraPicture(file_name="tab.png", width=96, height=74)

_ROWS = (
    Target(
        name="line-emoji",
        label="LINE animated emoji",
        format=StickerFormat.APNG,
        width=180,
        height=180,
        even_sizes=True,
        max_bytes=300_000,
        min_frames=5,
        max_frames=20,
        loop_seconds=(1, 2, 3, 4),
        max_seconds=4,
        max_fps=20,
        plays=(1, 2, 3, 4),
        allows_palette=False,
        needs_transparency=True,
        dpi=72,
        shows_first_frame=True,
        min_stickers=8,
        max_stickers=40,
        file_name="{number:03d}.png",
        extra_pictures=(_TAB,),
        max_bundle_bytes=20_000_000,
        official=True,
        source="creator.line.me: guideline for animated emoji, and its detail page",
        source_date="2026-08",
        notes=(_AI_AT_LINE, "Sets of letters have 104 to 305 pictures; those are not made here."),
    ),
    Target(
        name="line-sticker",
        label="LINE animated sticker",
        format=StickerFormat.APNG,
        width=320,
        height=270,
        exact_canvas=False,
        min_longer_side=270,
        even_sizes=True,
        max_bytes=1_000_000,
        advised_bytes=300_000,
        min_frames=5,
        max_frames=20,
        loop_seconds=(1, 2, 3, 4),
        max_seconds=4,
        max_fps=20,
        plays=(1, 2, 3, 4),
        allows_palette=False,
        needs_transparency=True,
        dpi=72,
        shows_first_frame=True,
        min_stickers=8,
        max_stickers=24,
        set_sizes=(8, 16, 24),
        file_name="{number:02d}.png",
        extra_pictures=(ExtraPicture(file_name="main.png", width=240, height=240, animated=True), _TAB),
        max_bundle_bytes=60_000_000,
        official=True,
        source="creator.line.me: guideline for animated stickers; 1 MB and 60 MB from four independent newer texts",
        source_date="2026-09",
        notes=(
            _AI_AT_LINE,
            "An undated page of LINE's says 300 KB a sticker and 20 MB a set; newer texts say 1 MB and 60 MB.",
        ),
    ),
    Target(
        name="discord-sticker",
        label="Discord sticker",
        format=StickerFormat.APNG,
        width=320,
        height=320,
        max_bytes=512_000,
        min_frames=2,
        max_seconds=5,
        max_fps=30,
        file_name="{action}.png",
        official=True,
        source="Discord's developer documentation: stickers",
        notes=("Name it with 2 to 30 characters, a description and one related emoji.",),
    ),
    Target(
        name="discord-emoji",
        label="Discord emoji",
        format=StickerFormat.GIF,
        width=128,
        height=128,
        max_bytes=256_000,
        min_frames=2,
        max_fps=20,
        file_name="{action}.gif",
        official=True,
        source="Discord's developer documentation: emoji",
    ),
    Target(
        name="slack",
        label="Slack emoji",
        format=StickerFormat.GIF,
        width=128,
        height=128,
        max_bytes=128_000,
        min_frames=2,
        max_frames=50,
        max_fps=20,
        file_name="{action}.gif",
        source="third-party tools; no official page was found",
        notes=("One tool says 256 KB; the smaller limit is kept.",),
    ),
    Target(
        name="signal",
        label="Signal sticker",
        format=StickerFormat.APNG,
        width=320,
        height=320,
        max_bytes=300_000,
        min_frames=2,
        max_seconds=3,
        max_fps=30,
        max_stickers=200,
        file_name="{number:03d}-{action}.png",
        official=True,
        source="Signal-Desktop's sticker creator (its code); 3 s from third parties",
        notes=(
            "Signal takes squares of 10 to 512 pixels; 320 leaves bytes for colours and frames.",
            "Add a title, an author and one emoji for each sticker in Signal's own sticker creator.",
        ),
    ),
    Target(
        name="imessage",
        label="iMessage sticker",
        format=StickerFormat.APNG,
        width=408,
        height=408,
        max_bytes=500_000,
        min_frames=2,
        max_fps=30,
        file_name="{action}.png",
        official=True,
        source="Apple: MSSticker and MSStickerSize (regular size at @3x)",
    ),
    Target(
        name="apng",
        label="Animated PNG",
        format=StickerFormat.APNG,
        width=512,
        height=512,
        exact_canvas=False,
        even_sizes=True,
        min_frames=2,
        max_fps=20,
        file_name="{action}.png",
        source="ours: plays wherever APNG plays",
    ),
    Target(
        name="gif",
        label="Animated GIF",
        format=StickerFormat.GIF,
        width=512,
        height=512,
        exact_canvas=False,
        even_sizes=True,
        min_frames=2,
        max_fps=20,
        file_name="{action}.gif",
        source="ours: plays everywhere; edges are hard, because GIF has no soft alpha",
    ),
)

TARGETS: Mapping[str, Target] = MappingProxyType({row.name: row for row in _ROWS})


def target(name: str) -> Target:
    """The row of that name. Raises UnknownName with the nearest names and the whole list."""
    if name in TARGETS:
        return TARGETS[name]
    near = difflib.get_close_matches(name.strip().lower(), TARGETS, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    raise UnknownName(
        f"There is no target called {name!r}.",
        cure=f"{hint}Known targets: {', '.join(TARGETS)}.",
        details={"name": name, "near": near, "known": list(TARGETS)},
    )
