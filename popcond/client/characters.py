"""The routes of characters: pictures that are brought, and those that are drawn from words."""

from __future__ import annotations

from pathlib import Path

from popcond.line import Line, quoted
from popcond.wire import Character, CharacterChanges, ChooseDrawing, NewDrawing, Redraw, RemoveBackground


class CharacterRoutes:
    """Characters, one method a route."""

    _line: Line

    async def add_character(
        self,
        picture: Path | bytes,
        name: str | None = None,
        remove_background: RemoveBackground = RemoveBackground.AUTO,
    ) -> Character:
        """Upload a picture. Raises UnreadablePicture, TooLarge or NoCharacter when it cannot become a character."""
        fields = {"remove_background": remove_background.value} | ({"name": name} if name else {})
        return await self._line.upload(Character, "/v1/characters", picture, fields)

    async def add_sample_character(self) -> Character:
        """The character that the daemon draws itself."""
        return await self._line.one(Character, "POST", "/v1/characters/sample")

    async def characters(self) -> tuple[Character, ...]:
        """All characters."""
        return await self._line.many(Character, "/v1/characters")

    async def character(self, character_id: str) -> Character:
        """One character."""
        return await self._line.one(Character, "GET", f"/v1/characters/{quoted(character_id)}")

    async def character_cutout(self, character_id: str) -> bytes:
        """PNG, RGBA: the character without its background."""
        return await self._line.content(f"/v1/characters/{quoted(character_id)}/cutout")

    async def character_picture(self, character_id: str) -> bytes:
        """The picture as it was brought or drawn, byte for byte."""
        return await self._line.content(f"/v1/characters/{quoted(character_id)}/picture")

    async def change_character(self, character_id: str, changes: CharacterChanges) -> Character:
        """Give a character another name."""
        return await self._line.one(Character, "PATCH", f"/v1/characters/{quoted(character_id)}", changes)

    async def generate_character(self, new: NewDrawing, reference: Path | bytes | None = None) -> Character:
        """Draw a character from words, and after a picture if there is one; it is drawn by a job.

        Raises OverBudget, and what a bad reference or an unknown model is refused with.
        """
        path = "/v1/characters/generate"
        if reference is None:
            return await self._line.one(Character, "POST", path, new)
        fields = {name: str(value) for name, value in new.model_dump(mode="json", exclude_none=True).items()}
        return await self._line.upload(Character, path, reference, fields, part="reference")

    async def regenerate_character(self, character_id: str, redraw: Redraw | None = None) -> Character:
        """Draw it once more; earlier drawings stay. Raises Conflict for a picture that was brought, and OverBudget."""
        path = f"/v1/characters/{quoted(character_id)}/regenerate"
        return await self._line.one(Character, "POST", path, redraw or Redraw())

    async def cancel_drawing(self, character_id: str) -> Character:
        """Stop its drawing; drawings that are there stay."""
        return await self._line.one(Character, "POST", f"/v1/characters/{quoted(character_id)}/cancel")

    async def choose_drawing(self, character_id: str, drawing_id: str) -> Character:
        """Take another of its drawings as its picture."""
        path = f"/v1/characters/{quoted(character_id)}/choose-drawing"
        return await self._line.one(Character, "POST", path, ChooseDrawing(drawing_id=drawing_id))

    async def drawing_picture(self, character_id: str, drawing_id: str) -> bytes:
        """A drawing as the provider made it: PNG, JPEG or WebP."""
        return await self._line.content(f"/v1/characters/{quoted(character_id)}/drawings/{quoted(drawing_id)}")

    async def delete_character(self, character_id: str) -> None:
        """Forget a character. Raises Conflict while a pack uses it."""
        await self._line.send("DELETE", f"/v1/characters/{quoted(character_id)}")
