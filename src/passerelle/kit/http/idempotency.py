"""`Idempotency-Key`: a POST or PATCH that is sent again has one effect and gets the same answer.

A process may die between the effect and the stored answer. So the claim holds an id, made beforehand, for what
the request creates: the endpoint takes it from `idempotent_id`, and the request that is sent again finds what
the first one created under it.
"""

from __future__ import annotations

import hashlib
import math
import re
from contextlib import suppress
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passerelle.errors import Code, PasserelleError
from passerelle.kit.clock import Clock, system_clock
from passerelle.kit.database import Database
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import BODY_LIMIT, content_type_of, receive_body
from passerelle.kit.http.claims import Claim, Claims, Held, StoredAnswer, forget_old
from passerelle.kit.http.media_types import accept_header, parse_accept
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox

IDEMPOTENCY_KEY_INVALID: Final = Code(
    "IDEMPOTENCY_KEY_INVALID", 400, "`Idempotency-Key` is not 1 to 255 visible ASCII characters."
)
IDEMPOTENCY_KEY_REUSED: Final = Code(
    "IDEMPOTENCY_KEY_REUSED", 409, "The key was used within 24 hours for another request. Make a new one."
)
IDEMPOTENCY_KEY_IN_USE: Final = Code(
    "IDEMPOTENCY_KEY_IN_USE", 409, "The first request with this key is still under way. Send it again later."
)

__all__ = ["LARGEST_STORED", "Idempotency", "forget_old", "idempotent_id"]

LARGEST_STORED: Final = 1_000_000
"""Bytes of the largest answer that is kept. A larger one is given again by doing the request again."""

_HEADER: Final = b"idempotency-key"
_KEY: Final = re.compile(rb"[!-~]{1,255}")
_METHODS: Final = frozenset({"POST", "PATCH"})
_NOT_KEPT: Final = frozenset({401, 413, 429})
_NOT_KEPT_HEADERS: Final = frozenset({b"content-length", b"set-cookie", b"date"})


class Idempotency:
    """ASGI middleware, inside of authentication. Costs nothing where the header is absent.

    Paths that need no credentials have no workspace to keep a key in: the header means nothing there.
    `body_limit`: bytes of the largest body of a request with the header.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        database: Database,
        box: SecretBox,
        clock: Clock = system_clock,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._app = app
        self._claims = Claims(database, box, clock)
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        key = _key(scope) if scope["type"] == "http" and scope["method"] in _METHODS else None
        principal: Principal | None = None if key is None else scope["state"].get("principal")
        if key is None or principal is None:
            await self._app(scope, receive, send)
        else:
            await self._serve(principal.workspace_id, key, scope, receive, send)

    async def _serve(self, workspace_id: UUID, key: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        if not _KEY.fullmatch(key):
            raise IDEMPOTENCY_KEY_INVALID.error(
                "`Idempotency-Key` must be 1 to 255 visible ASCII characters, such as a fresh UUID"
            )
        body = None
        if not _is_multipart(scope):
            body = await receive_body(scope, receive, limit=self._body_limit)
            receive = _replay(body, receive)
        claim = await self._claims.claim(workspace_id, key.decode(), _request_hash(scope, body))
        if isinstance(claim, Held):
            raise _held(claim)
        if isinstance(claim, StoredAnswer):
            await _answer_again(claim, send)
        else:
            scope["state"]["idempotent_id"] = claim.resource_id
            await self._run(claim, scope, receive, send)

    async def _run(self, claim: Claim, scope: Scope, receive: Receive, send: Send) -> None:
        recorder = _Recorder(send)
        try:
            await self._app(scope, receive, recorder.send)
        except Exception:
            # Where the database is what failed, the key becomes free when its time is over.
            with suppress(Exception):
                await self._claims.release(claim)
            raise
        answer = recorder.answer()
        # Stored before it is sent: who has an answer can rely on getting it again.
        if answer is None:
            await self._claims.release(claim)
        else:
            await self._claims.store(claim, answer)
        await recorder.finish()


class _Recorder:
    """Holds an answer back until its last message, or as soon as it comes in parts passes those on."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._held: list[Message] = []
        self._complete = False
        self._chunks: list[bytes] = []
        self._size = 0

    async def send(self, message: Message) -> None:
        """What the application calls."""
        self._held.append(message)
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._keep(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if not self._complete:
            await self.finish()

    async def finish(self) -> None:
        """Send what is held back."""
        held, self._held = self._held, []
        for message in held:
            await self._send(message)

    def answer(self) -> StoredAnswer | None:
        """What to store; None for an answer that is not to be given again."""
        start = self._start
        if start is None or not self._complete or self._size > LARGEST_STORED:
            return None
        status: int = start["status"]
        headers = [(name, value) for name, value in start["headers"] if name not in _NOT_KEPT_HEADERS]
        if status >= 500 or status in _NOT_KEPT or not _is_json(headers, self._size):
            return None
        return StoredAnswer(status, headers, b"".join(self._chunks))

    def _keep(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size <= LARGEST_STORED:
            self._chunks.append(chunk)


def idempotent_id(request: Request) -> UUID:
    """The id for what this request creates: the same one each time it is sent with the same key.

    A request that is sent again after a crash finds what the first one created under this id.
    """
    found: UUID | None = request.scope["state"].get("idempotent_id")
    return found or new_id()


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


async def _answer_again(answer: StoredAnswer, send: Send) -> None:
    headers = [*answer.headers, (b"idempotent-replayed", b"true")]
    if answer.body:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


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
