"""DashScope's error codes as our sentences, each with its cure. Decided by code: the HTTP status of one code varies."""

from __future__ import annotations

import re
from dataclasses import dataclass

from popcond.errors import ProviderBusy, ProviderFailed
from popcond.video.dashscope_answers import Refusal

_MOST_WORDS = 300  # characters of the service's own message
_SECRETS = re.compile(r"https?://\S+|data:\S+|sk-[\w-]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class _Rule:
    message: str  # {said} is what the service said
    cure: str
    kind: type[ProviderFailed] = ProviderFailed


_BAD_KEY = _Rule(
    "DashScope does not accept the API key.",
    "Check that it was copied whole, and that it is of the region that is asked: keys of Singapore need"
    " POPCON_DASHSCOPE_BASE_URL=https://dashscope-intl.aliyuncs.com/api/v1.",
)
_NO_CREDIT = _Rule(
    "The Alibaba Cloud account has no credit left, or a bill is overdue.", "Pay in its console, then retry."
)
_FREE_ONLY = _Rule(
    "The free quota of this model is used up, and the account is set to use nothing else.",
    "Switch that off in the Model Studio console, or choose another model.",
)
_NOT_ALLOWED = _Rule(
    "The account may not use this model: {said}", "Activate it in the Model Studio console, or choose another model."
)
_NO_MODEL = _Rule("DashScope has no such model, or not any more.", "Choose another model.")
_QUOTA = _Rule("The account's quota for this model is used up.", "Raise it in the console, or choose another model.")
_BUSY = _Rule("DashScope takes no more orders for the moment.", "It is tried again by itself.", ProviderBusy)
_CONTENT = _Rule(
    "DashScope's content check refuses this picture or prompt: {said}",
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
    details: dict[str, object] = {"provider_code": plain(said.code)}
    if retry_after is not None:
        details["retry_after"] = retry_after
    return rule.kind(rule.message.format(said=plain(said.message)), cure=rule.cure, details=details)


def failure(code: str | None, message: str | None) -> str:
    """Why a task that had been accepted failed, and what to do."""
    rule = _rule(code or "") or _Rule("DashScope could not make this clip: {said}", "Retry the emoji.")
    return f"{rule.message.format(said=plain(message or code or 'it does not say why.'))} {rule.cure}"


def plain(text: str) -> str:
    """A stranger's words without control characters, addresses and keys, and not too many of them."""
    return _CONTROLS.sub(" ", _SECRETS.sub("…", text))[:_MOST_WORDS].strip()


def _rule(code: str) -> _Rule | None:
    bare = code.lower().replace("_", "")
    return next((rule for name, rule in _RULES if bare == name or bare.startswith(f"{name}.")), None)
