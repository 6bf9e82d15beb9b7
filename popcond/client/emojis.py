"""The routes of emojis: their poses, takes, frames and stickers."""

from __future__ import annotations

from pathlib import Path

from popcond.line import Line, quoted
from popcond.wire import Approve, ChoosePose, ChooseTake, Emoji, Frame, Retry, Sticker


class EmojiRoutes:
    """Emojis, one method a route."""

    _line: Line

    async def emoji(self, emoji_id: str) -> Emoji:
        """One emoji."""
        return await self._line.one(Emoji, "GET", f"/v1/emojis/{quoted(emoji_id)}")

    async def retry(self, emoji_id: str, retry: Retry | None = None) -> Emoji:
        """Do it again, all of it or from a stage on."""
        return await self._line.one(
            Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/retry", retry or Retry(motion_prompt=None)
        )

    async def cancel(self, emoji_id: str) -> Emoji:
        """Stop an emoji."""
        return await self._line.one(Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/cancel")

    async def approve(self, emoji_id: str, approval: Approve | None = None) -> Emoji:
        """The pose is good: its clip is bought. Raises Conflict while there is none to approve, and OverBudget."""
        return await self._line.one(Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/approve", approval)

    async def choose_pose(self, emoji_id: str, pose_id: str | None) -> Emoji:
        """Let clips to come start from another pose; None: from the character itself."""
        path = f"/v1/emojis/{quoted(emoji_id)}/choose-pose"
        return await self._line.one(Emoji, "POST", path, ChoosePose(pose_id=pose_id))

    async def pose_picture(self, emoji_id: str, pose_id: str) -> bytes:
        """A pose as the provider drew it: PNG, JPEG or WebP."""
        return await self._line.content(f"/v1/emojis/{quoted(emoji_id)}/poses/{quoted(pose_id)}")

    async def accept(self, emoji_id: str) -> Emoji:
        """Take the cut-out as it is; the stickers follow."""
        return await self._line.one(Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/accept")

    async def choose_take(self, emoji_id: str, take_id: str) -> Emoji:
        """Go on with another take."""
        return await self._line.one(
            Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/choose-take", ChooseTake(take_id=take_id)
        )

    async def upload_clip(self, emoji_id: str, clip: Path | bytes) -> Emoji:
        """The user's own clip becomes a take. Raises UnreadableClip or TooLarge."""
        return await self._line.upload(Emoji, f"/v1/emojis/{quoted(emoji_id)}/clip", clip, {})

    async def frames(self, emoji_id: str) -> tuple[Frame, ...]:
        """The emoji's frames in order."""
        return await self._line.many(Frame, f"/v1/emojis/{quoted(emoji_id)}/frames")

    async def raw_frame(self, emoji_id: str, index: int, *, width: int | None = None) -> bytes:
        """PNG, RGB: a frame as it was filmed; `width` in pixels scales it down."""
        return await self._frame_picture(emoji_id, "raw-frame", index, width)

    async def cutout(self, emoji_id: str, index: int, *, width: int | None = None) -> bytes:
        """PNG, RGBA: a frame without its backdrop."""
        return await self._frame_picture(emoji_id, "cutout", index, width)

    async def mask(self, emoji_id: str, index: int, *, width: int | None = None) -> bytes:
        """PNG, L: which pixels belong to the character and its effects."""
        return await self._frame_picture(emoji_id, "mask", index, width)

    async def stickers(self, emoji_id: str) -> tuple[Sticker, ...]:
        """The emoji's stickers, one a target, with their verdicts."""
        return await self._line.many(Sticker, f"/v1/emojis/{quoted(emoji_id)}/stickers")

    async def sticker_file(self, sticker_id: str) -> bytes:
        """The sticker's bytes as the store wants them."""
        return await self._line.content(f"/v1/stickers/{quoted(sticker_id)}/file")

    async def _frame_picture(self, emoji_id: str, kind: str, index: int, width: int | None) -> bytes:
        params = None if width is None else {"width": str(width)}
        return await self._line.content(f"/v1/emojis/{quoted(emoji_id)}/{kind}/{index}", params)
