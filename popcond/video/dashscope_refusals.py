"""DashScope's error codes as our sentences, each with its cure. Decided by code: the HTTP status of one code varies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from popcond.errors import ProviderBusy, ProviderFailed
from popcond.video.dashscope_answers import Refusal

_MOST_WORDS = 300  # characters of the service's own message
_SECRETS = re.compile(r"https?://\S+|data:\S+|sk-[\w-]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Wording:
    """How sentences speak of what was ordered."""

    thing: str  # what it is
    result: str  # the same in one word that no other part of an order has
    shown: str  # the picture that came with the order
    edit: str  # the cure when a person must change something
    again: str  # the cure when asking again may help
    anew: str  # the cure when a new order is needed
    newest: str  # models that will not be retired soon


CLIP = Wording(
    thing="clip",
    result="clip",
    shown="the character's picture",
    edit="Change the motion prompt or the character's picture, then retry.",
    again="Retry the emoji.",
    anew="Retry the emoji to make a new one.",
    newest="wan2.7-i2v or wan3.0-video",
)
PICTURE = Wording(
    thing="picture",
    result="drawing",
    shown="the picture that was shown",
    edit="Change the words or the picture that was shown, then draw again.",
    again="Draw again.",
    anew="Draw again to get a new one.",
    newest="wan2.7-image or wan2.7-image-pro",
)


@dataclass(frozen=True)
class _Rule:
    message: str  # {said} is what the service said, {refused} the part that it names; the rest is of a Wording
    cure: str  # likewise
    kind: type[ProviderFailed] = ProviderFailed
    stops: Literal["all", "model"] | None = None  # what else would only be refused in the same way


_BAD_KEY = _Rule(
    "DashScope does not accept the API key.",
    "Check that it was copied whole, and that it is of the region that is asked: keys of Singapore need"
    " POPCON_DASHSCOPE_BASE_URL=https://dashscope-intl.aliyuncs.com/api/v1.",
    stops="all",
)
_NO_CREDIT = _Rule(
    "The Alibaba Cloud account has no credit left, or a bill is overdue.",
    "Pay in its console, then retry.",
    stops="all",
)
_FREE_ONLY = _Rule(
    "The free quota of this model is used up, and the account is set to use nothing else.",
    "Switch that off in the Model Studio console, or choose another model.",
    stops="model",
)
_NOT_ALLOWED = _Rule(
    "The account may not use this model: {said}",
    "Activate it in the Model Studio console, or choose another model, such as {newest}.",
    stops="model",
)
_NO_MODEL = _Rule(
    "DashScope has no such model, or not any more.", "Choose another model, such as {newest}.", stops="model"
)
_QUOTA = _Rule(
    "The account's quota for this model is used up.",
    "Raise it in the console, or choose another model.",
    stops="model",
)
_BUSY = _Rule("DashScope takes no more orders for the moment.", "It is tried again by itself.", ProviderBusy)
_CONTENT = _Rule("DashScope's content check refuses {refused}: {said}", "{edit}")
_FAMOUS = _Rule(
    "DashScope takes the character for somebody else's: {said}",
    "Only characters whose rights you own are made; change the picture or the prompt.",
)
_BROKEN = _Rule("DashScope failed while it made this {thing}; it bills nothing for that.", "{again}")
_MISUNDERSTOOD = _Rule(
    "DashScope does not take this order: {said}", "Choose another model; if that does not help, report this as a bug."
)

# Codes in small letters without underscores; the first entry that is the code or an upper part of it decides.
_RULES: tuple[tuple[str, _Rule], ...] = (
    ("invalidapikey", _BAD_KEY),
    ("arrearage", _NO_CREDIT),
    ("prepaidbilloverdue", _NO_CREDIT),
    ("postpaidbilloverdue", _NO_CREDIT),
    ("commoditynotpurchased", _NO_CREDIT),
    ("allocationquota.freetieronly", _FREE_ONLY),
    ("throttling.allocationquota", _QUOTA),
    ("throttling", _BUSY),
    ("accessdenied", _NOT_ALLOWED),
    ("modelnotfound", _NO_MODEL),
    ("datainspectionfailed", _CONTENT),
    ("ipinfringementsuspect", _FAMOUS),
    ("internalerror", _BROKEN),
)


def refusal(status: int, said: Refusal, retry_after: float | None = None, wording: Wording = CLIP) -> ProviderFailed:
    """Why an order was not taken; nothing was bought."""
    rule = _rule(said.code)
    if rule is None:
        rule = {401: _BAD_KEY, 429: _BUSY}.get(status, _MISUNDERSTOOD)
    refused = _refused(said.message, wording) if rule is _CONTENT else None
    facts = {"provider_code": plain(said.code), "retry_after": retry_after, "stops": rule.stops, "refused": refused}
    details = {name: fact for name, fact in facts.items() if fact is not None}
    return rule.kind(_sentence(rule, said.message, wording), cure=_cure(rule, wording), details=details)


def failure(code: str | None, message: str | None, wording: Wording = CLIP) -> str:
    """Why a task that had been accepted failed, and what to do."""
    rule = _rule(code or "") or _Rule("DashScope could not make this {thing}: {said}", "{again}")
    return f"{_sentence(rule, message or code or 'it does not say why.', wording)} {_cure(rule, wording)}"


def is_crowded(code: str) -> bool:
    """Whether too many tasks are in progress, rather than too many orders sent."""
    return code.lower().endswith("concurrency")


def plain(text: str) -> str:
    """A stranger's words without control characters, addresses and keys, and not too many of them."""
    return _CONTROLS.sub(" ", _SECRETS.sub("…", text))[:_MOST_WORDS].strip()


def _sentence(rule: _Rule, said: str, wording: Wording) -> str:
    names = {
        "made": f"the {wording.thing} that was made",
        "picture": wording.shown,
        "prompt": "the prompt",
        "either": "this picture or prompt",
    }
    return rule.message.format(said=plain(said), refused=names[_part(said)], thing=wording.thing)


def _cure(rule: _Rule, wording: Wording) -> str:
    return rule.cure.format(edit=wording.edit, again=wording.again, newest=wording.newest)


def _refused(said: str, wording: Wording) -> str:
    """The part that the content check names, in one word."""
    part = _part(said)
    return wording.result if part == "made" else part


def _part(said: str) -> str:
    """Which part of the work the content check names, by the service's own words."""
    words = said.lower()
    if "output" in words:
        return "made"
    if "image" in words or "img" in words or "picture" in words:
        return "picture"
    return "prompt" if "text" in words or "prompt" in words else "either"


def _rule(code: str) -> _Rule | None:
    bare = code.lower().replace("_", "")
    return next((rule for name, rule in _RULES if bare == name or bare.startswith(f"{name}.")), None)
