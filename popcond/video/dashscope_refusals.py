"""DashScope's error codes as our sentences, each with its cure. Decided by code: the HTTP status of one code varies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from popcond.errors import ProviderBusy, ProviderFailed
from popcond.video.dashscope_answers import Refusal

_MOST_WORDS = 300  # characters of the service's own message
_SECRETS = re.compile(r"https?://\S+|data:\S+|sk-[\w-]+")
_READY = "wan2.7-i2v or wan3.0-video"  # the newest
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")

_NAMES = {
    "clip": "the clip that was made",
    "picture": "the character's picture",
    "prompt": "the prompt",
    "either": "this picture or prompt",
}


@dataclass(frozen=True)
class _Rule:
    message: str  # {said} is what the service said
    cure: str
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
    f"Activate it in the Model Studio console, or choose another model, such as {_READY}.",
    stops="model",
)
_NO_MODEL = _Rule(
    "DashScope has no such model, or not any more.", f"Choose another model, such as {_READY}.", stops="model"
)
_QUOTA = _Rule(
    "The account's quota for this model is used up.",
    "Raise it in the console, or choose another model.",
    stops="model",
)
_BUSY = _Rule("DashScope takes no more orders for the moment.", "It is tried again by itself.", ProviderBusy)
_CONTENT = _Rule(
    "DashScope's content check refuses {refused}: {said}",
    "Change the motion prompt or the character's picture, then retry.",
)
_FAMOUS = _Rule(
    "DashScope takes the character for somebody else's: {said}",
    "Only characters whose rights you own are made; change the picture or the prompt.",
)
_BROKEN = _Rule("DashScope failed while it made this clip; it bills nothing for that.", "Retry the emoji.")
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


def refusal(status: int, said: Refusal, retry_after: float | None = None) -> ProviderFailed:
    """Why an order was not taken; nothing was bought."""
    rule = _rule(said.code)
    if rule is None:
        rule = {401: _BAD_KEY, 429: _BUSY}.get(status, _MISUNDERSTOOD)
    refused = _refused(said.message) if rule is _CONTENT else None
    facts = {"provider_code": plain(said.code), "retry_after": retry_after, "stops": rule.stops, "refused": refused}
    details = {name: fact for name, fact in facts.items() if fact is not None}
    return rule.kind(_sentence(rule, said.message), cure=rule.cure, details=details)


def failure(code: str | None, message: str | None) -> str:
    """Why a task that had been accepted failed, and what to do."""
    rule = _rule(code or "") or _Rule("DashScope could not make this clip: {said}", "Retry the emoji.")
    return f"{_sentence(rule, message or code or 'it does not say why.')} {rule.cure}"


def is_crowded(code: str) -> bool:
    """Whether too many tasks are in progress, rather than too many orders sent."""
    return code.lower().endswith("concurrency")


def plain(text: str) -> str:
    """A stranger's words without control characters, addresses and keys, and not too many of them."""
    return _CONTROLS.sub(" ", _SECRETS.sub("…", text))[:_MOST_WORDS].strip()


def _sentence(rule: _Rule, said: str) -> str:
    return rule.message.format(said=plain(said), refused=_NAMES[_refused(said)])


def _refused(said: str) -> str:
    """Which part of the work the content check names, by the service's own words."""
    words = said.lower()
    if "output" in words:
        return "clip"
    if "image" in words or "img" in words or "picture" in words:
        return "picture"
    return "prompt" if "text" in words or "prompt" in words else "either"


def _rule(code: str) -> _Rule | None:
    bare = code.lower().replace("_", "")
    return next((rule for name, rule in _RULES if bare == name or bare.startswith(f"{name}.")), None)
