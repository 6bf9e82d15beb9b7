"""Small values that tests share: rows of the wire with nothing in them that matters."""

from __future__ import annotations

import time
import uuid

from popcond.store.characters import CharacterFiles
from popcond.wire import Action, Character, NewPack, RemoveBackground

DIGEST = "0" * 64  # the name of an asset that no file has


def a_character(name: str = "Pip") -> Character:
    """A character that nobody has drawn."""
    return Character(
        id=uuid.uuid4().hex,
        name=name,
        width=64,
        height=64,
        remove_background=RemoveBackground.AUTO,
        background="alpha",
        coverage=0.5,
        created=time.time(),
    )


def its_files(picture: str = DIGEST, cutout: str = DIGEST) -> CharacterFiles:
    """Files of a character, which need not exist."""
    return CharacterFiles(picture=picture, media_type="image/png", cutout=cutout)


def an_action(name: str = "wave") -> Action:
    """An action as it is kept with an emoji."""
    return Action(name=name, label=name.title(), motion_prompt=f"The character does: {name}.", performance="happy")


def a_new_pack(character: Character, *actions: str, auto_accept: bool = False) -> NewPack:
    """An order of these actions, for one plain target."""
    return NewPack(
        name="Test",
        character_id=character.id,
        actions=actions or ("wave",),
        targets=("gif",),
        auto_accept=auto_accept,
    )
