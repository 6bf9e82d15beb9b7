"""First masks of whole clips: effects stay, specks go, and doubt is said aloud."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import choose_backdrop
from popcond.vision.first_mask import FirstMask, clip_masks, first_masks
from tests.busy import busy_clip
from tests.composites import EFFECTS, Behind, Scene, as_h264, iou, laid_on, phases, scene, share_kept

COUNT = 8


class Clip:
    """A generated clip after H.264, with its truth."""

    def __init__(self, style: str, *, crf: int) -> None:
        self.scenes: list[Scene] = [scene(style, phase, size=256, effects=EFFECTS) for phase in phases(COUNT)]
        self.backdrop: Colour = choose_backdrop(self.scenes[0].rgba)
        behind = Behind(self.backdrop, drift=5.0, vignette=10.0, grain=1.0)
        laid = [laid_on(s.rgba, behind, n / COUNT, seed=n) for n, s in enumerate(self.scenes)]
        self.frames: list[Rgb] = as_h264(laid, crf=crf)


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip("shaded", crf=22)


def _masks(frames: list[Rgb], backdrop: Colour | None) -> list[FirstMask]:
    return list(first_masks([(frame, None) for frame in frames], backdrop))


@pytest.fixture(scope="module")
def masks(clip: Clip) -> list[FirstMask]:
    return _masks(clip.frames, clip.backdrop)


def test_every_frame_is_close_to_the_truth(clip: Clip, masks: list[FirstMask]) -> None:
    for mask, truth in zip(masks, clip.scenes, strict=True):
        assert iou(mask.alpha, truth.rgba[..., 3]) > 0.97


def test_no_tear_heart_sparkle_or_motion_line_is_lost(clip: Clip, masks: list[FirstMask]) -> None:
    for mask, truth in zip(masks, clip.scenes, strict=True):
        assert share_kept(mask.alpha, truth.effects) == 1.0


def test_effects_are_parts_of_their_own(masks: list[FirstMask]) -> None:
    for mask in masks:
        kinds = [part.kind for part in mask.parts]
        assert kinds.count("character") == 1
        assert 6 <= kinds.count("effect") <= 16


def test_a_part_tells_where_it_is(masks: list[FirstMask]) -> None:
    body = masks[0].parts[0]
    assert body.kind == "character"
    inside = masks[0].alpha[body.y : body.y + body.height, body.x : body.x + body.width]
    assert np.count_nonzero(inside >= 128) >= body.area > 5000


def test_a_calm_clip_asks_for_no_attention(masks: list[FirstMask]) -> None:
    assert max(mask.attention for mask in masks) < 0.3
    assert not any(mask.uncertain for mask in masks)


def test_the_clip_is_keyed_without_a_hint_too(clip: Clip) -> None:
    for mask, truth in zip(_masks(clip.frames, None), clip.scenes, strict=True):
        assert iou(mask.alpha, truth.rgba[..., 3]) > 0.93


def test_a_speck_of_one_frame_goes_and_a_small_drop_that_stays_stays(clip: Clip) -> None:
    frames = [frame.copy() for frame in clip.frames]
    cv2.circle(frames[3], (20, 230), 1, (250, 250, 250), -1)
    for frame in frames:
        cv2.circle(frame, (235, 235), 1, (250, 250, 250), -1)
    masks = _masks(frames, clip.backdrop)
    assert not masks[3].alpha[222:240, 12:30].any()
    assert all((mask.alpha[233:238, 233:238] > 0).any() for mask in masks)


def test_a_frame_that_loses_its_arm_calls_for_attention(clip: Clip) -> None:
    frames = [frame.copy() for frame in clip.frames]
    frames[5][100:] = clip.backdrop
    masks = _masks(frames, clip.backdrop)
    assert masks[5].attention > 0.6
    assert masks[4].attention < 0.3


def test_a_frame_that_hides_the_backdrop_borrows_the_last_one(clip: Clip) -> None:
    frames = [frame.copy() for frame in clip.frames]
    frames[4][:70] = (250, 245, 240)
    frames[4][-70:] = (250, 245, 240)
    frames[4][:, :70] = (250, 245, 240)
    masks = _masks(frames, clip.backdrop)
    assert masks[4].attention > 0.6
    assert not masks[4].uncertain
    assert (masks[4].alpha[:60, :60] == 255).all()


def test_a_clip_without_a_plain_backdrop_is_kept_whole_and_says_so() -> None:
    texture = np.random.default_rng(2).integers(0, 256, (3, 120, 120, 3), dtype=np.uint8)
    for mask in _masks(list(texture), None):
        assert (mask.alpha == 255).all()
        assert mask.uncertain
        assert mask.attention == 1.0


def test_a_clip_with_its_own_alpha_keeps_it_snapped(clip: Clip) -> None:
    own: list[Alpha] = [np.clip(s.rgba[..., 3].astype(int), 2, 252).astype(np.uint8) for s in clip.scenes]
    masks = list(first_masks(zip(clip.frames, own, strict=True), clip.backdrop))
    for mask, alpha in zip(masks, own, strict=True):
        assert set(np.unique(mask.alpha[alpha == 252])) <= {0, 255}
        assert not mask.alpha[alpha <= 5].any()


def test_frames_are_taken_one_at_a_time(clip: Clip) -> None:
    taken = 0

    def frames() -> Iterator[tuple[Rgb, Alpha | None]]:
        nonlocal taken
        for frame in clip.frames:
            taken += 1
            yield frame, None

    stream = first_masks(frames(), clip.backdrop)
    next(stream)
    assert taken == 2
    assert len(list(stream)) == COUNT - 1


def test_a_clip_of_one_frame_and_one_of_none() -> None:
    drawn = scene("shaded", size=128)
    alone = _masks([laid_on(drawn.rgba, Behind((78, 147, 101)))], (78, 147, 101))
    assert len(alone) == 1
    assert iou(alone[0].alpha, drawn.rgba[..., 3]) > 0.97
    assert _masks([], None) == []


def test_an_empty_frame_has_no_parts_and_calls_for_attention() -> None:
    (mask,) = _masks([np.full((100, 100, 3), (78, 147, 101), np.uint8)], (78, 147, 101))
    assert mask.parts == ()
    assert mask.attention > 0.8


# ------------------------------------------------------------------ with the character's own cut-out


def test_a_plain_backdrop_is_keyed_as_if_there_were_no_cutout(clip: Clip, masks: list[FirstMask]) -> None:
    frames = [(frame, None) for frame in clip.frames]
    for known, mask in zip(clip_masks(frames, clip.backdrop, clip.scenes[3].rgba), masks, strict=True):
        assert (known.alpha == mask.alpha).all()
        assert known.attention == mask.attention


@pytest.mark.parametrize(("style", "backdrop"), [("dark", "gradient"), ("shaded", "shapes"), ("soft", "photo")])
def test_before_a_busy_backdrop_the_character_is_found_without_a_point(style: str, backdrop: str) -> None:
    busy = busy_clip(style, backdrop, count=4, size=256, seed=4)
    found = list(clip_masks([(frame, None) for frame in busy.frames], None, busy.cutout))
    assert not any(mask.uncertain for mask in found)
    for mask, truth in zip(found, busy.alphas, strict=True):
        assert iou(mask.alpha, truth) > 0.88
        assert mask.parts[0].kind == "character"


def test_a_character_that_is_not_in_the_clip_leaves_it_whole_and_says_so(clip: Clip) -> None:
    busy = busy_clip("flat", "photo", count=3, size=256, figure=False)
    for mask in clip_masks([(frame, None) for frame in busy.frames], None, clip.scenes[0].rgba):
        assert mask.uncertain
        assert (mask.alpha == 255).all()
