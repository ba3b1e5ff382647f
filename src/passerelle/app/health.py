"""Health, metrics and the published schema: what the people who run Passerelle ask for."""

from __future__ import annotations

from typing import Final, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field, SecretStr
from starlette.responses import PlainTextResponse

from passerelle.app.metrics import Metrics, require_token
from passerelle.engine import registry
from passerelle.kit.database import Database
from passerelle.kit.errors import Code
from passerelle.kit.http.answers import Answer, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import authorization
from passerelle.kit.http.permissions import Public

_ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#2d56c9"/>'
    '<path d="M4 22h24M7 22a9 9 0 0 1 18 0M12 22v-8M16 22v-9M20 22v-8" fill="none" stroke="#fff" stroke-width="2.4" '
    'stroke-linecap="round"/></svg>'
)

NOT_READY: Final = Code("NOT_READY", 503, "The process cannot serve requests now; the message says why.")


class HealthAnswer(Answer):
    """That a process does what was asked."""

    status: Literal["live", "ready"] = Field(description="What the process is, as the address asks it.")


def router(database: Database, figures: Metrics, token: SecretStr | None) -> APIRouter:
    """`/health/live`, `/health/ready`, `/metrics`, `/schemas/definition.json`.

    token   who may read the metrics
    """
    routes = APIRouter(tags=["Operations"], route_class=ApiRoute)
    schema = json_answer(registry.published_schema())

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

    @routes.get("/metrics", response_class=PlainTextResponse, dependencies=[Public])
    async def metrics(request: Request) -> Response:
        """Prometheus metrics of this process and of the whole installation.

        Needs the token of the setting `PASSERELLE_METRICS_TOKEN` as `Authorization: Bearer …`: no workspace's key may
        read what is about all of them.
        """
        require_token(token, authorization(request.scope))
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
