"""The doctor finds what is broken, names the cure, and changes nothing, whether a daemon runs or not."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from popcond.assets import Assets
from popcond.doctor.checkup import check_up
from popcond.doctor.finding import Finding
from popcond.home import prepare, read_or_make_token
from popcond.settings import Settings
from popcond.store import characters, emojis, frames, packs
from popcond.store.db import Connection, connect
from popcond.store.frames import RawFrame
from popcond.store.migrations import migrate
from popcond.wire import Take
from tests.daemons import running_daemon
from tests.data import a_character, a_new_pack, an_action, its_files


class Patient:
    """A home without a daemon: one emoji of a clip of the user's own, with one frame."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.load(home=home)
        prepare(self.settings)
        read_or_make_token(self.settings)
        migrate(self.settings.database)
        self.assets = Assets(self.settings.assets)
        self.picture, self.clip, self.raw = (self.assets.put(each) for each in (b"picture", b"clip", b"raw"))
        with closing(connect(self.settings.database)) as connection:
            self.emoji = self._fill(connection)

    def _fill(self, connection: Connection) -> str:
        character = characters.add(connection, a_character(), its_files(self.picture, self.picture))
        emoji = packs.add(connection, a_new_pack(character), [an_action()]).emojis[0].id
        take = Take(id="take", provider="clip-file", created=time.time())
        emojis.add_take(connection, emoji, take, clip=self.clip, backdrop=None, exact_loop=False)
        frames.replace(connection, emoji, [RawFrame(self.raw, None, 8, 8, 0.1)])
        return emoji

    def change(self, statement: str) -> None:
        """Do something to the rows that we would never do."""
        with closing(connect(self.settings.database)) as connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute(statement)

    def findings(self, name: str, *, deep: bool = False) -> list[Finding]:
        """What was found under this name."""
        return [finding for finding in check_up(self.settings, deep=deep) if finding.name == name]

    def broken(self, *, deep: bool = False) -> list[Finding]:
        """What is broken; each must say how to mend it."""
        broken = [finding for finding in check_up(self.settings, deep=deep) if not finding.ok]
        assert all(finding.cure for finding in broken)
        return broken


@pytest.fixture
def patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    """It, in good health."""
    for name in [name for name in os.environ if name.startswith(("POPCON_", "DASHSCOPE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path / "config"))
    return Patient(tmp_path / "home")


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Modes and bytes of all files but those that SQLite's readers share."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal")))
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).digest())
        for path in files
    }


def test_nothing_is_wrong_with_a_sound_home_and_nothing_is_changed(patient: Patient) -> None:
    before = snapshot(patient.settings.home)
    assert patient.broken(deep=True) == []
    assert snapshot(patient.settings.home) == before


def test_an_empty_home_is_not_broken_and_not_made(patient: Patient, tmp_path: Path) -> None:
    patient.settings = Settings.load(home=tmp_path / "nobody" / "was" / "here")
    assert patient.broken() == []
    assert not (tmp_path / "nobody").exists()


@pytest.mark.parametrize(
    ("asset", "cure"), [("picture", "new character"), ("clip", "Upload the clip"), ("raw", '"slice"')]
)
def test_a_missing_file_is_named_with_its_owner_and_its_maker(patient: Patient, asset: str, cure: str) -> None:
    name = getattr(patient, asset)
    patient.assets.path(name).unlink()
    (broken,) = patient.broken()
    assert broken.name == "assets"
    assert name in broken.message
    assert asset == "picture" or patient.emoji in broken.message
    assert cure in str(broken.cure)


def test_a_damaged_file_is_found_by_a_deep_look_only_and_left_where_it_is(patient: Patient) -> None:
    patient.assets.path(patient.raw).write_bytes(b"row")
    assert patient.broken() == []
    (broken,) = patient.broken(deep=True)
    assert (broken.name, "damaged" in broken.message) == ("assets", True)
    assert patient.assets.path(patient.raw).read_bytes() == b"row"


def test_many_missing_files_do_not_flood_the_screen(patient: Patient) -> None:
    for number in range(30):
        patient.change(
            f"INSERT INTO frame(emoji_id, number, raw, width, height, seconds)"
            f" VALUES ('{patient.emoji}', {number + 1}, '{number:064x}', 1, 1, 1)"
        )
    broken = patient.broken()
    assert len(broken) == 11
    assert "20 more" in broken[-1].message


