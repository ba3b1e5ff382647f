"""The one shape of errors: `{"fingerprint", "errors": [{"code", "message", "pointer"?}]}`.

`fingerprint` names one occurrence and stands in its log line. What we did not expect is answered with 500 and
nothing internal; its traceback goes to the log under the same fingerprint.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passerelle.kit.database import DATABASE_UNAVAILABLE, NoConnectionFreeError
from passerelle.kit.errors import Code, PasserelleError, Problem
from passerelle.kit.http.answers import Answer, json_answer
from passerelle.kit.http.authentication import principal
from passerelle.kit.http.context import masked_path
from passerelle.kit.http.fields import explain, said
from passerelle.kit.ids import NewId, new_id
from passerelle.kit.secrets import CannotDecryptError

NOT_FOUND: Final = Code("NOT_FOUND", 404, "There is no such address. See `/docs` for those that exist.")
METHOD_NOT_ALLOWED: Final = Code(
    "METHOD_NOT_ALLOWED", 405, "The address does not take this method; `Allow` lists those that it takes."
)
REQUEST_INVALID: Final = Code("REQUEST_INVALID", 400, "The request cannot be read as it was sent.")
QUERY_INVALID: Final = Code("QUERY_INVALID", 400, "A parameter of the address is missing, unknown or not right.")
LIMIT_INVALID: Final = Code("LIMIT_INVALID", 400, "`limit` is not a whole number from 1 to 500.")
INTERNAL_ERROR: Final = Code(
    "INTERNAL_ERROR", 500, "Something failed on our side. The server's log names it under the fingerprint."
)

MOST_TOLD: Final = 100
"""Problems of one answer that are told; the others are counted."""

_log = structlog.get_logger("passerelle.http")

_LOST_DATABASE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ConnectionDoesNotExistError,
    # Of memory or of locks there are too few; a disk that cannot be read; a server that follows another one now.
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
)
DATABASE_FULL: Final = Code(
    "DATABASE_FULL", 503, "The database's disk is full. The request changed nothing; send it again when there is room."
)
DATABASE_TOO_SLOW: Final = Code(
    "DATABASE_TOO_SLOW", 503, "The database did not end within its time. The request changed nothing: ask for less."
)
DATABASE_BUSY: Final = Code(
    "DATABASE_BUSY", 503, "No connection to the database became free, or others wrote the same. Send the request again."
)
SECRET_KEY_MISSING: Final = Code(
    "SECRET_KEY_MISSING", 503, "What the request needs is encrypted with a key that `PASSERELLE_SECRET_KEY` lacks."
)
DISK_FULL: Final = Code(
    "DISK_FULL", 503, "The server's own disk is full. The request changed nothing; send it again when there is room."
)
_MAKE_ROOM: Final = "an administrator has to make room, then send the request again"
_TROUBLES: Final[Sequence[tuple[tuple[type[Exception], ...], Code, str, int]]] = (
    ((asyncpg.DiskFullError,), DATABASE_FULL, f"the database's disk is full: {_MAKE_ROOM}", 60),
    (
        (asyncpg.QueryCanceledError,),
        DATABASE_TOO_SLOW,
        "the database took too long, and nothing was changed: ask for less at once, or later",
        30,
    ),
    (
        (NoConnectionFreeError, asyncpg.TransactionRollbackError, asyncpg.LockNotAvailableError),
        DATABASE_BUSY,
        "too much was done at the same moment: send the request again",
        2,
    ),
    (
        (CannotDecryptError,),
        SECRET_KEY_MISSING,
        "this was encrypted with a key that the server lacks: an administrator adds it to PASSERELLE_SECRET_KEY",
        60,
    ),
)
"""What is not as it should be, the code, what to do, and after how many seconds it is worth another try."""
_CLOSED_BY_CLIENT: Final = 499
_OF_NO_ENDPOINT: Final = frozenset({404, 405})


REFUSALS: Final = (PasserelleError, HTTPException, RequestValidationError)
"""What is answered as it is raised, with a status below 500 as a rule."""


class ErrorEntry(Answer):
    """One thing that is wrong."""

    code: str = Field(description="Stable; see the list of error codes.", examples=["FIELD_REQUIRED"])
    message: str = Field(description="What is wrong and what to do.", examples=["`workflowDefinitionId` is required"])
    pointer: str = Field(
        default="",
        description="A JSON pointer into the body, where it applies.",
        examples=["/workflowDefinitionId"],
    )


class Errors(Answer):
    """Everything that is wrong with a request."""

    fingerprint: str = Field(
        description="Names this occurrence in the server's log.", examples=["0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"]
    )
    errors: list[ErrorEntry] = Field(description="One entry for each thing that is wrong.")


def install(app: FastAPI) -> None:
    """Let `app` answer what its endpoints raise, and unknown addresses, in the one shape."""
    for kind in REFUSALS:
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, raised: Exception) -> Response:
    if isinstance(raised, HTTPException) and raised.status_code == 405 and request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": ", ".join(_methods(request.scope))})
    asked = "refusal" in request.scope.get("state", ())
    if asked and isinstance(raised, HTTPException) and raised.status_code in _OF_NO_ENDPOINT:
        # Who is not known learns not even which addresses there are.
        try:
            await principal(request)
        except PasserelleError as refusal:
            return answer(request.scope, refusal)
    return answer(request.scope, raised)


class ErrorBoundary:
    """ASGI middleware: answers whatever was raised further in, middlewares included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises no `Exception`; cancellation passes untouched."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception as raised:
            response = answer(scope, raised)
            if started:
                # The server sees an answer without its end and closes the connection: the client can tell.
                return None
            await response(scope, receive, send)


