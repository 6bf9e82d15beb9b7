"""Downloads a result that a provider names, without trusting the address that it names.

https only, hosts of a list only, redirects checked like the first address, no private addresses behind public names,
a cap on bytes and on seconds, no key and no cookie. The file is there whole or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import os
import secrets
import socket
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from popcond.errors import OutOfDisk, PopconError, ProviderFailed, ProviderUnreachable, TooLarge

_MOST_REDIRECTS = 3
_MOST_ADDRESSES = 3  # of one name that are tried
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_CHUNK = 1 << 18
_REDIRECTS = (301, 302, 303, 307, 308)
_LOOPBACK = "127.0.0.1"
_AGAIN = "It is tried again by itself; asking again costs nothing."


@dataclass(frozen=True)
class Rules:
    """Where downloads may come from, and how much of them."""

    hosts: tuple[str, ...]  # names that are allowed, with everything below them
    allows_loopback: bool = False  # plain http from 127.0.0.1 as well: a stand-in of tests
    most_bytes: int = 256 << 20
    seconds: float = 300.0  # for the whole download


async def fetch(url: str, to: Path, rules: Rules) -> None:
    """Write what lies at `url` into the file `to`.

    Raises ProviderUnreachable when another try may help, ProviderFailed for an address that is refused, TooLarge and
    OutOfDisk.
    """
    draft = to.with_name(f"{to.name}.{secrets.token_hex(8)}.part")
    try:
        async with asyncio.timeout(rules.seconds):
            await _download(_checked(httpx.URL(url), rules), draft, rules)
        os.replace(draft, to)
    except TimeoutError as error:
        raise ProviderUnreachable(f"The file did not arrive within {rules.seconds:g} s.", cure=_AGAIN) from error
    except httpx.InvalidURL as error:
        raise _refused("the address is not readable") from error
    except httpx.HTTPError as error:
        raise ProviderUnreachable(f"The file did not arrive ({type(error).__name__}).", cure=_AGAIN) from error
    except OSError as error:
        raise _not_written(error) from error
    finally:
        draft.unlink(missing_ok=True)


async def _download(url: httpx.URL, draft: Path, rules: Rules) -> None:
    """Follow redirects by hand, so that every hop is checked."""
    for _ in range(_MOST_REDIRECTS + 1):
        async with _answer(url, rules) as response:
            if response.status_code not in _REDIRECTS:
                await _keep(response, draft, rules)
                return
            url = _checked(url.join(response.headers.get("location", "")), rules)
    raise _refused("it is redirected too often")


def _checked(url: httpx.URL, rules: Rules) -> httpx.URL:
    """The address, if it may be asked at all. Raises ProviderFailed."""
    if url.userinfo:
        raise _refused("it contains a name or a password")
    if _is_stand_in(url, rules):
        return url
    if url.scheme != "https" or url.port is not None:
        raise _refused("it is not plain https")
    host = url.host.lower().rstrip(".")
    if not any(host == allowed or host.endswith(f".{allowed}") for allowed in rules.hosts):
        raise _refused(f"{host[:80]} is not a host of the provider")
    return url


def _is_stand_in(url: httpx.URL, rules: Rules) -> bool:
    return rules.allows_loopback and url.scheme == "http" and url.host == _LOOPBACK


@contextlib.asynccontextmanager
async def _answer(url: httpx.URL, rules: Rules) -> AsyncIterator[httpx.Response]:
    """The open answer of the first of the host's addresses that can be reached."""
    is_proxied = not _is_stand_in(url, rules) and _has_proxy(url.host)
    request = httpx.Request("GET", url, headers={"Accept-Encoding": "identity"})
    requests = [request] if is_proxied or _is_stand_in(url, rules) else await _pinned(request)
    async with httpx.AsyncClient(timeout=_TIMEOUT, verify=httpx.create_ssl_context(), trust_env=is_proxied) as client:
        response = await _first(client, requests)
        try:
            yield response
        finally:
            await response.aclose()


async def _first(client: httpx.AsyncClient, requests: list[httpx.Request]) -> httpx.Response:
    for request in requests[:-1]:
        with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
            return await client.send(request, stream=True)
    return await client.send(requests[-1], stream=True)


def _has_proxy(host: str) -> bool:
    """Whether the user's own proxy stands between; then it resolves the name, and not we."""
    return "https" in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)


async def _pinned(request: httpx.Request) -> list[httpx.Request]:
    """The same request to each public address of the host, so that its name cannot change its meaning on the way."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(request.url.host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise ProviderUnreachable(f"{request.url.host} cannot be found.", cure=_AGAIN) from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    return [pinned(request, address) for address in addresses[:_MOST_ADDRESSES]]


def pinned(request: httpx.Request, address: str) -> httpx.Request:
    """The request to that address, under the host's name. Raises ProviderFailed unless the address is public."""
    if not ipaddress.ip_address(address).is_global:
        raise _refused(f"{request.url.host} leads to an address that is not public")
    host = request.url.host
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,  # with the host's name
        extensions={"sni_hostname": host},
    )


async def _keep(response: httpx.Response, draft: Path, rules: Rules) -> None:
    if response.status_code != 200 or "content-encoding" in response.headers:
        raise ProviderUnreachable(f"The file cannot be fetched (HTTP {response.status_code}).", cure=_AGAIN)
    if int(response.headers.get("content-length", "0")) > rules.most_bytes:
        raise _too_large(rules)
    with draft.open("xb") as file:
        size = await _write(response, file, rules)
    if size == 0:
        raise ProviderUnreachable("The file arrived empty.", cure=_AGAIN)


async def _write(response: httpx.Response, file: BinaryIO, rules: Rules) -> int:
    size = 0
    async for chunk in response.aiter_raw(_CHUNK):
        size += len(chunk)
        if size > rules.most_bytes:
            raise _too_large(rules)
        await asyncio.to_thread(file.write, chunk)
    return size


def _refused(why: str) -> ProviderFailed:
    return ProviderFailed(
        f"The file is not fetched from where the provider says: {why}.",
        cure="If the place is right, add its host to POPCON_DASHSCOPE_HOSTS and retry the emoji; nothing is lost.",
        code="download_refused",
    )


def _too_large(rules: Rules) -> TooLarge:
    return TooLarge(f"The file is larger than {rules.most_bytes >> 20} MiB.", cure="Choose a smaller size or model.")


def _not_written(error: OSError) -> PopconError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return OutOfDisk("The disk is full: the file could not be written.", cure="Free some space and retry.")
    return PopconError(f"The file could not be written: {error.strerror}.", cure="Check the folder's permissions.")