def test_a_file_in_the_limbo_is_not_missing(patient: Patient) -> None:
    patient.assets.set_apart(patient.raw[:2], ())
    assert patient.broken() == []


@pytest.mark.parametrize(
    ("path", "mode", "name"),
    [("", 0o755, "folder-mode"), ("token", 0o644, "token-mode"), ("popcon.db", 0o640, "database-mode")],
)
def test_what_others_may_read_is_told(patient: Patient, path: str, mode: int, name: str) -> None:
    (patient.settings.home / path).chmod(mode)
    (broken,) = patient.broken()
    assert broken.name == name
    assert "chmod" in str(broken.cure)


def test_rows_that_do_not_fit_together_are_told(patient: Patient) -> None:
    patient.change("DELETE FROM pack")
    (broken,) = patient.broken()
    assert broken.name == "references"
    assert "emoji" in broken.message


def test_a_newer_database_is_told(patient: Patient) -> None:
    patient.change("INSERT INTO _sqlite_migrations VALUES (999, 'popcon', 'm999_from_the_future', '2030')")
    (broken,) = patient.broken()
    assert (broken.name, "m999_from_the_future" in broken.message) == ("schema", True)


def test_a_clock_that_went_back_is_told(patient: Patient) -> None:
    patient.change(f"INSERT INTO event(at, type, data) VALUES ({time.time() + 7200}, 'reset', '{{}}')")
    (broken,) = patient.broken()
    assert (broken.name, "120 minutes" in broken.message) == ("clock", True)


def test_a_damaged_database_is_told_with_its_copies(patient: Patient) -> None:
    (patient.settings.home / "popcon.db.backup-m001_core").write_bytes(b"")
    with closing(connect(patient.settings.database)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pack_character'").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with patient.settings.database.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    broken = {finding.name: finding for finding in patient.broken()}
    assert "backup-m001_core" in str(broken["database"].cure)


def test_what_is_no_database_at_all_stops_no_other_check(patient: Patient) -> None:
    patient.settings.database.write_bytes(b"a diary" * 1000)
    assert {finding.name for finding in patient.broken()} == {"database", "files"}
    assert patient.findings("leftovers") == []


def test_a_daemon_that_holds_the_home_but_does_not_answer_is_told(patient: Patient) -> None:
    with patient.settings.lock_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        (broken,) = patient.broken()
    assert broken.name == "daemon"
    assert patient.broken() == []


def test_leftovers_are_told_and_harm_nothing(patient: Patient) -> None:
    (patient.settings.assets / ".draft-1-dead").write_bytes(b"half")
    (finding,) = patient.findings("leftovers")
    assert (finding.ok, "1 files" in finding.message) == (True, True)


def test_a_key_that_is_none_is_told_and_never_shown(patient: Patient, tmp_path: Path) -> None:
    key = tmp_path / "config" / "dashscope.key"
    key.parent.mkdir()
    key.write_text("canary")
    key.chmod(0o600)
    (broken,) = patient.broken()
    assert broken.name == "key-dashscope"
    assert "canary" not in broken.message + str(broken.cure)


@pytest.fixture(scope="module")
def killed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a daemon that was looked at while it ran, and then killed."""
    home = tmp_path_factory.mktemp("killed") / "home"
    home.mkdir(mode=0o700)
    with running_daemon(home) as daemon:
        alive = {finding.name: finding for finding in check_up(Settings.load(home=home))}
        assert [finding for finding in alive.values() if not finding.ok] == []
        assert str(daemon.process.pid) in alive["daemon"].message
        daemon.process.send_signal(signal.SIGKILL)
    return home


def test_a_dead_daemon_leaves_nothing_that_the_doctor_minds(killed_home: Path) -> None:
    findings = {finding.name: finding for finding in check_up(Settings.load(home=killed_home), deep=True)}
    assert [finding for finding in findings.values() if not finding.ok] == []
    assert findings["daemon"].message.startswith("No daemon runs")
    with closing(sqlite3.connect(killed_home / "popcon.db")) as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone()[0] >= 0
