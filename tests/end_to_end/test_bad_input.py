"""Everything that people (and others) hand in by mistake or on purpose: one sentence, its cure, and nothing lost."""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import wave
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from popcond.assets import RESERVE
from popcond.store.db import connect
from tests.clips import write_clip
from tests.daemons import PATIENCE, RunningDaemon, environment, running_daemon

PICTURES: dict[str, Callable[[], bytes]] = {
    "text renamed": lambda: b"Dear diary, today I became a picture.\n" * 20,
    "empty": lambda: b"",
    "truncated JPEG": lambda: _picture(300, 300, "JPEG")[:2500],
    "bomb": lambda: _bomb(30_000),
    "1×1": lambda: _picture(1, 1, "PNG"),
    "16000×40": lambda: _picture(16_000, 40, "PNG"),
    "SVG": lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
}


def _picture(width: int, height: int, picture_format: str) -> bytes:
    rng = np.random.default_rng(7)
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (height, width, 3), np.uint8)).save(file, picture_format)
    return file.getvalue()


def _bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that promises gigabytes of pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def popcond(home: Path, *arguments: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "popcond", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
        env={**environment(home), **more},
        cwd=cwd,
    )


def sentence_of(done: subprocess.CompletedProcess[str], code: int) -> str:
    """The narration of a command that failed as it should."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return " ".join(done.stderr.split())


@pytest.fixture(scope="module")
def good_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red square on white paper."""
    path = tmp_path_factory.mktemp("pictures") / "good.png"
    picture = np.full((200, 160, 3), 250, np.uint8)
    picture[50:150, 40:120] = (200, 40, 40)
    Image.fromarray(picture).save(path)
    return path


@pytest.mark.parametrize("kind", PICTURES)
def test_what_is_no_usable_picture(daemon: RunningDaemon, tmp_path: Path, kind: str) -> None:
    picture = tmp_path / "hero.png"
    picture.write_bytes(PICTURES[kind]())
    out = tmp_path / "out"
    done = popcond(daemon.home, "make", str(picture), "--actions", "wave", "--out", str(out), "--json")
    report = json.loads(done.stdout)
    assert done.returncode in (1, 2), done.stderr
    assert report["ok"] is False
    (problem,) = report["problems"]
    assert problem["code"] in {"unreadable_picture", "too_large", "bad_input", "wrong_usage"}, problem
    assert problem["message"].endswith(".")
    assert problem["cure"]
    assert not list(tmp_path.rglob("*.zip"))


def _audio() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16_000))
    return file.getvalue()


def _one_frame(path: Path) -> None:
    write_clip("mp4", [np.full((64, 64, 4), 200, np.uint8)], 10, path)


def _playlist(path: Path) -> None:
    secret = path.with_name("secret.mp4")
    _moving(secret)
    path.write_text(f"ffconcat version 1.0\nfile '{secret}'\n")


def _moving(path: Path) -> None:
    frames = [np.full((64, 64, 4), 255, np.uint8) for _ in range(12)]
    for number, frame in enumerate(frames):
        frame[20:40, 10 + 2 * number : 30 + 2 * number, :3] = (200, 30, 30)
    write_clip("mp4", frames, 12, path)


def _cut_off(path: Path) -> None:
    _moving(path)
    path.write_bytes(path.read_bytes()[:700])


CLIPS: dict[str, Callable[[Path], None]] = {
    "sound only": lambda path: _ignore(path.write_bytes(_audio())),
    "one frame": _one_frame,
    "playlist": _playlist,
    "hls playlist": lambda path: _ignore(path.write_text("#EXTM3U\n#EXTINF:2,\n/etc/passwd\n")),
    "text": lambda path: _ignore(path.write_text("not a film")),
    "empty": lambda path: _ignore(path.write_bytes(b"")),
    "cut off": _cut_off,
}


def _ignore(_value: object) -> None:
    """For statements in a lambda."""


@pytest.mark.parametrize("kind", CLIPS)
def test_what_is_no_usable_clip(daemon: RunningDaemon, good_picture: Path, tmp_path: Path, kind: str) -> None:
    clip = tmp_path / "clip.mp4"
    CLIPS[kind](clip)
    arguments = [
        "import",
        str(clip),
        "--character",
        str(good_picture),
        "--action",
        "wave",
        "--out",
        str(tmp_path / "o"),
    ]
    done = popcond(daemon.home, *arguments, "--json")
    report = json.loads(done.stdout)
    assert done.returncode in (1, 2), done.stderr
    assert report["ok"] is False
    problem = report["problems"][0]
    assert problem["code"] in {"unreadable_clip", "bad_input", "wrong_usage"}, problem
    assert problem["cure"]


def test_an_unknown_action_is_wrong_usage_with_the_nearest_one(
    daemon: RunningDaemon, good_picture: Path, tmp_path: Path
) -> None:
    told = sentence_of(popcond(daemon.home, "make", str(good_picture), "--actions", "wav,jump", cwd=tmp_path), 2)
    assert "wav" in told
    assert "wave" in told
    assert not list(tmp_path.iterdir())


def test_an_unknown_target_is_wrong_usage_with_the_nearest_one(
    daemon: RunningDaemon, good_picture: Path, tmp_path: Path
) -> None:
    arguments = ["make", str(good_picture), "--actions", "wave", "--target", "line-emojy"]
    assert "line-emoji" in sentence_of(popcond(daemon.home, *arguments, cwd=tmp_path), 2)
    assert not list(tmp_path.iterdir())


def test_an_out_folder_below_a_file_is_wrong_usage(daemon: RunningDaemon, good_picture: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    arguments = ["make", str(good_picture), "--actions", "wave", "--out", str(tmp_path / "file" / "out")]
    assert str(tmp_path / "file") in sentence_of(popcond(daemon.home, *arguments), 2)


needs_mount = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux", reason="mounting a small disk takes root"
)


DISK_MIB = 40


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes, which is soon full."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)], check=False)
    if mounted.returncode != 0:
        pytest.skip("this machine does not let tests mount a disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@needs_mount
def test_a_full_disk_at_home_fails_the_emoji_with_the_cure_and_harms_no_row(
    good_picture: Path, small_disk: Path, tmp_path: Path
) -> None:
    home = small_disk / "home"
    with running_daemon(home) as daemon:
        (small_disk / "ballast").write_bytes(bytes((DISK_MIB << 20) - RESERVE - (3 << 20)))
        arguments = ["make", str(good_picture), "--actions", "wave,jump", "--out", str(tmp_path / "out")]
        told = sentence_of(popcond(daemon.home, *arguments), 1)
        assert "full" in told
        assert "ree some space" in told
    with contextlib.closing(connect(home / "popcon.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert not list((home / "assets").glob(".draft*"))


@needs_mount
def test_a_full_disk_at_the_out_folder_leaves_no_half_file(
    daemon: RunningDaemon, good_picture: Path, small_disk: Path
) -> None:
    out = small_disk / "out"
    out.mkdir()
    (small_disk / "ballast").write_bytes(bytes((DISK_MIB << 20) - 60_000))
    told = sentence_of(popcond(daemon.home, "make", str(good_picture), "--actions", "wave", "--out", str(out)), 1)
    assert "full" in told or "room" in told
    for gif in out.rglob("*.gif"):
        Image.open(gif).load()
    assert not [path for path in out.rglob("*") if path.name.startswith(".") or path.suffix in (".tmp", ".part")]
