"""Characters over HTTP: taken in, kept untouched, cut out, refused with a sentence."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image

from popcond.client import Client
from popcond.errors import Conflict, NoCharacter, NotFound, PopconError, TooLarge, UnreadablePicture
from popcond.wire import NewPack, RemoveBackground
from tests.daemons import RunningDaemon


def a_picture(picture_format: str = "PNG") -> bytes:
    """A red ball on plain paper."""
    rows, columns = np.mgrid[:160, :120]
    ball = (rows - 80) ** 2 + (columns - 60) ** 2 < 40**2
    rgb = np.where(ball[..., None], np.array([210, 40, 40]), np.array([250, 250, 247])).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, picture_format)
    return file.getvalue()


async def test_the_picture_is_kept_byte_for_byte_beside_its_cutout(client: Client, daemon: RunningDaemon) -> None:
    data = a_picture("BMP")
    character = await client.add_character(data, name="Ball")
    assert (character.name, character.width, character.height) == ("Ball", 120, 160)
    assert character.background == "keyed"
    async with httpx.AsyncClient(headers=daemon.headers) as http:
        kept = await http.get(f"{daemon.url}/v1/characters/{character.id}/picture")
    assert kept.content == data
    assert kept.headers["content-type"] == "image/bmp"
    cutout = np.asarray(Image.open(io.BytesIO(await client.character_cutout(character.id))))
    assert cutout.shape == (160, 120, 4)
    assert cutout[80, 60, 3] == 255
    assert cutout[2, 2].tolist() == [0, 0, 0, 0]


async def test_a_background_can_be_kept(client: Client) -> None:
    character = await client.add_character(a_picture(), remove_background=RemoveBackground.NEVER)
    assert (character.background, character.coverage) == ("kept", 1.0)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnreadablePicture),
        (b"Dear diary, I am a picture.", UnreadablePicture),
        (a_picture("JPEG")[:700], UnreadablePicture),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, UnreadablePicture),
    ],
    ids=["empty", "text", "cut off", "no header"],
)
async def test_what_is_no_picture_is_refused_with_a_cure(client: Client, data: bytes, error: type[PopconError]) -> None:
    before = await client.characters()
    with pytest.raises(error) as caught:
        await client.add_character(data, name="Broken")
    assert caught.value.cure
    assert await client.characters() == before


async def test_a_picture_of_nothing_is_refused(client: Client) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(file, "PNG")
    with pytest.raises(NoCharacter):
        await client.add_character(file.getvalue())


async def test_an_upload_beyond_the_limit_is_refused_before_it_is_decoded(client: Client) -> None:
    with pytest.raises(TooLarge):
        await client.add_character(bytes(65 << 20))


async def test_a_refused_upload_leaves_nothing_behind(client: Client, daemon: RunningDaemon) -> None:
    with pytest.raises(UnreadablePicture):
        await client.add_character(b"nothing of worth")
    assert not list((daemon.home / ".popcon-work").glob("upload-*"))


async def test_a_character_goes_only_when_no_pack_uses_it(client: Client) -> None:
    character = await client.add_character(a_picture())
    pack = await client.add_pack(
        NewPack(character_id=character.id, actions=("wave",), awaits_clips=True, max_spend=None)
    )
    with pytest.raises(Conflict, match="pack"):
        await client.delete_character(character.id)
    await client.delete_pack(pack.id)
    await client.delete_character(character.id)
    with pytest.raises(NotFound):
        await client.character(character.id)


async def test_the_sample_is_a_character_like_any_other(client: Client) -> None:
    sample = await client.add_sample_character()
    assert sample.background == "alpha"
    assert 0.1 < sample.coverage < 0.9
    assert sample in await client.characters()
