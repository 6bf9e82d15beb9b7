"""What a daemon's answer says, read by its client: values of the wire, or the error that the daemon met.

Pure: it sends nothing. Whatever cannot be a PopCon daemon's answer becomes DaemonUnreachable, never a traceback.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import httpx
from pydantic import ValidationError

from popcond.errors import BadInput, Conflict, DaemonUnreachable, NotFound, PopconError, TooLarge, Unauthorized
from popcond.wire import Wire

Model = TypeVar("Model", bound=Wire)

_BY_STATUS: dict[int, type[PopconError]] = {
    400: BadInput,
    401: Unauthorized,
    404: NotFound,
    409: Conflict,
    413: TooLarge,
    415: BadInput,
    422: BadInput,
}


def body(response: httpx.Response) -> Any:
    """The JSON of a good answer. Raises the daemon's own error for a bad one, or DaemonUnreachable."""
    refuse_errors(response)
    try:
        return response.json()
    except ValueError as error:
        raise _stranger(response) from error


def one(model: type[Model], response: httpx.Response) -> Model:
    """The one value of a good answer."""
    return _read(model, body(response), response)


def many(model: type[Model], response: httpx.Response) -> tuple[Model, ...]:
    """The values of a good answer, in their order."""
    rows = body(response)
    if not isinstance(rows, list):
        raise _stranger(response)
    return tuple(_read(model, row, response) for row in rows)


def refuse_errors(response: httpx.Response) -> None:
    """Raises what the daemon says went wrong, as the error class that it was there; quiet when all is well."""
    if not response.is_success:
        raise _told_error(response) or _stranger(response)


def sentences(header: str) -> tuple[str, ...]:
    """The sentences of an advice header, a JSON list; a plain text is one sentence."""
    if not header:
        return ()
    try:
        told = json.loads(header)
    except ValueError:
        return (header,)
    return tuple(str(sentence) for sentence in told) if isinstance(told, list) else (str(told),)


def _read(model: type[Model], row: Any, response: httpx.Response) -> Model:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        raise _stranger(response) from error


def _told_error(response: httpx.Response) -> PopconError | None:
    """None when the body is no problem of ours, as when a proxy answers in the daemon's place."""
    try:
        told = response.json()
    except ValueError:
        return None
    if not isinstance(told, dict) or "code" not in told or "message" not in told:
        return None
    code, cure, details = str(told["code"]), told.get("cure"), told.get("details")
    kind = _by_code().get(code) or _BY_STATUS.get(response.status_code, PopconError)
    return kind(
        str(told["message"]),
        cure=str(cure) if cure else None,
        details=details if isinstance(details, dict) else None,
        code=code,
    )


def _by_code() -> dict[str, type[PopconError]]:
    kinds: list[type[PopconError]] = [PopconError]
    for kind in kinds:  # grows while it is walked, so that the whole tree is met
        kinds.extend(kind.__subclasses__())
    return {kind.code: kind for kind in kinds}


def _stranger(response: httpx.Response) -> PopconError:
    place = response.request.url.copy_with(path="/", query=None)
    return DaemonUnreachable(
        f"Something answers at {place} (status {response.status_code}), but not as a PopCon daemon of this version.",
        cure="Check the URL, and that both sides have the same version: `popcond status`, `popcond --version`.",
    )