def answer(scope: Scope, raised: Exception, new_id: NewId = new_id) -> Response:
    """The answer to whatever was raised; logs it under its fingerprint."""
    error = _as_error(scope, raised)
    fingerprint = str(new_id())
    facts: dict[str, Any] = {
        "fingerprint": fingerprint,
        "status": error.status,
        "codes": [problem.code for problem in error.problems],
        "method": scope["method"],
        "path": masked_path(scope),
    }
    if error.status == DATABASE_UNAVAILABLE.status:
        _log.warning("request failed", **facts, error=repr(raised))
    elif error.status >= 500:
        _log.error("request failed", **facts, exc_info=raised)
    else:
        _log.info("request refused", **facts)
    content = Errors(fingerprint=fingerprint, errors=[_entry(problem) for problem in _told(error.problems)])
    return json_answer(content, error.status, headers=error.headers, leave_out_unset=True)


def _told(problems: Sequence[Problem]) -> Sequence[Problem]:
    """At most `MOST_TOLD`, and how many there are besides. Whoever counted before has that one line more already."""
    if (more := len(problems) - MOST_TOLD) <= 1:
        return problems
    return [*problems[:MOST_TOLD], Problem(problems[MOST_TOLD].code, f"and {more:,} more; mend these first")]


def _entry(problem: Problem) -> ErrorEntry:
    if problem.pointer is None:
        return ErrorEntry(code=problem.code, message=problem.message)
    return ErrorEntry(code=problem.code, message=problem.message, pointer=problem.pointer)


def _as_error(scope: Scope, raised: Exception) -> PasserelleError:
    if isinstance(raised, PasserelleError):
        return raised
    if isinstance(raised, HTTPException):
        return _from_framework(scope, raised)
    if isinstance(raised, RequestValidationError):
        return _from_request(scope, raised)
    if isinstance(raised, ClientDisconnect):
        problem = REQUEST_INVALID.problem("the client closed the connection")
        return PasserelleError(_CLOSED_BY_CLIENT, [problem])
    return _of_the_machine(raised) or _internal_error()


def _of_the_machine(raised: Exception) -> PasserelleError | None:
    """What comes of a disk or a database that is not as it should be; None for anything else."""
    for kinds, code, message, seconds in _TROUBLES:
        if isinstance(raised, kinds):
            return code.error(message, headers={"Retry-After": str(seconds)})
    if isinstance(raised, OSError) and raised.errno == errno.ENOSPC:
        return DISK_FULL.error(f"the server's disk is full: {_MAKE_ROOM}", headers={"Retry-After": "60"})
    if _is_lost_database(raised):
        return DATABASE_UNAVAILABLE.error(
            "the database does not answer: send the request again in a few seconds",
            headers={"Retry-After": "2"},
        )
    return None


def _from_framework(scope: Scope, raised: HTTPException) -> PasserelleError:
    headers = dict(raised.headers or {})
    if raised.status_code == NOT_FOUND.status:
        return NOT_FOUND.error("there is nothing at this address: see /docs for the addresses that exist")
    if raised.status_code == METHOD_NOT_ALLOWED.status:
        allowed = ", ".join(_methods(scope)) or headers.get("Allow", "")
        return METHOD_NOT_ALLOWED.error(f"this address takes only {allowed}", headers=headers | {"Allow": allowed})
    if raised.status_code < 500:
        problem = REQUEST_INVALID.problem(f"the request cannot be read: {raised.detail}")
        return PasserelleError(raised.status_code, [problem], headers)
    return _internal_error()


def _methods(scope: Scope) -> list[str]:
    """Every method of an address: the framework names those of the first route alone."""
    contexts = iter_route_contexts(scope["app"].routes) if "app" in scope else ()
    fitting = (
        one for one in contexts if (pattern := getattr(one, "path_regex", None)) and pattern.match(scope["path"])
    )
    return sorted({method for one in fitting for method in one.methods or ()})


def _internal_error() -> PasserelleError:
    return INTERNAL_ERROR.error(
        "something failed on our side: ask whoever runs this server, whose log explains it under this fingerprint"
    )


def _from_request(scope: Scope, raised: RequestValidationError) -> PasserelleError:
    """Everything that is wrong with the address and the body, as the endpoint declares them."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for item in raised.errors():
        found.setdefault(item["loc"][0], []).append(item)
    if "path" in found:
        return NOT_FOUND.error("there is nothing at this address: a part of it is not an id")
    in_body = [{**item, "loc": item["loc"][1:]} for item in found.pop("body", [])]
    problems = [_query_problem(item) for items in found.values() for item in items]
    if in_body:
        facts = getattr(scope.get("route"), "body_facts", None)
        problems += explain(in_body, getattr(raised.body, "value", raised.body), facts and facts.model)
    return PasserelleError(QUERY_INVALID.status, problems)


def _query_problem(error: Mapping[str, Any]) -> Problem:
    if error["type"] == "limit_invalid":
        return LIMIT_INVALID.problem(error["msg"])
    name = ".".join(str(part) for part in error["loc"][1:])
    return QUERY_INVALID.problem(f"`{name}`: {said(error['msg'])}")


def _is_lost_database(raised: Exception) -> bool:
    if isinstance(raised, _LOST_DATABASE):
        return True
    if isinstance(raised, asyncpg.InterfaceError):
        return "clos" in str(raised)  # "connection is closed", "pool is closing"
    # A refused or missing socket, or a time-out, is the database's if asyncpg met it.
    return isinstance(raised, OSError) and any(
        frame.f_globals.get("__name__", "").startswith("asyncpg.")
        for frame, _ in traceback.walk_tb(raised.__traceback__)
    )
