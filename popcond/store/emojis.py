"""Emoji rows with their poses and takes: one character doing one action in a pack."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from popcond.errors import NotFound
from popcond.store import budget, events
from popcond.store.characters import CharacterFiles
from popcond.store.db import insert
from popcond.wire import Action, Emoji, Pose, Problem, Stage, Status, Take

Backdrop = tuple[int, int, int]  # red, green, blue


@dataclass(frozen=True)
class TakeFiles:
    """What later stages need to know of a take."""

    id: str
    clip: str  # asset
    backdrop: Backdrop | None  # the flat colour behind the character, where we chose it
    exact_loop: bool  # the clip's end meets its beginning exactly


def add(connection: sqlite3.Connection, pack_id: str, actions: Sequence[Action], *, draw_poses: bool = False) -> None:
    """One emoji an action, queued for its pose or its clip; the action is kept as it was at this moment."""
    row = connection.execute("SELECT max(number) AS last FROM emoji WHERE pack_id = ?", (pack_id,)).fetchone()
    turn = connection.execute("SELECT coalesce(max(turn), 0) AS last FROM emoji").fetchone()["last"]
    now = time.time()
    for number, action in enumerate(actions, start=(row["last"] or 0) + 1):
        emoji = {
            "id": uuid.uuid4().hex,
            "pack_id": pack_id,
            "number": number,
            "turn": turn + number,
            "action": action.model_dump_json(),
            "motion_prompt": action.motion_prompt,
            "pose_prompt": action.pose_prompt,
            "status": Status.QUEUED,
            "stage": Stage.POSE if draw_poses else Stage.ANIMATE,
            "progress": 0.0,
            "created": now,
            "updated": now,
        }
        insert(connection, "emoji", emoji)


def get(connection: sqlite3.Connection, emoji_id: str) -> Emoji:
    """One emoji with its takes. Raises NotFound."""
    return _emoji(connection, _row(connection, emoji_id))


def exists(connection: sqlite3.Connection, emoji_id: str) -> bool:
    """Whether its pack still has it."""
    return connection.execute("SELECT 1 FROM emoji WHERE id = ?", (emoji_id,)).fetchone() is not None


def action_of(connection: sqlite3.Connection, emoji_id: str) -> Action:
    """The action as it was when the emoji was added. Raises NotFound."""
    return Action.model_validate_json(_row(connection, emoji_id)["action"])


def of_pack(connection: sqlite3.Connection, pack_id: str) -> tuple[Emoji, ...]:
    """The emojis of a pack in their order."""
    rows = connection.execute("SELECT * FROM emoji WHERE pack_id = ? ORDER BY number", (pack_id,)).fetchall()
    return tuple(_emoji(connection, row) for row in rows)


def place(
    connection: sqlite3.Connection,
    emoji_id: str,
    stage: Stage,
    status: Status,
    progress: float,
    problem: Problem | None = None,
) -> Emoji:
    """Say where the emoji stands now; an event tells it. Raises NotFound."""
    connection.execute(
        "UPDATE emoji SET stage = ?, status = ?, progress = ?, problem = ?, updated = ? WHERE id = ?",
        (stage, status, progress, problem.model_dump_json() if problem else None, time.time(), emoji_id),
    )
    return tell(connection, emoji_id)


def tell(connection: sqlite3.Connection, emoji_id: str) -> Emoji:
    """Write the event that carries the emoji as it is now. Raises NotFound."""
    emoji = get(connection, emoji_id)
    events.append(connection, "emoji_changed", emoji=emoji)
    return emoji


def describe_frames(
    connection: sqlite3.Connection, emoji_id: str, *, count: int, fps: float, width: int, height: int
) -> None:
    """Note what the chosen take's frames are like."""
    connection.execute(
        "UPDATE emoji SET frame_count = ?, fps = ?, width = ?, height = ? WHERE id = ?",
        (count, fps, width, height, emoji_id),
    )


def note(connection: sqlite3.Connection, emoji_id: str, notes: Sequence[str]) -> None:
    """Replace what a person should know about this emoji."""
    connection.execute("UPDATE emoji SET notes = ? WHERE id = ?", (json.dumps(list(notes)), emoji_id))


def set_prompts(connection: sqlite3.Connection, emoji_id: str, motion: str | None, pose: str | None) -> None:
    """The prompts of takes and poses to come; what is null stays."""
    connection.execute(
        "UPDATE emoji SET motion_prompt = coalesce(?, motion_prompt), pose_prompt = coalesce(?, pose_prompt)"
        " WHERE id = ?",
        (motion, pose, emoji_id),
    )


