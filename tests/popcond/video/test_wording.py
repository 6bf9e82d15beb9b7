"""What models are told: whole figures on plain grounds, the user's words untouched, nothing of it cut off."""

from __future__ import annotations

import colorsys
from itertools import product
from typing import Literal

import pytest

from popcond.actions import load_actions
from popcond.media.raster import Colour
from popcond.video.wording import (
    LONGEST,
    character_prompt,
    colour_in_words,
    pose_prompt,
    redraw_prompt,
    stronger_motion,
)
from popcond.vision.full_body import Flaw

Use = Literal["variation", "style"]
USES: tuple[Use | None, ...] = (None, "variation", "style")
WORDS = "a small brown bear in a yellow raincoat with round glasses, cheerful, drawn with bold lines"
GREEN: Colour = (78, 147, 101)
STAGED = ("top of the head", "both hands", "both feet", "soles", "inside the frame", "margin on all four sides")


@pytest.mark.parametrize("use", USES)
def test_a_character_is_asked_for_from_head_to_soles(use: Use | None) -> None:
    prompt = character_prompt(WORDS, reference=use)
    for said in (*STAGED, "Exactly one character", "full body", "front view", "standing", "centre"):
        assert said in prompt
    for unwanted in ("no character sheet", "no second figure", "no text", "no shadow", "no floor", "no props"):
        assert unwanted in prompt


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("words", [WORDS, "노란 비옷을 입은 작은 갈색 곰", "  un ours\nbrun  ", "{colour} %s"])
def test_the_users_words_are_kept_as_they_are(use: Use | None, words: str) -> None:
    assert words.strip() in character_prompt(words, reference=use)
    assert words.strip() in redraw_prompt(words, [Flaw.CUT_OFF_BOTTOM.remedy], reference=use)


@pytest.mark.parametrize("use", USES)
def test_the_staging_comes_first_for_long_prompts_are_cut_at_their_end(use: Use | None) -> None:
    words = "bear " * 800
    for prompt in (character_prompt(words, reference=use), redraw_prompt(words, ["No feet."], reference=use)):
        for said in STAGED:
            assert said in prompt[:LONGEST]
        assert words.strip() in prompt


def test_no_prompt_is_cut_unless_the_users_own_words_are_long() -> None:
    worst = [flaw.remedy for flaw in sorted(Flaw, key=lambda flaw: -len(flaw.remedy))]
    for use in USES:
        assert len(character_prompt(WORDS, reference=use)) <= LONGEST
        assert len(redraw_prompt(WORDS, worst, reference=use)) <= LONGEST
    for action in load_actions().actions.values():
        assert len(pose_prompt(action.pose_prompt, action.motion_prompt, backdrop=GREEN)) <= LONGEST
        assert len(pose_prompt("", action.motion_prompt, backdrop=GREEN)) <= LONGEST + 250


def test_a_reference_says_what_is_taken_from_it() -> None:
    variation, style = (character_prompt(WORDS, reference=use) for use in ("variation", "style"))
    assert "same face" in variation
    assert "style only" in style
    assert "shown picture" not in character_prompt(WORDS)


def test_a_variation_needs_no_words() -> None:
    prompt = character_prompt("  ", reference="variation")
    assert "The character:" not in prompt
    assert prompt.endswith(".")


@pytest.mark.parametrize("flaw", list(Flaw))
def test_a_redraw_says_what_went_wrong(flaw: Flaw) -> None:
    prompt = redraw_prompt(WORDS, [flaw.remedy])
    assert flaw.remedy in prompt
    assert prompt.index(flaw.remedy) < prompt.index("soles.") < prompt.index(WORDS)


def test_a_redraw_names_the_gravest_faults_only() -> None:
    prompt = redraw_prompt(WORDS, ["First.", "Second.", "Third.", "Fourth."])
    assert "Third." in prompt
    assert "Fourth." not in prompt


def test_a_redraw_without_a_fault_is_like_the_first_drawing() -> None:
    assert "last drawing" not in redraw_prompt(WORDS, [])


def test_a_pose_keeps_the_character_and_shows_the_first_moment() -> None:
    for action in load_actions().actions.values():
        prompt = pose_prompt(action.pose_prompt, action.motion_prompt, backdrop=GREEN)
        assert prompt.endswith(f"the first moment of a movement: {action.pose_prompt}")
        assert action.motion_prompt not in prompt
        for said in (*STAGED, "same face", "proportions", "colours", "style", "green (#4e9365)", "no effects"):
            assert said in prompt


def test_where_nobody_described_the_pose_the_motion_says_where_it_begins() -> None:
    prompt = pose_prompt(" ", "One foot draws a circle.", backdrop=GREEN)
    assert prompt.endswith("this movement begins: One foot draws a circle.")


def test_a_stronger_motion_is_large_begins_at_once_and_never_freezes() -> None:
    for action in load_actions().actions.values():
        strong = stronger_motion(action.motion_prompt)
        assert strong.endswith(action.motion_prompt)
        for said in ("Large", "at once", "never a frozen"):
            assert said in strong


def test_a_strong_motion_gets_no_stronger() -> None:
    strong = stronger_motion("The head nods.")
    assert stronger_motion(strong) == strong


def test_a_stronger_motion_leaves_room_for_effects_and_staging() -> None:
    for action in load_actions().actions.values():
        assert len(f"{stronger_motion(action.motion_prompt)} {action.effect_prompt}") <= LONGEST - 150


@pytest.mark.parametrize(
    ("colour", "words"),
    [
        ((128, 128, 128), "mid grey (#808080)"),
        ((255, 255, 255), "white (#ffffff)"),
        ((10, 8, 0), "black (#0a0800)"),
        ((100, 120, 160), "slate blue (#6478a0)"),
        ((0, 200, 60), "green (#00c83c)"),
        ((32, 147, 147), "teal (#209393)"),
    ],
)
def test_a_colour_is_named_by_a_word_and_its_number(colour: Colour, words: str) -> None:
    assert colour_in_words(colour) == words


HUES = {
    **{"red": 0, "pink": 340, "orange": 30, "brown": 27, "beige": 40, "ochre": 40, "yellow": 55, "green": 125},
    **{"teal": 180, "turquoise": 180, "blue": 222, "violet": 265, "lavender": 260, "mauve": 290, "magenta": 315},
}


def test_the_word_for_a_strong_colour_is_of_its_hue() -> None:
    steps = range(20, 256, 47)
    for colour in product(steps, steps, steps):
        hue, _, saturation = colorsys.rgb_to_hls(*(value / 255 for value in colour))
        if max(colour) - min(colour) < 110 or saturation < 0.3:
            continue
        word = colour_in_words(colour).split(" (")[0].split()[-1]
        off = abs(hue * 360 - HUES[word]) if word in HUES else 360.0
        assert min(off, 360 - off) <= 60, (colour, word)
