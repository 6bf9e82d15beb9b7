"""Clips that cannot be used, or that want to do harm: each is refused with a sentence and its cure."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from popcond.errors import BadInput, TooLarge, UnreadableClip
from popcond.media.clip import ClipFrame, ClipLimits, probe, read_frames
from popcond.media.raster import Rgba
from tests.clips import (
    CLIP_KINDS,
    H264,
    VP9_WITH_ALPHA,
    ClipKind,
    Recording,
    moving_disc,
    write_clip,
    write_movie,
    write_sound,
)


def grainy(count: int) -> list[Rgba]:
    """Frames whose bytes are spread over the whole file, so that damage anywhere hits one of them."""
    grain = np.random.default_rng(5)
    frames = moving_disc(count, width=128, height=96)
    for frame in frames:
        frame[40:, :, :3] ^= grain.integers(0, 64, (56, 128, 3), dtype=np.uint8)
        frame[40:, :, 3] = 255
    return frames


def refusal(path: Path, limits: ClipLimits | None = None) -> BadInput:
    """The error that both ways in agree on."""
    with pytest.raises(BadInput) as probed:
        probe(path, limits=limits or ClipLimits())
    with pytest.raises(BadInput) as read:
        next(read_frames(path, limits=limits or ClipLimits()))
    assert str(probed.value) == str(read.value)
    assert probed.value.cure
    assert path.name in probed.value.message
    return probed.value


def cut_to(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


# ------------------------------------------------------------------ what is no clip


@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile '{other}'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{other}\n#EXT-X-ENDLIST\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{other}</BaseURL></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    ],
    ids=["ffconcat", "hls", "dash", "sdp"],
)
def test_a_playlist_named_mp4_is_never_followed(tmp_path: Path, playlist: str) -> None:
    write_clip("mp4", moving_disc(5), 10, tmp_path / "other.mp4")
    (tmp_path / "clip.mp4").write_text(playlist.format(other=tmp_path / "other.mp4"))
    assert "text file" in refusal(tmp_path / "clip.mp4").message


@pytest.mark.parametrize(
    "beginning", [b"\0\0\0\x10ftypisom\0\0\0\0", b"\x1aE\xdf\xa3", b"RIFF\xff\0\0\0WEBP", b"GIF89a"]
)
def test_a_playlist_behind_a_clips_first_bytes_is_not_followed_either(tmp_path: Path, beginning: bytes) -> None:
    write_clip("mp4", moving_disc(5), 10, tmp_path / "other.mp4")
    (tmp_path / "clip.mp4").write_bytes(
        beginning + f"\nffconcat version 1.0\nfile {tmp_path}/other.mp4\n".encode() * 20
    )
    assert refusal(tmp_path / "clip.mp4").cure


def test_a_file_name_is_never_taken_for_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip("mp4", moving_disc(5), 10, tmp_path / "clip.mp4")
    (tmp_path / "clip.mp4").rename(tmp_path / "concat:a.mp4|b.mp4")
    assert len(list(read_frames(Path("concat:a.mp4|b.mp4")))) == 5


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello, I am a clip", "text file"),
        (b"\x00\x01\x02\x03" * 40, "unknown"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "AVI"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xff\xd8\xff\xe0" + bytes(60), "JPEG"),
        (b"OggS" + bytes(60), "Ogg"),
        ((b"\x47" + bytes(187)) * 4, "transport stream"),
    ],
)
def test_what_is_no_clip_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    assert says in refusal(tmp_path / "clip.mp4").message


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    assert "No such file" in refusal(tmp_path / "missing.mp4").message
    assert "not a file" in refusal(tmp_path / "folder.mp4").message


def test_a_sound_file_has_no_pictures(tmp_path: Path) -> None:
    write_sound(tmp_path / "song.mp4")
    assert "no video" in refusal(tmp_path / "song.mp4").message


@pytest.mark.parametrize("kind", CLIP_KINDS)
def test_one_frame_is_no_clip_but_may_be_a_character(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, moving_disc(1), 10, tmp_path / "still")
    assert "character" in (refusal(tmp_path / "still").cure or "")


def test_a_copy_protected_clip_is_named(tmp_path: Path) -> None:
    write_clip("mp4", moving_disc(5), 10, tmp_path / "clip.mp4")
    (tmp_path / "clip.mp4").write_bytes((tmp_path / "clip.mp4").read_bytes().replace(b"avc1\0\0\0\0", b"encv\0\0\0\0"))
    assert "protected" in refusal(tmp_path / "clip.mp4").message


def test_a_decoder_that_is_not_on_our_list_is_not_run(tmp_path: Path) -> None:
    write_movie(moving_disc(5), 25, tmp_path / "clip.mov", Recording("mov", "jpeg2000", "yuv420p"))
    assert "jpeg2000" in refusal(tmp_path / "clip.mov").message


# ------------------------------------------------------------------ what is too much


def test_a_long_clip_is_refused_with_the_cure_to_cut_it(tmp_path: Path) -> None:
    write_movie(moving_disc(3), 10, tmp_path / "clip.mov", H264, at=[0, 20_000, 40_000])
    error = refusal(tmp_path / "clip.mov")
    assert isinstance(error, TooLarge)
    assert "Cut" in (error.cure or "")


@pytest.mark.parametrize("kind", ["gif", "apng", "webp"])
def test_a_long_animation_is_refused(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, moving_disc(4), 1, tmp_path / "clip")
    assert isinstance(refusal(tmp_path / "clip", ClipLimits(max_seconds=3)), TooLarge)


def test_a_clip_of_very_many_frames_is_refused(tmp_path: Path) -> None:
    write_clip("gif", moving_disc(12), 50, tmp_path / "clip")
    assert isinstance(refusal(tmp_path / "clip", ClipLimits(max_file_frames=10)), TooLarge)


@pytest.mark.parametrize("kind", CLIP_KINDS)
def test_frames_that_are_too_big_or_too_small_are_refused(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, moving_disc(3, width=100, height=80), 10, tmp_path / "clip")
    assert isinstance(refusal(tmp_path / "clip", ClipLimits(max_pixels=100 * 79)), TooLarge)
    assert "at least 90" in refusal(tmp_path / "clip", ClipLimits(min_side=90)).message


def test_a_heavy_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "clip.mp4").open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    assert isinstance(refusal(tmp_path / "clip.mp4", ClipLimits(max_mib=1)), TooLarge)


def test_a_gif_whose_frame_leaves_its_canvas_cannot_grow_it(tmp_path: Path) -> None:
    write_clip("gif", moving_disc(3), 10, tmp_path / "clip.gif")
    data = bytearray((tmp_path / "clip.gif").read_bytes())
    second = data.index(b"\x21\xf9\x04", data.index(b"\x21\xf9\x04") + 8) + 8
    assert data[second : second + 1] == b","
    struct.pack_into("<4H", data, second + 1, 0, 0, 60_000, 60_000)
    (tmp_path / "clip.gif").write_bytes(data)
    assert isinstance(refusal(tmp_path / "clip.gif"), TooLarge)


# ------------------------------------------------------------------ what is damaged


def test_an_mp4_without_its_index_is_refused(tmp_path: Path) -> None:
    write_movie(grainy(20), 10, tmp_path / "clip.mov", H264)
    assert "not complete" in refusal(cut_to(tmp_path / "clip.mov", 0.7)).message


@pytest.mark.parametrize("kind", ["mp4", "webm", "apng", "webp"])
def test_a_clip_that_lost_its_second_half_is_refused(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, grainy(20), 10, tmp_path / "clip")
    assert "not complete" in refusal(cut_to(tmp_path / "clip", 0.5)).message


@pytest.mark.parametrize("kind", ["mp4", "webm", "apng"])
def test_a_clip_that_lost_its_last_frames_is_used_and_says_so(tmp_path: Path, kind: ClipKind) -> None:
    write_clip(kind, grainy(40), 20, tmp_path / "clip")
    notes: list[str] = []
    frames = list(read_frames(cut_to(tmp_path / "clip", 0.92), report=notes.append))
    assert 32 <= len(frames) < 40
    assert [note for note in notes if "missing" in note]


def test_a_gif_without_its_end_mark_is_used_and_says_so(tmp_path: Path) -> None:
    write_clip("gif", grainy(10), 10, tmp_path / "clip.gif")
    notes: list[str] = []
    assert len(list(read_frames(cut_to(tmp_path / "clip.gif", 0.75), report=notes.append))) == 7
    assert [note for note in notes if "end mark" in note]


def spoil(path: Path, *, spots: int, since: float) -> None:
    """Overwrite short runs of bytes after the given share of the file, but not at its end."""
    data, noise = bytearray(path.read_bytes()), np.random.default_rng(7)
    for at in noise.integers(int(len(data) * since), len(data) * 9 // 10, spots):
        data[at : at + 40] = noise.bytes(40)
    path.write_bytes(data)


def test_a_damaged_frame_is_left_out_and_its_neighbour_lasts_longer(tmp_path: Path) -> None:
    write_clip("mp4", grainy(40), 20, tmp_path / "clip.mp4")
    spoil(tmp_path / "clip.mp4", spots=2, since=0.5)
    notes: list[str] = []
    frames = list(read_frames(tmp_path / "clip.mp4", report=notes.append))
    assert 32 <= len(frames) < 40
    assert sum(frame.seconds for frame in frames) == pytest.approx(2.0, abs=0.01)
    assert max(frame.seconds for frame in frames) > 0.09
    assert [note for note in notes if "damaged" in note]


def test_a_clip_of_mostly_damaged_frames_is_refused_in_the_end(tmp_path: Path) -> None:
    write_clip("mp4", grainy(40), 20, tmp_path / "clip.mp4")
    spoil(tmp_path / "clip.mp4", spots=2000, since=0.1)
    with pytest.raises(UnreadableClip, match="damaged"):
        list(read_frames(tmp_path / "clip.mp4"))


def changed_bytes(data: bytes, seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    changed = bytearray(data)
    for _ in range(int(chance.integers(1, 12))):
        changed[int(chance.integers(0, len(data)))] = int(chance.integers(0, 256))
    return bytes(changed)


def shortened(data: bytes, seed: int) -> bytes:
    return data[: int(np.random.default_rng(seed).integers(0, len(data)))]


@pytest.mark.parametrize("kind", CLIP_KINDS)
@pytest.mark.parametrize("harm", [changed_bytes, shortened])
def test_whatever_is_wrong_with_a_clip_ends_in_frames_or_a_sentence(
    tmp_path: Path, kind: ClipKind, harm: Callable[[bytes, int], bytes]
) -> None:
    write_clip(kind, moving_disc(6, width=48, height=40), 10, tmp_path / "clip")
    sound = (tmp_path / "clip").read_bytes()
    for seed in range(20):
        (tmp_path / "clip").write_bytes(harm(sound, seed))
        frames, cure = frames_or_cure(tmp_path / "clip")
        assert cure or len(frames) > 1
        assert all(frame.seconds > 0 and frame.rgb.shape == frames[0].rgb.shape for frame in frames)


def frames_or_cure(path: Path) -> tuple[list[ClipFrame], str | None]:
    try:
        return list(read_frames(path)), None
    except BadInput as error:
        return [], error.cure


def test_a_webm_that_says_nothing_of_its_length_is_read(tmp_path: Path) -> None:
    write_movie(moving_disc(6), 10, tmp_path / "clip.webm", VP9_WITH_ALPHA)
    data = (tmp_path / "clip.webm").read_bytes()
    assert data.count(b"\x44\x89\x88") == 1  # the Duration element becomes a Void one of the same size
    (tmp_path / "clip.webm").write_bytes(data.replace(b"\x44\x89\x88", b"\xec\x40\x08"))
    frames = list(read_frames(tmp_path / "clip.webm"))
    assert [round(frame.seconds, 3) for frame in frames] == [0.1] * 6
