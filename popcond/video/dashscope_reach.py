"""Whether DashScope can be reached with a key: one question for one row of the list, which costs nothing.

Tells apart what a person mends in different places: the address, the network, the key, its region, the account, the
clock. The key is in no message, and is shown to nobody but the service's own hosts and the address that was set.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx
from pydantic import SecretStr, ValidationError

from popcond.errors import BadSetting, ProviderBusy
from popcond.video.dashscope_answers import Page, Refusal
from popcond.video.dashscope_refusals import refusal

PATIENCE = 5.0  # seconds for one place
CLOCKS_APART = 600.0  # seconds between its clock and ours from which its list cannot be compared with our orders

_REGIONS: Mapping[str, str] = {
    "dashscope.aliyuncs.com": "Beijing",
    "dashscope-intl.aliyuncs.com": "Singapore",
    "dashscope-us.aliyuncs.com": "Virginia",
    "cn-hongkong.dashscope.aliyuncs.com": "Hong Kong",
}
_PATH = "/api/v1"
_LOOPBACK = "127.0.0.1"
_HOST = re.compile(r"[\w.-]+")
_MOST_BYTES = 1 << 20  # of an answer
_SETTING = "POPCON_DASHSCOPE_BASE_URL"
_NOT_IT = f"Check {_SETTING}. A network that wants you to log in, or a proxy, may answer in its place too."


@dataclass(frozen=True)
class Place:
    """An address of the service."""

    base_url: str  # up to and with /api/v1
    name: str  # for a person: the region, or the host
    is_known: bool  # false: whoever set it has to know whose it is


@dataclass(frozen=True)
class Reached:
    """What came of asking."""

    is_usable: bool
    message: str
    cure: str | None = None
    clock_ahead: float | None = None  # seconds by which our clock is ahead of the service's; None: it did not say


@dataclass(frozen=True)
class _Heard:
    status: int
    body: bytes
    clock_ahead: float | None

    def page(self) -> Page | None:
        try:
            return Page.model_validate_json(self.body) if self.status == 200 else None
        except ValidationError:
            return None

    def refusal(self) -> Refusal | None:
        try:
            return Refusal.model_validate_json(self.body) if 400 <= self.status < 500 else None
        except ValidationError:
            return None


def place_of(base_url: str) -> Place:
    """The place at this address. Raises BadSetting, with what is wrong, when no service can be there."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise _bad("is no address", f"Write it like https://dashscope-intl.aliyuncs.com{_PATH}.") from error
    if url.host == _LOOPBACK and url.scheme == "http":
        return Place(base_url, "a stand-in on this computer", is_known=True)
    if url.scheme != "https" or not _HOST.fullmatch(url.host):
        raise _bad("is no https address, and the API key is not sent over an open line", "Let it begin with https://.")
    if url.userinfo or url.query or url.fragment:
        raise _bad("has more in it than a host and a path", f"Cut it off behind {_PATH}.")
    if url.path.rstrip("/") != _PATH:
        raise _bad(f"leads to {url.path}, where Wan models are not", f"Let it end in {_PATH}.")
    is_workspace = url.host.endswith(".maas.aliyuncs.com")
    name = _REGIONS.get(url.host, f"the workspace at {url.host}" if is_workspace else url.host)
    return Place(base_url, name, is_known=url.host in _REGIONS or is_workspace)


def other_regions(place: Place) -> tuple[Place, ...]:
    """Where a key may belong that this place does not know; none for addresses that are not the service's public ones.

    So a key that is meant for somebody's own gateway, or for a stand-in, is never shown to the service.
    """
    host = httpx.URL(place.base_url).host
    if host not in _REGIONS:
        return ()
    return tuple(place_of(f"https://{other}{_PATH}") for other in _REGIONS if other != host)


