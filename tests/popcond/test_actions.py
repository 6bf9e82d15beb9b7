"""The catalogue: 24 actions, the user's own beside them, and bad entries named without cost to the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.actions import Catalogue, load_actions
from popcond.errors import UnknownName
from popcond.wire import LoopKind

PROMISED = (
    *("happy", "laugh", "cry", "wave", "nod", "shake", "angry", "wink", "jump", "bow", "clap", "dance"),
    *("love", "greet", "thanks", "sorry", "sleepy", "shock", "think", "cheer", "shy", "run", "spin", "celebrate"),
)


def load(folder: Path, text: str) -> Catalogue:
    file = folder / "actions.toml"
    file.write_text(text, encoding="utf-8")
    return load_actions(file)


def test_the_24_names_that_scripts_rely_on_are_there() -> None:
    assert sorted(load_actions().actions) == sorted(PROMISED)
    assert load_actions().problems == ()


def test_every_built_in_action_says_what_the_body_does_and_how_it_ends() -> None:
    for action in load_actions().actions.values():
        assert action.origin == "built-in"
        assert 150 < len(action.motion_prompt) <= 700
        assert "camera stays fixed" in action.motion_prompt
        assert action.tags
    assert len({action.motion_prompt for action in load_actions().actions.values()}) == len(PROMISED)


def test_every_built_in_action_says_how_the_body_stands_when_it_begins() -> None:
    poses = [action.pose_prompt for action in load_actions().actions.values()]
    assert len(set(poses)) == len(PROMISED)
    for pose in poses:
        assert 60 < len(pose) <= 200
        assert pose.startswith(("Stands", "Leans"))
        assert pose.endswith(".")
        assert any(word in pose for word in ("feet", "foot", "knees", "arm", "hand", "fists"))


def test_a_pose_is_one_moment_and_no_motion() -> None:
    for action in load_actions().actions.values():
        for word in ("then", "times", "twice", "swings", "returns", "again", "slowly", "quickly", "camera"):
            assert word not in action.pose_prompt.lower().replace(",", "").split()


def test_effects_are_never_part_of_the_body() -> None:
    for action in load_actions().actions.values():
        for word in ("sparkle", "heart ", "tear", "confetti", "note", "star ", "steam", "lines"):
            assert word not in action.motion_prompt.lower()
            assert word not in action.pose_prompt.lower()


def test_a_file_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    assert load_actions(tmp_path / "none.toml") == load_actions()


def test_a_user_adds_an_action(tmp_path: Path) -> None:
    catalogue = load(tmp_path, '[high-five]\nmotion_prompt = "One hand swings up and slaps the air."\n')
    action = catalogue.action("high-five")
    assert catalogue.problems == ()
    assert (action.label, action.origin) == ("High five", "user")
    assert list(catalogue.actions)[-1] == "high-five"
    assert len(catalogue.actions) == 25


def test_an_override_keeps_what_it_does_not_say(tmp_path: Path) -> None:
    catalogue = load(tmp_path, '[wave]\nlabel = "Bye"\nposter = 0.25\n')
    built_in, own = load_actions().action("wave"), catalogue.action("wave")
    assert (own.label, own.poster, own.origin) == ("Bye", 0.25, "user")
    assert (own.pose_prompt, own.motion_prompt, own.performance, own.tags) == (
        built_in.pose_prompt,
        built_in.motion_prompt,
        built_in.performance,
        built_in.tags,
    )


def test_a_pose_of_ones_own_keeps_the_built_in_motion(tmp_path: Path) -> None:
    own = load(tmp_path, '[wave]\npose_prompt = "Sits on a stool, one hand up."\n').action("wave")
    assert own.pose_prompt == "Sits on a stool, one hand up."
    assert own.motion_prompt == load_actions().action("wave").motion_prompt


def test_a_motion_of_ones_own_does_not_begin_in_the_built_in_pose(tmp_path: Path) -> None:
    own = load(tmp_path, '[wave]\nmotion_prompt = "The left foot waves."\n').action("wave")
    assert own.pose_prompt == ""


def test_a_motion_with_its_pose_keeps_both(tmp_path: Path) -> None:
    own = load(tmp_path, '[wave]\nmotion_prompt = "The left foot waves."\npose_prompt = "On one leg."\n').action("wave")
    assert (own.motion_prompt, own.pose_prompt) == ("The left foot waves.", "On one leg.")


def test_a_pose_may_be_left_to_the_motion(tmp_path: Path) -> None:
    catalogue = load(tmp_path, '[wave]\npose_prompt = ""\n[hop]\nmotion_prompt = "It hops."\n')
    assert catalogue.problems == ()
    assert [catalogue.action(name).pose_prompt for name in ("wave", "hop")] == ["", ""]


@pytest.mark.parametrize(
    ("table", "performance"),
    [
        ('[goodbye]\nmotion_prompt = "Moves."\n', "wave"),
        ('[big-laugh]\nmotion_prompt = "Moves."\n', "laugh"),
        ('[party-time]\nmotion_prompt = "Moves."\ntags = ["disco"]\n', "dance"),
        ('[xyz]\nmotion_prompt = "Moves."\nperformance = "bow"\n', "bow"),
        ('[xyz]\nmotion_prompt = "Moves."\n', "happy"),
    ],
)
def test_an_action_without_a_performance_gets_one_that_suits(tmp_path: Path, table: str, performance: str) -> None:
    catalogue = load(tmp_path, table)
    assert catalogue.problems == ()
    (own,) = (action for action in catalogue.actions.values() if action.origin == "user")
    assert own.performance == performance


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('[wave]\nlabel = "Bye"\nposter = 1.5\n', 3, "poster is 1.5"),
        ("[wave]\nposter = nan\n", 2, "poster is nan"),
        ("# mine\n\n[wave]\nposter = true\n", 4, "poster is True"),
        ('[wave]\nloop = "forever"\n', 2, "loop is 'forever'"),
        ('[wave]\nmotion = "x"\n', 2, "no field 'motion'"),
        ("[wave]\nlabel = 3\n", 2, "label is not text"),
        ('[wave]\nmotion_prompt = " "\n', 2, "motion_prompt is empty"),
        ("[wave]\npose_prompt = 1\n", 2, "pose_prompt is not text"),
        (f'[wave]\npose_prompt = "{"x" * 2001}"\n', 2, "pose_prompt has 2001 characters"),
        ('[wave]\ntags = "hello"\n', 2, "tags are not a list"),
        ("[wave]\ntags = [1]\n", 2, "tags are not a list"),
        ('[wave]\nperformance = "wavee"\n', 2, "no performance 'wavee'"),
        ('\n[new-one]\nlabel = "x"\n', 2, "motion_prompt is missing"),
        ('[New_One]\nmotion_prompt = "x"\n', 1, "cannot be a name"),
        ('ok = 1\n[fine]\nmotion_prompt = "x"\n', 1, "not a table"),
        ('[[wave]]\nlabel = "x"\n', 1, "not a table"),
    ],
)
def test_a_bad_entry_is_named_with_its_line_and_a_cure(tmp_path: Path, text: str, line: int, says: str) -> None:
    catalogue = load(tmp_path, text + '\n[good]\nmotion_prompt = "It moves and comes back."\n')

    (problem,) = catalogue.problems
    assert problem.code == "bad_entry"
    assert f"actions.toml, line {line}:" in problem.message
    assert says in problem.message
    assert problem.cure
    assert "good" in catalogue.actions
    assert set(PROMISED) <= set(catalogue.actions)
    assert catalogue.action("wave") == load_actions().action("wave")


@pytest.mark.parametrize(
    ("raw", "line"),
    [(b"[wave]\nlabel = 'x\n", 2), (b"[wave]\n\nlabel == 1\n", 3), (b"\n\xff\xfe", 2), (b"a = " + b"[" * 5000, 1)],
)
def test_a_file_that_is_no_toml_costs_only_itself(tmp_path: Path, raw: bytes, line: int) -> None:
    file = tmp_path / "actions.toml"
    file.write_bytes(raw)
    catalogue = load_actions(file)
    (problem,) = catalogue.problems
    assert f"line {line}:" in problem.message
    assert problem.cure
    assert sorted(catalogue.actions) == sorted(PROMISED)


GOOD = '[good]\nmotion_prompt = "It moves and comes back."\n'


@pytest.mark.parametrize(
    ("bad", "line", "says"),
    [
        ("[bad]\nlabel == 1\n", 5, "action 'bad': what stands after the = is no value"),
        ("[bad]\nlabel = 'x\n", 5, "action 'bad': a text is not closed"),
        ('[bad]\nlabel = \'x\nloop = "cycle"\n', 5, "action 'bad': a text is not closed"),
        ('[bad]\nlabel = "x\n', 5, "action 'bad': a text is not closed on its line"),
        ('[bad\nlabel = "x"\n', 4, "action 'bad': the name of an entry is not closed"),
        ('[bad]\n= "x"\n', 5, "action 'bad': this line is not written as TOML"),
        ("[bad]\nlabel\n", 5, "action 'bad': after the field's name an = is missing"),
        ('[bad]\nlabel = """x\n', 5, "action 'bad': a text is not closed"),
        ('[bad]\ntags = ["x"\n', 5, "action 'bad': a list is not closed"),
        ('[bad]\nlabel = "x"\nlabel = "y"\n', 6, "action 'bad': a field is here twice"),
        ('[good]\nmotion_prompt = "Other."\n', 4, "action 'good' is here a second time; the first is at line 1"),
    ],
)
def test_one_mistake_in_the_writing_costs_its_own_entry_only(tmp_path: Path, bad: str, line: int, says: str) -> None:
    catalogue = load(tmp_path, f'{GOOD}\n{bad}\n[last]\nmotion_prompt = "It moves too."\n')
    (problem,) = catalogue.problems
    assert f"actions.toml, line {line}: {says}" in problem.message
    assert problem.cure
    assert list(catalogue.actions)[24:] == ["good", "last"]
    assert catalogue.action("good").motion_prompt == "It moves and comes back."


