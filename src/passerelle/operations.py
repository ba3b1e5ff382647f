"""Health, metrics and the published schema: what the people who run Passerelle ask for."""

from __future__ import annotations

from typing import Final

import asyncpg
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from prometheus_client.process_collector import ProcessCollector

from passerelle.definitions.schema import definition_schema
from passerelle.engine.registry import load_kinds
from passerelle.errors import Code
from passerelle.kit.database import Database
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import principal

_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2d56c9"/>'
    '<path d="M4 22h24M7 22a9 9 0 0 1 18 0M12 22v-8M16 22v-9M20 22v-8" fill="none" stroke="#fff" stroke-width="2.4" '
    'stroke-linecap="round"/></svg>'
)

NOT_READY: Final = Code("NOT_READY", 503, "The process cannot serve requests now; the message says why.")


def router(database: Database) -> APIRouter:
    """`/health/live`, `/health/ready`, `/metrics`, `/schemas/definition.json`."""
    routes = APIRouter(tags=["Operations"], route_class=ApiRoute)
    schema = json_answer(definition_schema(load_kinds()))
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    executions = Gauge("passerelle_executions", "Executions that have not ended", ["status"], registry=registry)
    queued = Gauge("passerelle_jobs", "Jobs in the queue", ["status"], registry=registry)
    webhooks = {
        "pending": Gauge("passerelle_webhook_deliveries_pending", "Webhooks on their way", registry=registry),
        "overdue_seconds": Gauge(
            "passerelle_webhook_overdue_seconds",
            "How long the oldest webhook that is due has waited",
            registry=registry,
        ),
        "failing": Gauge("passerelle_webhook_endpoints_failing", "Active endpoints that fail", registry=registry),
        "disabled": Gauge("passerelle_webhook_endpoints_disabled", "Endpoints that were disabled", registry=registry),
    }
    attempts = Gauge(
        "passerelle_webhook_attempts", "Attempts at the endpoints that there are", ["outcome"], registry=registry
    )
    stranded = Gauge(
        "passerelle_executions_stranded", "Executions that a job should stand for and none does", registry=registry
    )

    deprecated = Gauge(
        "passerelle_deprecated_uses",
        "Requests to a version that is going away, in the last 400 days",
        ["endpoint", "version"],
        registry=registry,
    )

    @routes.get("/health/live")
    async def live() -> Response:
        """Whether the process runs."""
        return json_answer({"status": "live"})

    @routes.get("/health/ready")
    async def ready() -> Response:
        """Whether the process can serve requests: the database answers."""
        try:
            async with database.shared() as connection:
                await connection.fetchval("SELECT 1")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NOT_READY.error("the database does not answer") from error
        return json_answer({"status": "ready"})

    @routes.get("/metrics")
    async def metrics(request: Request) -> Response:
        """Prometheus metrics of the whole installation. Needs credentials."""
        await principal(request)
        async with database.shared() as connection:
            hooks = await connection.fetchrow("SELECT * FROM webhook_counts(now())")
            counts = await connection.fetch("SELECT * FROM execution_counts()")
            uses = await connection.fetch("SELECT * FROM deprecated_counts()")
            jobs = await connection.fetch("SELECT status, count(*) AS jobs FROM pgqueuer GROUP BY status")
            lost = await connection.fetch(
                "SELECT id FROM stranded_executions('1 minute', 1000) "
                "UNION ALL SELECT id FROM stranded_children('1 minute', 1000)"
            )
        for gauge, rows, column in ((executions, counts, "executions"), (queued, jobs, "jobs")):
            gauge.clear()
            for row in rows:
                gauge.labels(row["status"]).set(row[column])
        deprecated.clear()
        for row in uses:
            deprecated.labels(row["endpoint"], str(row["version"])).set(row["uses"])
        stranded.set(len(lost))
        for name, webhook_gauge in webhooks.items():
            webhook_gauge.set(hooks[name])
        for outcome in ("succeeded", "failed"):
            attempts.labels(outcome).set(hooks[outcome])
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        """A footbridge, which browsers ask for."""
        return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})

    @routes.get("/schemas/definition.json")
    async def published_schema() -> Response:
        """The JSON Schema of the definition language, for editors."""
        return schema

    return routes
