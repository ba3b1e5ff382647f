"""`Idempotency-Key`: a POST or PATCH that is sent again has one effect and gets the same answer.

A process may die between the effect and the stored answer. So the claim holds an id, made beforehand, for what
the request creates: the endpoint takes it from `idempotent_id`, and the request that is sent again finds what
the first one created under it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope

from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import BODY_LIMIT, content_type_of, receive_body
from passerelle.kit.http.claims import Claim, Claims, Held, StoredAnswer, forget_old
from passerelle.kit.http.errors import REFUSALS, answer
from passerelle.kit.http.media_types import accept_header, parse_accept
from passerelle.kit.ids import new_id
from passerelle.kit.observer import note_object

IDEMPOTENCY_KEY_INVALID: Final = Code(
    "IDEMPOTENCY_KEY_INVALID", 400, "`Idempotency-Key` is not 1 to 255 visible ASCII characters."
)
IDEMPOTENCY_KEY_REUSED: Final = Code(
    "IDEMPOTENCY_KEY_REUSED", 409, "The key was used within 24 hours for another request. Make a new one."
)
IDEMPOTENCY_KEY_IN_USE: Final = Code(
    "IDEMPOTENCY_KEY_IN_USE", 409, "The first request with this key is still under way. Send it again later."
)

__all__ = ["LARGEST_STORED", "IdempotentId", "forget_old", "idempotent_id", "once"]

DOCUMENTED_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of yours, such as a UUID. The same request with the same key, within 24 hours, has "
    "one effect and gets the same answer.",
    "schema": {"type": "string", "maxLength": 255},
}
"""The header, as the document shows it."""

LARGEST_STORED: Final = 1_000_000
"""Bytes of the largest answer that is kept. A larger one is given again by doing the request again."""

_HEADER: Final = b"idempotency-key"
_KEY: Final = re.compile(rb"[!-~]{1,255}")
_METHODS: Final = frozenset({"POST", "PATCH"})
_NOT_KEPT: Final = frozenset({401, 413, 429})
_NOT_KEPT_HEADERS: Final = frozenset({b"content-length", b"set-cookie", b"date"})


def takes_key(methods: Collection[str]) -> bool:
    """Whether requests with these methods may carry a key."""
    return not _METHODS.isdisjoint(methods)


async def once(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer of `handle`, or the one that it gave before to the same request with the same key.

    Costs nothing where the header is absent. Raises IDEMPOTENCY_KEY_INVALID, IDEMPOTENCY_KEY_REUSED or
    IDEMPOTENCY_KEY_IN_USE.
    """
    key = _key(request.scope)
    if key is None:
        return await handle(request)
    if not _KEY.fullmatch(key):
        raise IDEMPOTENCY_KEY_INVALID.error(
            "`Idempotency-Key` must be 1 to 255 visible ASCII characters, such as a fresh UUID"
        )
    body = None
    if not _is_multipart(request.scope):
        body = await receive_body(request.scope, request.receive, limit=BODY_LIMIT)
        request = request.__class__(request.scope, _replay(body, request.receive))
    claims: Claims = request.app.state.claims
    caller: Principal = request.scope["state"]["principal"]
    # What one was answered is given to nobody else: it may be more than they may see.
    name = f"{caller.id} {key.decode()}"
    claim = await claims.claim(caller.workspace_id, name, _request_hash(request.scope, body))
    if isinstance(claim, Held):
        raise _held(claim)
    if isinstance(claim, StoredAnswer):
        return _again(claim)
    request.scope["state"]["idempotent_id"] = claim.resource_id
    return await _answered(request, handle, claims, claim)


async def _answered(
    request: Request, handle: Callable[[Request], Awaitable[Response]], claims: Claims, claim: Claim
) -> Response:
    try:
        response = await handle(request)
    except REFUSALS as refusal:
        # A refusal is an answer like any other: the same request gets it again.
        response = answer(request.scope, refusal)
    except Exception:
        # Where the database is what failed, the key becomes free when its time is over.
        with suppress(Exception):
            await claims.release(claim)
        raise
    # Stored before it is sent: who has an answer can rely on getting it again.
    stored = _to_store(response)
    if stored is None:
        await claims.release(claim)
    else:
        await claims.store(claim, stored)
    return response


def _to_store(response: Response) -> StoredAnswer | None:
    """What to store of an answer; None for one that is not to be given again."""
    if isinstance(response, StreamingResponse) or len(response.body) > LARGEST_STORED:
        return None
    status, body = response.status_code, bytes(response.body)
    headers = [(name, value) for name, value in response.raw_headers if name not in _NOT_KEPT_HEADERS]
    if status >= 500 or status in _NOT_KEPT or not _is_json(headers, len(body)):
        return None
    return StoredAnswer(status, headers, body)


def idempotent_id(request: Request) -> UUID:
    """The id for what this request creates: the same one each time it is sent with the same key.

    A request that is sent again after a crash finds what the first one created under this id.
    """
    found: UUID | None = request.scope["state"].get("idempotent_id")
    return found or new_id()


async def _id_for_new(request: Request) -> UUID:
    made = idempotent_id(request)
    note_object(made)
    return made


IdempotentId = Annotated[UUID, Depends(_id_for_new)]
"""For an endpoint's signature: the id for what the request creates."""


def _key(scope: Scope) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == _HEADER), None)


def _request_hash(scope: Scope, body: bytes | None) -> bytes:
    """What makes two requests the same.

    Of a multipart body nothing can be compared: a client draws its boundaries anew each time.
    """
    parts = [
        scope["method"].encode(),
        scope["path"].encode(),
        scope["query_string"],
        repr(parse_accept(accept_header(scope) or "")).encode(),
        body or b"",
    ]
    return hashlib.sha256(b"".join(len(part).to_bytes(8) + part for part in parts)).digest()


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever the server says."""
    sent = False

    async def receive_again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _again(stored: StoredAnswer) -> Response:
    response = Response(stored.body, stored.status)
    length = [one for one in response.raw_headers if one[0] == b"content-length"] if stored.body else []
    response.raw_headers = [*stored.headers, *length, (b"idempotent-replayed", b"true")]
    return response


def _held(held: Held) -> PasserelleError:
    if not held.same_request:
        return IDEMPOTENCY_KEY_REUSED.error(
            "this `Idempotency-Key` was used within the last 24 hours for another request "
            "(method, path, query, version or body differ): make a new key for a new request"
        )
    return IDEMPOTENCY_KEY_IN_USE.error(
        "the first request with this `Idempotency-Key` is still under way: send it again after `Retry-After`",
        headers={"Retry-After": str(max(1, min(2, math.ceil(held.seconds_left))))},
    )


def _is_multipart(scope: Scope) -> bool:
    return (content_type_of(scope) or "").lower().startswith("multipart/")


def _is_json(headers: list[tuple[bytes, bytes]], size: int) -> bool:
    kind = next((value for name, value in headers if name == b"content-type"), b"")
    return kind.startswith(b"application/json") or size == 0
