"""Stickers, the bundles that stores take, and the contact sheet of a pack."""

from __future__ import annotations

import asyncio
import json
import re
from functools import partial

from fastapi import APIRouter, Response

from popcond.api.deps import Powers, Uses
from popcond.errors import Conflict
from popcond.stages.bundle import Bundled, SheetRow, draw_sheet, make_bundle
from popcond.store import emojis, frames, packs, stickers
from popcond.store.stickers import StickerRow
from popcond.targets import target as target_named
from popcond.wire import Sticker, StickerFormat

router = APIRouter(prefix="/v1", tags=["stickers"])

_MEDIA_TYPES = {
    StickerFormat.APNG: "image/apng",
    StickerFormat.GIF: "image/gif",
    StickerFormat.WEBP: "image/webp",
    StickerFormat.WEBM: "video/webm",
}


@router.get("/emojis/{emoji_id}/stickers")
async def of_emoji(powers: Uses, emoji_id: str) -> list[Sticker]:
    """The stickers of an emoji with their verdicts, one a target."""
    await powers.database.read(partial(emojis.get, emoji_id=emoji_id))
    return await powers.database.read(partial(stickers.of_emoji, emoji_id=emoji_id))


@router.get("/stickers/{sticker_id}/file", response_class=Response)
async def file(powers: Uses, sticker_id: str) -> Response:
    """The sticker's bytes as the store wants them; a damaged file is never served."""
    row = await powers.database.read(partial(stickers.get, sticker_id=sticker_id))
    return Response(
        await asyncio.to_thread(powers.assets.read, row.file),
        media_type=_MEDIA_TYPES[target_named(row.sticker.target).format],
        headers={"Content-Disposition": f'attachment; filename="{row.sticker.file_name}"'},
    )


@router.get("/packs/{pack_id}/bundle/{target}", response_class=Response)
async def bundle(powers: Uses, pack_id: str, target: str) -> Response:
    """The pack as its store takes it: ZIP. 409 with the failed rules while any sticker is not valid."""
    wanted = target_named(target)
    pack = await powers.database.read(partial(packs.get, pack_id=pack_id))
    rows = await powers.database.read(partial(stickers.of_pack, pack_id=pack_id, target=target))
    _refuse_invalid(rows, target)
    actions = {emoji.id: emoji.action for emoji in pack.emojis}
    made = await make_bundle(powers.workers, powers.assets, wanted, rows, actions)
    if made.failed:
        raise Conflict(
            f"The bundle for {target!r} breaks a rule: {made.failed[0].reason}",
            cure=made.failed[0].cure or None,
            code="invalid_bundle",
            details={"failed": [rule.model_dump() for rule in made.failed]},
        )
    return Response(made.data, media_type="application/zip", headers=_headers(pack.name, target, made))


def _refuse_invalid(rows: list[StickerRow], target: str) -> None:
    if not rows:
        raise Conflict(f"This pack has no stickers for {target!r} yet.", cure="Wait for its emojis, or add the target.")
    failed = {
        row.sticker.file_name: [rule.model_dump() for rule in row.sticker.verdict.failed]
        for row in rows
        if not row.sticker.verdict.valid
    }
    if failed:
        raise Conflict(
            f"{len(failed)} of {len(rows)} stickers break a rule of {target!r}: {', '.join(sorted(failed))}.",
            cure="Each rule's own cure is in `details`.",
            code="invalid_stickers",
            details={"failed": failed},
        )


def _headers(pack_name: str, target: str, made: Bundled) -> dict[str, str]:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", pack_name).strip("-.") or "pack"
    return {
        "Content-Disposition": f'attachment; filename="{stem}-{target}.zip"',
        "X-Popcon-Advice": json.dumps(made.advice),
    }


@router.get("/packs/{pack_id}/contact-sheet", response_class=Response)
async def contact_sheet(powers: Uses, pack_id: str) -> Response:
    """Every emoji of the pack in a few of its frames: PNG."""
    pack = await powers.database.read(partial(packs.get, pack_id=pack_id))
    rows = [await _sheet_row(powers, emoji.id, emoji.action) for emoji in pack.emojis]
    shown = [row for row in rows if row.files and all(file.mask for file in row.files)]
    if not shown:
        raise Conflict("No emoji of this pack has cut-out frames yet.", cure="Wait until one is segmented.")
    return Response(await draw_sheet(powers.workers, powers.assets, shown), media_type="image/png")


async def _sheet_row(powers: Powers, emoji_id: str, name: str) -> SheetRow:
    action = await powers.database.read(partial(emojis.action_of, emoji_id=emoji_id))
    files = await powers.database.read(partial(frames.files, emoji_id=emoji_id))
    label = action.label if action.name == name else name
    return SheetRow(label, tuple(files), action.poster)