def test_a_header_inside_of_a_long_text_begins_no_entry(tmp_path: Path) -> None:
    long = '[long]\nmotion_prompt = """\n[not-one]\nIt moves."""\n'
    catalogue = load(tmp_path, f"[bad]\nlabel =\n{long}{GOOD}")
    assert len(catalogue.problems) == 1
    assert list(catalogue.actions)[24:] == ["long", "good"]
    assert "[not-one]" in catalogue.action("long").motion_prompt


def test_an_action_that_is_called_all_is_refused_for_it_could_never_be_chosen(tmp_path: Path) -> None:
    catalogue = load(tmp_path, '[all]\nmotion_prompt = "It does everything."\n')
    (problem,) = catalogue.problems
    assert "line 1: action 'all'" in problem.message
    assert "all" not in catalogue.actions


def test_a_folder_instead_of_a_file_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    catalogue = load_actions(tmp_path)
    assert len(catalogue.problems) == 1
    assert len(catalogue.actions) == 24


@pytest.mark.parametrize(("typed", "meant"), [("wav", "wave"), ("Wave", "wave"), ("hello", "wave"), ("cryy", "cry")])
def test_an_unknown_name_gets_the_near_ones(typed: str, meant: str) -> None:
    with pytest.raises(UnknownName, match="no action") as caught:
        load_actions().action(typed)
    assert meant in str(caught.value)


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(UnknownName) as caught:
        load_actions().action("qqqqq")
    assert "celebrate" in str(caught.value)


def test_loops_are_of_both_kinds() -> None:
    assert {action.loop for action in load_actions().actions.values()} == set(LoopKind)
