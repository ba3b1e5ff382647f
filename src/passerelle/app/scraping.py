"""An address of its own for the people who run Passerelle: metrics and health, of `serve` and of `worker`.

It asks for no credentials: whoever may connect to it may read it. Nothing else is answered there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from passerelle.app.metrics import Metrics
from passerelle.app.server import QuietServer
from passerelle.app.sockets import listen
from passerelle.kit.database import Database


@asynccontextmanager
async def scraped(
    address: tuple[str, int] | None, metrics: Metrics, database: Database, stop: asyncio.Event
) -> AsyncIterator[None]:
    """Answer at `address` while the block runs; nowhere where it is None. Raises `CommandError` for one in use.

    stop   is set once the process was told to stop: it is not ready any more
    """
    if address is None:
        yield
        return
    sock = listen(*address, setting="PASSERELLE_METRICS_LISTEN")
    server = QuietServer(
        uvicorn.Config(
            _application(metrics, database, stop), log_config=None, access_log=False, lifespan="off", ws="none",
            server_header=False, limit_concurrency=20, timeout_graceful_shutdown=2,
        )
    )  # fmt: skip
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(TimeoutError):
            await asyncio.wait_for(serving, 5)


def _application(metrics: Metrics, database: Database, stop: asyncio.Event) -> Starlette:
    async def tell(_: Request) -> Response:
        return Response(await metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def live(_: Request) -> Response:
        return PlainTextResponse("live\n")

    async def ready(_: Request) -> Response:
        reason = "the process was told to stop" if stop.is_set() else await database.answers()
        return PlainTextResponse("ready\n") if reason is None else PlainTextResponse(f"{reason}\n", 503)

    return Starlette(
        routes=[Route("/metrics", tell), Route("/health/live", live), Route("/health/ready", ready)],
    )
