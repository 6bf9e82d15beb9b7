"""The picture of a whole pack."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from popcond.media.raster import Rgba
from popcond.stickers.contact_sheet import contact_sheet, spread


def flat(colour: tuple[int, int, int], width: int = 60, height: int = 60) -> Rgba:
    return np.full((height, width, 4), (*colour, 255), np.uint8)


def sheet(rows: list[tuple[str, list[Rgba]]]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(contact_sheet(rows))).convert("RGB"))


def share(picture: np.ndarray, colour: tuple[int, int, int]) -> float:
    return float((np.abs(picture.astype(int) - colour).max(axis=2) <= 3).mean())


def test_six_frames_are_spread_over_the_loop_with_the_poster_first() -> None:
    frames = [flat((number, 0, 0)) for number in range(20)]
    assert [int(frame[0, 0, 0]) for frame in spread(frames)] == [0, 3, 6, 10, 13, 16]
    assert len(spread(frames[:2])) == 2


def test_each_emoji_has_a_row_of_its_own() -> None:
    red, blue = (220, 20, 20), (20, 20, 220)
    picture = sheet([("red", [flat(red)] * 6), ("blue", [flat(blue)] * 6)])
    upper, lower = np.array_split(picture, 2)
    assert share(upper, red) > 0.3
    assert share(lower, blue) > 0.3
    assert share(upper, blue) == share(lower, red) == 0.0


def test_the_label_is_written_at_the_left() -> None:
    named, nameless = (sheet([(label, [flat((200, 200, 200))])]) for label in ("celebrate", ""))
    where = np.argwhere((named != nameless).any(axis=2))
    assert len(where) > 100
    assert where[:, 1].max() < 260


def test_a_long_label_is_shortened_rather_than_drawn_over_the_pictures() -> None:
    long, nameless = (sheet([(label, [flat((9, 9, 9))])]) for label in ("an action with a very long name", ""))
    assert np.argwhere((long != nameless).any(axis=2))[:, 1].max() < 260


def test_transparency_shows_a_quiet_checker() -> None:
    picture = sheet([("", [np.zeros((50, 50, 4), np.uint8)])])
    inside = picture[80:200, 300:420].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 2
    assert inside.min() > 230


def test_a_tall_picture_keeps_its_shape() -> None:
    picture = sheet([("", [flat((200, 30, 30), width=30, height=90)])])
    red = (np.abs(picture.astype(int) - (200, 30, 30)).max(axis=2) <= 3).nonzero()
    assert np.ptp(red[0]) / np.ptp(red[1]) == pytest.approx(3.0, rel=0.05)


def test_a_sheet_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        contact_sheet([])