def add_take(
    connection: sqlite3.Connection,
    emoji_id: str,
    take: Take,
    *,
    clip: str,
    backdrop: Backdrop | None,
    exact_loop: bool,
    choose: bool = True,
) -> None:
    """Keep a take, and choose it unless told otherwise; earlier ones stay. Raises NotFound."""
    _row(connection, emoji_id)
    files = {"clip": clip, "backdrop": json.dumps(backdrop) if backdrop else None, "exact_loop": exact_loop}
    row = {**take.model_dump(), "flaws": json.dumps(take.flaws), "emoji_id": emoji_id}
    insert(connection, "take", row | files)
    if choose:
        connection.execute("UPDATE emoji SET chosen_take = ? WHERE id = ?", (take.id, emoji_id))


def describe_take(connection: sqlite3.Connection, take_id: str, *, seconds: float) -> None:
    """Note what is known once the clip has been decoded."""
    connection.execute("UPDATE take SET seconds = ? WHERE id = ?", (seconds, take_id))


def choose_take(connection: sqlite3.Connection, emoji_id: str, take_id: str) -> None:
    """Choose among the takes that are there. Raises NotFound."""
    row = connection.execute("SELECT 1 FROM take WHERE id = ? AND emoji_id = ?", (take_id, emoji_id)).fetchone()
    if row is None:
        raise NotFound("This emoji has no such take.", cure="Look at the emoji's `takes`.", details={"take": take_id})
    connection.execute("UPDATE emoji SET chosen_take = ? WHERE id = ?", (take_id, emoji_id))


def chosen_take(connection: sqlite3.Connection, emoji_id: str) -> TakeFiles:
    """The take that the later stages work on. Raises NotFound."""
    row = connection.execute(
        "SELECT take.* FROM take JOIN emoji ON take.id = emoji.chosen_take WHERE emoji.id = ?", (emoji_id,)
    ).fetchone()
    if row is None:
        raise NotFound("This emoji has no clip yet.", cure="Upload one, or retry from the stage `animate`.")
    backdrop = tuple(json.loads(row["backdrop"])) if row["backdrop"] else None
    return TakeFiles(row["id"], row["clip"], backdrop, bool(row["exact_loop"]))


def add_pose(
    connection: sqlite3.Connection, emoji_id: str, pose: Pose, files: CharacterFiles, *, choose: bool = True
) -> None:
    """Keep a pose, and choose it unless told otherwise; earlier ones stay. Raises NotFound."""
    _row(connection, emoji_id)
    insert(
        connection,
        "pose",
        {**pose.model_dump(), "flaws": json.dumps(pose.flaws), "emoji_id": emoji_id, **vars(files)},
    )
    if choose:
        connection.execute("UPDATE emoji SET chosen_pose = ? WHERE id = ?", (pose.id, emoji_id))


def choose_pose(connection: sqlite3.Connection, emoji_id: str, pose_id: str | None) -> None:
    """Where clips to come start: a pose that is there, or the character itself. Raises NotFound."""
    if pose_id is not None:
        pose_files(connection, emoji_id, pose_id)
    connection.execute("UPDATE emoji SET chosen_pose = ? WHERE id = ?", (pose_id, emoji_id))


def pose_files(connection: sqlite3.Connection, emoji_id: str, pose_id: str) -> CharacterFiles:
    """The assets of one pose. Raises NotFound."""
    row = connection.execute("SELECT * FROM pose WHERE id = ? AND emoji_id = ?", (pose_id, emoji_id)).fetchone()
    if row is None:
        raise NotFound("This emoji has no such pose.", cure="Look at the emoji's `poses`.", details={"pose": pose_id})
    return CharacterFiles(row["picture"], row["media_type"], row["cutout"])


def _row(connection: sqlite3.Connection, emoji_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM emoji WHERE id = ?", (emoji_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such emoji.", cure="`GET /v1/packs` lists them.", details={"id": emoji_id})
    return row


def _emoji(connection: sqlite3.Connection, row: sqlite3.Row) -> Emoji:
    takes = connection.execute("SELECT * FROM take WHERE emoji_id = ? ORDER BY created, id", (row["id"],)).fetchall()
    poses = connection.execute("SELECT * FROM pose WHERE emoji_id = ? ORDER BY created, id", (row["id"],)).fetchall()
    return Emoji.model_validate(
        {
            **row,
            "action": json.loads(row["action"])["name"],
            "problem": json.loads(row["problem"]) if row["problem"] else None,
            "notes": json.loads(row["notes"]),
            "spend": budget.spent_on_emoji(connection, row["id"]),
            "takes": [{**take, "flaws": json.loads(take["flaws"])} for take in takes],
            "poses": [{**pose, "flaws": json.loads(pose["flaws"])} for pose in poses],
        }
    )
