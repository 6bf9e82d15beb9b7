"""Errors as answers: every one is `{"code","message","cure?","details?"}` with the fitting status."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import PydanticSerializationError
from starlette.exceptions import HTTPException

from popcond import errors
from popcond.errors import PopconError
from popcond.store import references
from popcond.wire import Problem

log = logging.getLogger("popcond.api")

_STATUS: dict[type[PopconError], int] = {
    errors.TooLarge: 413,
    errors.BadInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthorized: 401,
    errors.ProviderFailed: 503,
    errors.MaybeBought: 409,
    errors.OverBudget: 402,
    errors.OutOfDisk: 503,
    errors.StorageFailed: 503,
    errors.HomeUnusable: 503,
    errors.Stopping: 503,
    errors.OutOfMemory: 503,
    errors.WorkerDied: 422,
    errors.TookTooLong: 422,
}


_SEE = "The routes are described at /openapi.json."
_LONGEST = 2000  # characters of a sentence; what was sent is quoted in some, however long it is

RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Refused, with the reason and its cure"},
    "5XX": {"model": Problem, "description": "Failed, with the reason and its cure"},
}


def status_of(error: PopconError) -> int:
    """The HTTP status of the nearest ancestor that has one; 500 for the rest."""
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)


def install(app: FastAPI) -> None:
    """Answer every kind of error in the one shape."""
    app.add_exception_handler(PopconError, _popcon_error)
    app.add_exception_handler(RequestValidationError, _wrong_body)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(UnicodeEncodeError, _half_character)
    app.add_exception_handler(PydanticSerializationError, _half_character)
    app.add_exception_handler(OSError, _operating_system)
    app.add_exception_handler(Exception, _unexpected)


def _answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    more = {"Retry-After": "5"} if status == 503 else {}
    return JSONResponse(_body(problem), status_code=status, headers={**(headers or {}), **more})


def _body(problem: Problem) -> dict[str, Any]:
    told = problem.model_copy(update={"message": _short(problem.message)})
    try:
        return told.model_dump(mode="json", exclude_none=True)
    except PydanticSerializationError:  # it quotes half of a character, which no answer can hold
        return told.model_copy(update={"message": _escaped(told.message), "details": None}).model_dump(
            exclude_none=True
        )


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}…"


def _escaped(sentence: str) -> str:
    return sentence.encode(errors="backslashreplace").decode()


async def _popcon_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PopconError)
    told: PopconError = error
    if references.is_about_an_asset(error):
        database = request.app.state.powers.database
        told = await database.read(partial(references.with_cure, error=error))
    return _answer(status_of(told), told.problem())


async def _wrong_body(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _answer(422, Problem(code="bad_request", message=_sentence(first), cure=_SEE))


def _sentence(wrong: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in wrong["loc"] if part != "body")
    if wrong["type"] == "json_invalid":
        return "The body is not valid JSON."
    if "UploadFile" in str(wrong["msg"]):
        return f"{place}: a file is wanted here, as multipart/form-data."
    told = str(wrong["msg"]).rstrip(".")
    return f"{place}: {told[:1].lower()}{told[1:]}." if place else f"{told}."


async def _http_exception(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    code = codes.get(error.status_code, "bad_request")
    message = f"{str(error.detail).rstrip('.')}."
    return _answer(error.status_code, Problem(code=code, message=message, cure=_SEE), error.headers)


async def _half_character(request: Request, error: Exception) -> JSONResponse:
    """JSON can spell half of a character, which no text, no row and no answer can hold."""
    if "surrogates not allowed" not in str(error):
        return await _unexpected(request, error)
    message = "The body has half of a character, such as \\ud800, in a text."
    return _answer(422, Problem(code="bad_request", message=message, cure="Send whole characters, in UTF-8."))


async def _operating_system(request: Request, error: Exception) -> JSONResponse:
    """A disk that is full while an upload comes in."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        full = errors.OutOfDisk("The disk is full.", cure="Free some space, then try again.")
        return await _popcon_error(request, full)
    return await _unexpected(request, error)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    message = f"Something unexpected happened: {type(error).__name__}."
    return _answer(500, Problem(code="unexpected", message=message, cure="The daemon's log says more."))
