"""Health, metrics and the published schema: what the people who run Passerelle ask for."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field
from starlette.responses import PlainTextResponse

from passerelle.app.metrics import Metrics
from passerelle.definitions.schema import definition_schema
from passerelle.engine.registry import load_kinds
from passerelle.kit.clock import SharedClock
from passerelle.kit.database import Database
from passerelle.kit.errors import Code
from passerelle.kit.http.answers import Answer, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import Public, Requires
from passerelle.kit.loop_watch import LoopWatch
from passerelle.quotas.service import WorkspaceQuotas

_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2d56c9"/>'
    '<path d="M4 22h24M7 22a9 9 0 0 1 18 0M12 22v-8M16 22v-9M20 22v-8" fill="none" stroke="#fff" stroke-width="2.4" '
    'stroke-linecap="round"/></svg>'
)

NOT_READY: Final = Code("NOT_READY", 503, "The process cannot serve requests now; the message says why.")


class HealthAnswer(Answer):
    """That a process does what was asked."""

    status: Literal["live", "ready"] = Field(description="What the process is, as the address asks it.")


def router(database: Database, clock: SharedClock, quotas: WorkspaceQuotas, watch: LoopWatch | None) -> APIRouter:
    """`/health/live`, `/health/ready`, `/metrics`, `/schemas/definition.json`."""
    routes = APIRouter(tags=["Operations"], route_class=ApiRoute)
    schema = json_answer(definition_schema(load_kinds()))
    figures = Metrics(database, clock, quotas, watch)

    @routes.get("/health/live", dependencies=[Public])
    async def live() -> HealthAnswer:
        """Whether the process runs."""
        return HealthAnswer(status="live")

    @routes.get("/health/ready", dependencies=[Public])
    async def ready(request: Request) -> HealthAnswer:
        """Whether the process can serve requests: the database answers, and nobody has told it to stop."""
        if request.app.state.stopping:
            raise NOT_READY.error("the process was told to stop: send requests to another one")
        if (reason := await database.answers()) is not None:
            raise NOT_READY.error(reason)
        return HealthAnswer(status="ready")

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def metrics(caller: Annotated[Principal, Requires("can_view_workspace")]) -> Response:
        """Prometheus metrics of the whole installation. Needs credentials."""
        return Response(await figures.text(), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/favicon.ico", dependencies=[Public], include_in_schema=False)
    async def icon() -> Response:
        """A footbridge, which browsers ask for."""
        return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})

    @routes.get("/schemas/definition.json", dependencies=[Public])
    async def published_schema() -> Response:
        """The JSON Schema of the definition language, for editors."""
        return schema

    return routes
