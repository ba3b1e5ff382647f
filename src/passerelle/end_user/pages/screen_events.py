"""Word of a changed screen, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from fastapi import Request

from passerelle.end_user.session.service import EndUserSessions
from passerelle.links.models import EndUserSession

_WAIT: Final = 5.0
"""Seconds between two signs of life; within so long a closed connection is noticed."""
_ROUNDS: Final = 60
"""After so many the browser asks anew: no connection is kept for ever."""


async def changed(
    request: Request, sessions: EndUserSessions, session: EndUserSession, seq: int
) -> AsyncIterator[bytes]:
    """One event as soon as the screen's number is another than `seq`, then the end. Comments until then."""
    # Answered at once, so that a proxy in between passes the headers on.
    yield b"retry: 1000\n\n"
    for _ in range(_ROUNDS):
        now = await sessions.changed(session.workspace_id, session.execution_id, seq, _WAIT)
        if now != seq:
            yield f"event: screen\ndata: {now}\n\n".encode()
            return
        if await request.is_disconnected():
            return
        yield b": waiting\n\n"
