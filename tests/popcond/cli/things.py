"""Emojis, packs and stickers as a daemon tells them, for tests of what the command line makes of them."""

from __future__ import annotations

from popcond.wire import Emoji, Pack, Problem, Rule, Stage, Status, Sticker, Verdict

SIZE_RULE = Rule(
    name="max_bytes",
    value="400 KB",
    limit="300 KB",
    ok=False,
    reason="The file has 400 KB; LINE takes 300 KB.",
    cure="Use fewer frames.",
)


def emoji(
    action: str,
    status: Status = Status.QUEUED,
    *,
    progress: float = 0.0,
    problem: Problem | None = None,
    updated: float = 1.0,
    number: int = 1,
) -> Emoji:
    """The emoji of an action; its id is the action's name."""
    return Emoji(
        id=action,
        pack_id="pack-1",
        action=action,
        number=number,
        status=status,
        stage=Stage.ANIMATE,
        progress=progress,
        problem=problem,
        created=1.0,
        updated=updated,
    )


def pack(*emojis: Emoji) -> Pack:
    """A pack of these."""
    return Pack(
        id="pack-1",
        name="Hero",
        character_id="c-1",
        provider="puppet",
        targets=("gif",),
        auto_accept=True,
        emojis=emojis,
        created=1.0,
    )


def sticker(action: str, target: str = "line-emoji", *rules: Rule) -> Sticker:
    """A sticker of an action; it is valid unless one of the rules is broken."""
    return Sticker(
        id=f"{action}-{target}",
        emoji_id=action,
        target=target,
        file_name=f"{action}.png",
        bytes=61_470,
        width=180,
        height=180,
        frames=20,
        seconds=2.0,
        plays=2,
        seam=0.9,
        trace="",
        verdict=Verdict(valid=all(rule.ok for rule in rules), rules=rules),
    )
