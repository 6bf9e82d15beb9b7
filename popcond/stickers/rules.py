"""The rules of a target, one small function each: what the file has, what the target wants, and the way out.

A function answers None when its target has no such rule. Names are stable: scripts and tests compare them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from popcond.stickers.facts import Colours, FileFacts, Flaw
from popcond.stickers.pixel_facts import PixelFacts
from popcond.wire import Rule, StickerFormat, Target

_GIF_LEAST = Fraction(2, 100)
_RATE_SLACK = Fraction(101, 100)  # a GIF's centiseconds cannot say 24 frames a second exactly
_SEAM_SEEN = 1.5
_FLASHES = 3.0  # a second: more is dangerous to some people (WCAG 2.3.1)
_DPI_SLACK = 0.5  # PNG counts dots per metre


@dataclass(frozen=True)
class Examined:
    """A file and everything that was found out about it."""

    size: int  # bytes
    file: FileFacts
    pixels: PixelFacts | None  # None: it does not decode
    trouble: str  # why it does not
    target: Target


RuleOf = Callable[[Examined], Rule | None]


def rules_of(examined: Examined) -> tuple[Rule, ...]:
    """Every rule that the target has, held against the file."""
    rules = (rule(examined) for rule in _ALL)
    return tuple(rule for rule in rules if rule is not None)


def made(name: str, value: object, limit: object, ok: bool, reason: str, cure: str) -> Rule:
    """A rule whose reason and cure are kept only when it fails."""
    rule = Rule(name=name, value=str(value), limit=str(limit), ok=ok)
    return rule if ok else rule.model_copy(update={"reason": reason, "cure": cure})


def as_advice(rule: Rule) -> Rule:
    """The same rule, but a failure does not make the file invalid."""
    return rule.model_copy(update={"advice": True})


# ------------------------------------------------------------------ the file


def _format(it: Examined) -> Rule:
    want = it.target.format
    has = it.file.format.value if it.file.format else "no animation"
    return made(
        "format",
        has,
        want.value,
        it.file.format is want,
        f"The file is {has}; {it.target.label} takes {want.value}.",
        f"Export it as {want.value}.",
    )


def _structure(it: Examined) -> Rule:
    return _flaw_rule("structure", "whole", it)


def _hidden_first_frame(it: Examined) -> Rule | None:
    if it.target.format is not StickerFormat.APNG:
        return None
    return _flaw_rule("hidden_first_frame", "no hidden picture", it)


def _zero_delay(it: Examined) -> Rule:
    return _flaw_rule("zero_delay", "every frame is shown", it)


def _flaw_rule(name: str, limit: str, it: Examined) -> Rule:
    flaws: list[Flaw] = [flaw for flaw in it.file.flaws if flaw.rule == name]
    value = "as it should be" if not flaws else f"{len(flaws)} flaws"
    sentence = flaws[0].sentence if flaws else ""
    return made(name, value, limit, not flaws, sentence, "Encode the sticker again.")


def _decodes(it: Examined) -> Rule:
    count = it.pixels.frames if it.pixels else 0
    promised = len(it.file.delays)
    reason = it.trouble or f"A strange program sees {count} frames, the file promises {promised}."
    fine = it.pixels is not None and (count == promised or it.file.format is None)
    return made("decodes", f"{count} frames", f"{promised} frames", fine, reason, "Encode the sticker again.")


def _pixel_size(it: Examined) -> Rule:
    target, (width, height) = it.target, (it.file.width, it.file.height)
    if target.exact_canvas:
        limit, fine = f"{target.width} × {target.height}", (width, height) == (target.width, target.height)
    else:
        limit = f"within {target.width} × {target.height}"
        fine = 0 < width <= target.width and 0 < height <= target.height
    if target.min_longer_side is not None:
        limit += f", one side at least {target.min_longer_side}"
        fine = fine and max(width, height) >= target.min_longer_side
    reason = f"The picture measures {width} × {height} pixels; {target.label} wants {limit}."
    return made("pixel_size", f"{width} × {height}", limit, fine, reason, "Export it for this target again.")


def _even_size(it: Examined) -> Rule | None:
    if not it.target.even_sizes:
        return None
    width, height = it.file.width, it.file.height
    fine = width % 2 == 0 and height % 2 == 0
    reason = f"{width} × {height} has an odd side."
    return made("even_size", f"{width} × {height}", "even", fine, reason, "Export it for this target again.")


def _bytes(it: Examined) -> Rule | None:
    if it.target.max_bytes is None:
        return None
    return _size_rule("bytes", it.size, it.target.max_bytes, it.target.label)


def _advised_bytes(it: Examined) -> Rule | None:
    if it.target.advised_bytes is None:
        return None
    return as_advice(_size_rule("advised_bytes", it.size, it.target.advised_bytes, "An older page of the store"))


def _size_rule(name: str, size: int, limit: int, who: str) -> Rule:
    reason = f"The file has {size:,} bytes; {who} takes {limit:,}."
    cure = "Encode it with fewer frames or colours, or calm the motion."
    return made(name, f"{size:,} bytes", f"{limit:,} bytes", size <= limit, reason, cure)


def _colour_type(it: Examined) -> Rule | None:
    if it.target.allows_palette:
        return None
    colours = it.file.colours
    fine = colours is Colours.RGBA and it.file.bit_depth == 8
    value = f"{colours.value if colours else 'unknown'}, {it.file.bit_depth} bits"
    reason = f"The pixels are stored as {value}; {it.target.label} is only safe with true colour and alpha, 8 bits."
    return made("colour_type", value, f"{Colours.RGBA.value}, 8 bits", fine, reason, "Encode the sticker again.")


def _greyscale(it: Examined) -> Rule:
    grey = it.file.colours in (Colours.GREY, Colours.GREY_ALPHA)
    value = it.file.colours.value if it.file.colours else "unknown"
    reason = "The file is stored in greyscale, which stores refuse even when the art is black and white."
    return made("greyscale", value, "colour", not grey, reason, "Encode the sticker again as true colour.")


def _interlace(it: Examined) -> Rule:
    value = "interlaced" if it.file.interlaced else "not interlaced"
    reason = "The file is interlaced, which animations must not be."
    return made("interlace", value, "not interlaced", not it.file.interlaced, reason, "Encode the sticker again.")


def _dpi(it: Examined) -> Rule | None:
    if it.target.dpi is None:
        return None
    value = "not stated" if it.file.dpi is None else f"{it.file.dpi:.0f} dpi"
    fine = it.file.dpi is not None and it.file.dpi >= it.target.dpi - _DPI_SLACK
    reason = f"The resolution is {value}; {it.target.label} wants {it.target.dpi} dpi or more."
    return made("dpi", value, f"{it.target.dpi} dpi or more", fine, reason, "Encode the sticker again.")


# ------------------------------------------------------------------ time


def _frames(it: Examined) -> Rule:
    count, least, most = len(it.file.delays), it.target.min_frames, it.target.max_frames
    limit = f"{least} or more" if most is None else f"{least} to {most}"
    fine = least <= count and (most is None or count <= most)
    cure = "Use a clip with more motion in it." if count < least else "Encode the sticker again with fewer frames."
    return made("frames", count, limit, fine, f"The file has {count} frames; {it.target.label} wants {limit}.", cure)


def _loop_seconds(it: Examined) -> Rule | None:
    whole, seconds = it.target.loop_seconds, it.file.seconds
    if whole is None:
        return None
    limit = f"exactly {_listed(whole)} s"
    reason = f"One loop lasts {_exactly(seconds)} s; {it.target.label} wants {limit}."
    cure = "Encode the sticker again: its delays must add up to whole seconds."
    return made("loop_seconds", f"{_exactly(seconds)} s", limit, seconds in whole, reason, cure)


def _plays(it: Examined) -> Rule:
    has, allowed = it.file.plays, it.target.plays
    limit = "for ever" if allowed == (0,) else _listed(allowed)
    reason = f"The file plays {_times(has)}; {it.target.label} wants {limit}."
    return made("plays", _times(has), limit, has in allowed, reason, "Encode the sticker again.")


def _play_seconds(it: Examined) -> Rule | None:
    most = it.target.max_seconds
    if most is None:
        return None
    counted = 0 not in it.target.plays
    plays = it.file.plays or 0
    total = it.file.seconds * (plays if counted else 1)
    endless = counted and plays == 0
    value = "for ever" if endless else f"{_exactly(total)} s"
    reason = f"It plays {value} in all; {it.target.label} allows {most:g} s."
    fine = not endless and total <= Fraction(most)
    cure = "Play it fewer times, or shorten the loop."
    return made("play_seconds", value, f"at most {most:g} s", fine, reason, cure)


def _frame_rate(it: Examined) -> Rule:
    most = it.target.max_fps
    rate = len(it.file.delays) / it.file.seconds if it.file.seconds else Fraction(0)
    fine = rate <= Fraction(most) * _RATE_SLACK
    reason = f"{float(rate):.1f} frames a second are more than {most:g}."
    cure = "Encode it with fewer frames."
    return made("frame_rate", f"{float(rate):.1f} a second", f"at most {most:g} a second", fine, reason, cure)


def _shortest_delay(it: Examined) -> Rule | None:
    if it.file.format is not StickerFormat.GIF or not it.file.delays:
        return None
    least = min(it.file.delays)
    reason = f"A frame is shown for {float(least):.2f} s: browsers slow such frames down to 0.1 s."
    cure = "Encode it with fewer frames a second."
    return made("shortest_delay", f"{float(least):.2f} s", "0.02 s or more", least >= _GIF_LEAST, reason, cure)


def _listed(numbers: tuple[int, ...]) -> str:
    words = [str(number) for number in numbers]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _exactly(seconds: Fraction) -> str:
    return str(seconds.numerator) if seconds.denominator == 1 else f"{float(seconds):.4g}"


def _times(plays: int | None) -> str:
    return {None: "an unknown number of times", 0: "for ever", 1: "once"}.get(plays, f"{plays} times")


# ------------------------------------------------------------------ pixels


def _all_identical(it: Examined) -> Rule | None:
    if it.pixels is None:
        return None
    count = it.pixels.pictures
    reason = "All frames are the same picture: nothing moves."
    return made(
        "all_identical", f"{count} pictures", "2 or more", count > 1, reason, "Use a clip in which something moves."
    )


def _identical_neighbours(it: Examined) -> Rule | None:
    if it.pixels is None:
        return None
    repeats = it.pixels.repeats
    value = "none" if not repeats else f"frames {', '.join(str(number) for number in repeats[:5])}"
    reason = f"{len(repeats)} frames repeat the one before; programs merge those, and then the count is wrong."
    cure = "Hold one frame longer instead of repeating it: encode the sticker again."
    return made("identical_neighbours", value, "none", not repeats, reason, cure)


def _transparency(it: Examined) -> Rule | None:
    if it.pixels is None:
        return None
    empty = it.pixels.corners_empty and it.pixels.has_transparency
    value = "empty corners" if empty else "some transparency" if it.pixels.has_transparency else "opaque"
    reason = f"The background is not see-through ({value})."
    cure = "Remove the background, and look for specks in the corners."
    rule = made("transparency", value, "empty corners", empty, reason, cure)
    return rule if it.target.needs_transparency else as_advice(rule)


def _colourless(it: Examined) -> Rule | None:
    if it.pixels is None or not it.target.shows_first_frame:
        return None
    value = "some" if it.pixels.coloured else "none"
    reason = "Every pixel is grey. The file is stored in colour, which stores ask for, but somebody may look twice."
    return as_advice(made("colour", value, "some", it.pixels.coloured, reason, "Nothing needs doing."))


def _first_and_last(it: Examined) -> Rule | None:
    if it.pixels is None or it.pixels.frames < 2:
        return None
    seam = it.pixels.seam
    reason = f"From the last frame to the first it is {seam:.1f} times the usual step: the loop jumps."
    if it.target.shows_first_frame:
        reason += " Playback rests on the last frame and the shop shows the first; they should look alike."
    cure = "Choose another clip or a shorter stretch of it."
    limit = f"at most {_SEAM_SEEN:g} usual steps"
    return as_advice(made("first_and_last", f"{seam:.2f} usual steps", limit, seam <= _SEAM_SEEN, reason, cure))


def _flashing(it: Examined) -> Rule | None:
    if it.pixels is None:
        return None
    rate = it.pixels.flashes_per_second
    reason = f"A large part flashes {rate:.1f} times a second: that can harm people, and stores refuse it."
    cure = "Use a calmer effect."
    limit = f"at most {_FLASHES:g} a second"
    return as_advice(made("flashing", f"{rate:.1f} a second", limit, rate <= _FLASHES, reason, cure))


_ALL: tuple[RuleOf, ...] = (
    _format,
    _structure,
    _hidden_first_frame,
    _zero_delay,
    _decodes,
    _pixel_size,
    _even_size,
    _bytes,
    _advised_bytes,
    _colour_type,
    _greyscale,
    _interlace,
    _dpi,
    _frames,
    _loop_seconds,
    _plays,
    _play_seconds,
    _frame_rate,
    _shortest_delay,
    _all_identical,
    _identical_neighbours,
    _transparency,
    _colourless,
    _first_and_last,
    _flashing,
)
