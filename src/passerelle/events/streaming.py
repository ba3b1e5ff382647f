"""Events as they come, for browsers: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

A stream is a reader of `Events` that goes on by itself. It ends after some minutes: whoever reads connects again with
the `Last-Event-ID` that it has, which asks for the credentials anew.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final
from uuid import UUID

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from passerelle.events.models import Event, EventPosition
from passerelle.events.service import Events
from passerelle.kit.errors import Code

EVENT_STREAMS_TOO_MANY: Final = Code(
    "EVENT_STREAMS_TOO_MANY",
    429,
    "Too many streams of events are open. Close some, or wait as long as `Retry-After` says.",
)

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT: Final = 15.0
"""Seconds after which a silent stream says that it is there; proxies cut what is silent for a minute."""
LONGEST: Final = 300.0
"""Seconds that a stream lasts."""
MOST: Final = 1_000
"""Streams of one process."""
MOST_OF_ONE: Final = 30
"""Streams of one person or key: as many as it has tabs."""
_AGAIN: Final = 2_000
"""Milliseconds after which a browser connects again."""
_AT_ONCE: Final = 200


class Streams:
    """The open streams of this process."""

    def __init__(self, events: Events, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._events = events
        self._most = most
        self._most_of_one = most_of_one
        self._open: Counter[UUID] = Counter()

    def require_place(self, caller_id: UUID) -> None:
        """Raises EVENT_STREAMS_TOO_MANY where there is no place for one more."""
        if self._open[caller_id] < self._most_of_one and self._open.total() < self._most:
            return
        raise EVENT_STREAMS_TOO_MANY.error(
            f"{self._open[caller_id]} streams of events are open for you, and {self._open.total()} at this server: "
            "close some, or read `GET /events` with `wait`",
            headers={"Retry-After": "30"},
        )

    @contextmanager
    def place(self, caller_id: UUID) -> Iterator[None]:
        """One stream more, while the context lasts."""
        self._open[caller_id] += 1
        try:
            yield
        finally:
            self._open[caller_id] -= 1
            self._open += Counter()  # forgets those who have none

    async def read(
        self,
        workspace_id: UUID,
        position: EventPosition,
        types: Sequence[str],
        *,
        shown: Callable[[Event], object],
        cursor: Callable[[EventPosition], str],
        heartbeat: float = HEARTBEAT,
        longest: float = LONGEST,
    ) -> AsyncIterator[bytes]:
        """The events after `position` as they come, each with the cursor behind it as its id."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + longest
        # The first words at once: the browser learns that it is connected, and has a place to go on from.
        yield f"retry: {_AGAIN}\nid: {cursor(position)}\n\n".encode()
        here = position
        while (left := ends - loop.time()) > 0 and not self._events.ending:
            excerpt = await self._events.read(workspace_id, here, types, _AT_ONCE, min(heartbeat, left))
            if not excerpt.events:
                yield b": here\n\n"
            for event in excerpt.events:
                yield b"id: %s\ndata: %s\n\n" % (cursor(event.position).encode(), orjson.dumps(shown(event)))
            here = excerpt.position


class StreamAnswer(StreamingResponse):
    """An answer that goes on; it has a place among the open streams for as long as it is sent."""

    media_type = MEDIA_TYPE

    def __init__(self, parts: AsyncIterator[bytes], place: AbstractContextManager[None]) -> None:
        # Proxies must hand on each part as it comes.
        super().__init__(parts, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what comes, until it ends or nobody reads it any more."""
        with self._place:
            await super().__call__(scope, receive, send)
