"""Metrics over OTLP, to the collector that traces go to: what `/metrics` tells, sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing

import structlog

from passerelle.app.foundation import beside
from passerelle.app.metrics import Metrics
from passerelle.kit.repeating import repeat
from passerelle.kit.tracing import LEAVING

log = structlog.get_logger("passerelle.exporting")


@asynccontextmanager
async def exported(url: str | None, metrics: Metrics) -> AsyncIterator[None]:
    """Send metrics while the block runs, and once at its end; nowhere where `url` is None.

    url   the collector's, without `/v1/metrics`, where traces are written already

    A collector that is away is told in the log, once until it is there again, and holds nothing up but the end of the
    block, for `LEAVING` seconds. Raises `CommandError` for a time between two sendings that is none.
    """
    if url is None:
        yield
        return
    from passerelle.kit.otlp import MetricsSender, every  # noqa: PLC0415 - loaded only where metrics are sent

    seconds = every()
    with closing(MetricsSender(url)) as sender:

        async def send() -> None:
            await sender.send(await metrics.families())

        try:
            async with beside(repeat("metrics.export", seconds, send)):
                yield
        finally:
            await _last(send)


async def _last(send: Callable[[], Awaitable[None]]) -> None:
    """Whatever it fails with, the process ends in order."""
    try:
        async with asyncio.timeout(LEAVING):
            await send()
    except Exception as error:
        log.warning("metrics.last_not_sent", error=repr(error))
