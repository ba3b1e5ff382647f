"""One attempt at one delivery: what is sent, and what the answer means."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import orjson
import structlog

from passerelle.accounts.models import SigningKey
from passerelle.events.models import Event, body_of
from passerelle.kit import tracing
from passerelle.kit.clock import Clock, iso
from passerelle.kit.json import JsonObject
from passerelle.kit.metrics import counter, seconds
from passerelle.kit.outgoing import OutgoingAnswer, OutgoingError
from passerelle.kit.retry_after import retry_after
from passerelle.kit.secrets import SecretBox
from passerelle.webhooks.models import AttemptOutcome, Claimed
from passerelle.webhooks.schedule import next_attempt
from passerelle.webhooks.signing import signed_headers

log = structlog.get_logger("passerelle.webhooks")

_attempts: Final = counter("webhook_attempts", "Attempts at deliveries: `succeeded` or `failed`", "outcome")
_attempt_took: Final = seconds("webhook_attempt_duration", "How long an attempt at a delivery took")

TIMEOUT_SECONDS: Final = 10.0
KEPT_BYTES: Final = 4_096
"""Of an answer's body, in the log."""
_KEPT_HEADERS: Final = 50
_GONE: Final = 410


class Sender(Protocol):
    """What `passerelle.kit.outgoing.client` does for us."""

    async def request_status(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout_seconds: float,
        max_bytes: int,
    ) -> OutgoingAnswer:
        """Send, and return the status with the beginning of the body. Raises an `OutgoingError`."""


class Keys(Protocol):
    """What `passerelle.accounts.signing_keys` does for us."""

    async def of_workspace(self, workspace_id: UUID) -> SigningKey:
        """What the workspace signs with now."""


class Fields(Protocol):
    """What `passerelle.records.shown` does for us."""

    async def of(
        self, workspace_id: UUID, record_id: UUID, names: Collection[str], classes: Collection[str]
    ) -> JsonObject:
        """A record's values of those of these fields that carry no personal data of another class."""


class Traces(Protocol):
    """What `passerelle.engine.runner` does for us."""

    async def trace(self, workspace_id: UUID, execution_id: UUID) -> str | None:
        """The trace in which an execution was last written."""


class DeliverySender:
    """Makes attempts. Signs anew each time: the time is part of what is signed."""

    def __init__(
        self,
        sender: Sender,
        keys: Keys,
        fields: Fields,
        box: SecretBox,
        clock: Clock,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        traces: Traces | None = None,
    ) -> None:
        self._sender = sender
        self._keys = keys
        self._fields = fields
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._traces = traces
        self._decrypt = lru_cache(maxsize=4_096)(box.decrypt)

    async def make(self, claimed: Claimed) -> AttemptOutcome:
        """Send a delivery once. Never raises: whatever goes wrong is an outcome."""
        if not tracing.is_on():
            return await self._make(claimed)
        with tracing.span("webhook", parent=await self._trace(claimed), facts={"passerelle.event": claimed.event.type}):
            return await self._make(claimed)

    async def _trace(self, claimed: Claimed) -> str | None:
        """That of the execution that the event is about, if it is about one."""
        execution_id = claimed.event.data.get("workflowId")
        if self._traces is None or execution_id is None:
            return None
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return await self._traces.trace(claimed.event.workspace_id, UUID(execution_id))
        return None

    async def _make(self, claimed: Claimed) -> AttemptOutcome:
        started_at, began = self._clock(), asyncio.get_running_loop().time()
        answer: OutgoingAnswer | None = None
        error: str | None = None
        try:
            answer = await self._send(claimed, started_at)
        except OutgoingError as failed:
            error = failed.message
        except Exception as failed:
            log.exception("webhook.cannot_send", delivery=str(claimed.id), endpoint=str(claimed.endpoint_id))
            error = f"The delivery could not be made ({type(failed).__name__}): the server's log says more."
        took = timedelta(seconds=asyncio.get_running_loop().time() - began)
        outcome = judged(claimed, answer, error, started_at, took, self._clock())
        _attempts.labels("succeeded" if outcome.delivered else "failed").inc()
        _attempt_took.observe(took.total_seconds())
        return outcome

    async def _send(self, claimed: Claimed, now: datetime) -> OutgoingAnswer:
        body = body_of(await self._filled_in(claimed), claimed.api_version)
        key = await self._keys.of_workspace(claimed.event.workspace_id)
        secrets = [self._decrypt(secret).decode() for secret in claimed.secrets]
        extra: dict[str, str] = orjson.loads(self._decrypt(claimed.headers))
        return await self._sender.request_status(
            "POST",
            claimed.url,
            headers={**extra, **signed_headers(body, claimed.event.id, now, key, secrets)},
            content=body,
            timeout_seconds=self._timeout_seconds,
            max_bytes=KEPT_BYTES,
        )

    async def _filled_in(self, claimed: Claimed) -> Event:
        """The event with the fields that the endpoint asked for. They are read now and stored nowhere else."""
        record_id = claimed.event.data.get("recordId")
        if not claimed.fields or record_id is None:
            return claimed.event
        values = await self._fields.of(claimed.event.workspace_id, UUID(record_id), claimed.fields, claimed.pii)
        return replace(claimed.event, data={**claimed.event.data, "fields": values})


def judged(
    claimed: Claimed,
    answer: OutgoingAnswer | None,
    error: str | None,
    started_at: datetime,
    took: timedelta,
    ended_at: datetime,
) -> AttemptOutcome:
    """What an attempt means: any 2xx is a success, everything else is tried again while the schedule allows."""
    if answer is None:
        again = next_attempt(claimed.tries + 1, ended_at, None)
        return AttemptOutcome(claimed, started_at, took, delivered=False, next_attempt_at=again, error=error)
    delivered = 200 <= answer.status < 300
    asked = retry_after(answer.headers.get("retry-after"), ended_at)
    again = None if delivered else next_attempt(claimed.tries + 1, ended_at, asked)
    return AttemptOutcome(
        claimed,
        started_at,
        took,
        delivered=delivered,
        next_attempt_at=again,
        gone=answer.status == _GONE,
        status=answer.status,
        headers=_kept(answer.headers),
        body=answer.body.decode("utf-8", "replace").replace("\0", "\ufffd"),
        error=None if delivered else _explained(answer.status, again if asked else None),
    )


def _explained(status: int, asked: datetime | None) -> str:
    """What the answer means; `asked`: when to try again, where it says how long to wait."""
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed, so change the endpoint's URL to where it leads."
    if status == _GONE:
        return "It answered 410, which says that nobody listens there any more: the endpoint was disabled."
    if asked is not None:
        return f"It answered {status} with Retry-After: the event is not sent again before {iso(asked)}."
    return f"It answered {status}: only 2xx says that the event was received."


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """An answer's headers as the log keeps them. Cookies are none of our business."""
    kept = [(name, value) for name, value in headers.items() if name != "set-cookie"]
    return {name: value[:1_000].replace("\0", "\ufffd") for name, value in kept[:_KEPT_HEADERS]}