async def reach(place: Place, key: SecretStr, others: Sequence[Place] = (), *, patience: float = PATIENCE) -> Reached:
    """Ask with the key; when it is refused, ask the other places too, to tell a wrong region from a wrong key.

    Each gets `patience` seconds.
    """
    try:
        heard = await _ask(place, key, patience)
    except (httpx.HTTPError, TimeoutError) as error:
        return _not_reached(place, error, patience)
    said = heard.refusal()
    if heard.page() is not None:
        return Reached(True, f"DashScope ({place.name}) answers, and takes the key.", None, heard.clock_ahead)
    if said is None:
        return _not_understood(place, heard)
    why = refusal(heard.status, said)
    if heard.status == 401:
        wrong = Reached(False, why.message, _wrong_key(place, others), heard.clock_ahead)
        return await _of_another_region(key, others, patience) or wrong
    is_busy = isinstance(why, ProviderBusy)
    return Reached(is_busy, why.message, "Nothing is wrong with the key." if is_busy else why.cure, heard.clock_ahead)


async def _ask(place: Place, key: SecretStr, patience: float) -> _Heard:
    """The whole answer. Raises httpx.HTTPError and TimeoutError."""
    async with asyncio.timeout(patience):
        return await _heard(place, key)


async def _heard(place: Place, key: SecretStr) -> _Heard:
    is_here = httpx.URL(place.base_url).host == _LOOPBACK
    async with (
        httpx.AsyncClient(timeout=None, trust_env=not is_here) as client,
        client.stream(
            "GET",
            f"{place.base_url.rstrip('/')}/tasks",
            params={"page_no": 1, "page_size": 1},
            headers={"Authorization": f"Bearer {key.get_secret_value()}"},
        ) as response,
    ):
        ahead = _clock_ahead(response.headers.get("date"))
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MOST_BYTES:
                break
        return _Heard(response.status_code, bytes(body), ahead)


async def _of_another_region(key: SecretStr, others: Sequence[Place], patience: float) -> Reached | None:
    """The sentence for a key that another place takes; None when none of them does."""
    answers = await asyncio.gather(*(_takes(place, key, patience) for place in others))
    home = next((place for place, takes in zip(others, answers, strict=True) if takes), None)
    if home is None:
        return None
    return Reached(
        False, f"The key is good, but it is one of {home.name}, which is not asked.", f"Set {_SETTING}={home.base_url}."
    )


async def _takes(place: Place, key: SecretStr, patience: float) -> bool:
    try:
        return (await _ask(place, key, patience)).page() is not None
    except (httpx.HTTPError, TimeoutError):
        return False


def _wrong_key(place: Place, others: Sequence[Place]) -> str:
    if others:
        asked = ", ".join(each.name for each in (place, *others))
        return f"It is taken by none of {asked}. Copy it again, whole: `popcond key set`."
    return f"Copy it again, whole, with `popcond key set`; or its region is another one: set {_SETTING}."


def _not_reached(place: Place, error: Exception, patience: float) -> Reached:
    """In the words of whoever can mend it."""
    host = httpx.URL(place.base_url).host
    causes = list(_causes(error))
    if any(isinstance(each, socket.gaierror) for each in causes):
        return Reached(False, f"{host} cannot be found.", f"Check the network, and {_SETTING} when you have set it.")
    if any(isinstance(each, ssl.SSLError) for each in causes):
        cure = "Check the computer's clock. If that is right, a proxy or a virus scanner may be reading along."
        return Reached(False, f"Nobody at {host} can prove to be {host}.", cure)
    if isinstance(error, httpx.ProxyError):
        return Reached(False, f"The proxy does not let us through to {host}.", "Check HTTPS_PROXY and NO_PROXY.")
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return Reached(False, f"{host} does not answer within {patience:g} s.", "Check the network, then try again.")
    told = f"{host} cannot be connected to ({type(error).__name__})."
    return Reached(False, told, "Check the network, and the firewall where there is one.")


def _not_understood(place: Place, heard: _Heard) -> Reached:
    if heard.status >= 500:
        told = f"DashScope ({place.name}) has trouble of its own (HTTP {heard.status})."
        return Reached(False, told, "Wait, then try again; its status page may say more.")
    return Reached(False, f"What answers for {place.name} is not DashScope (HTTP {heard.status}).", _NOT_IT)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _clock_ahead(date: str | None) -> float | None:
    try:
        return time.time() - parsedate_to_datetime(date).timestamp() if date else None
    except ValueError:
        return None


def _bad(why: str, cure: str) -> BadSetting:
    return BadSetting(f"The address of DashScope {why}.", cure=f"{cure} It is set in {_SETTING} or config.toml.")
