"""The HTTP application: a list of what it serves, without logic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import FastAPI

import passerelle.accounts.endpoints
import passerelle.cases.endpoints
import passerelle.deprecations.endpoints
import passerelle.deprecations.guide
import passerelle.events.endpoints
import passerelle.executions.endpoints
import passerelle.executions.moves.endpoints
import passerelle.links.endpoints
import passerelle.lists.endpoints
import passerelle.mailcatcher.endpoints
import passerelle.pages.routes
import passerelle.reviews.endpoints
import passerelle.revisions.endpoints
import passerelle.secrets.endpoints
import passerelle.startpage.endpoints
import passerelle.themes.endpoints
import passerelle.webhooks.endpoints
import passerelle.widget.endpoints
from passerelle import operations
from passerelle.deprecations.guide import GUIDE
from passerelle.events.catalogue import openapi_webhooks
from passerelle.kit.clock import system_clock
from passerelle.kit.http import reference, stack
from passerelle.kit.http.media_types import DeprecationNotice
from passerelle.mailcatcher.catcher import MailCatcher
from passerelle.pages.answers import Answers
from passerelle.records.routes import routers as record_routers
from passerelle.startpage.service import StartPage
from passerelle.version import VERSION
from passerelle.wiring import Services

PUBLIC: Final[tuple[str, ...]] = (
    "/",
    "/auth/",
    "/health/",
    "/.well-known/",
    "/docs",
    "/docs/",
    "/openapi.json",
    "/schemas/",
    "/files/",
    "/favicon.ico",
    *passerelle.themes.endpoints.PUBLIC,
    *passerelle.pages.routes.PUBLIC,
    *passerelle.widget.endpoints.PUBLIC,
)
"""Paths that need no credentials; `/auth/` and the like stand for everything below."""

V1_DEPRECATED: Final = datetime(2026, 1, 1, tzinfo=UTC)


def create_app(
    services: Services, public_url: str, catcher: MailCatcher | None = None, start: StartPage | None = None
) -> FastAPI:
    """Everything that `passerelle serve` answers; with `catcher` and `start`, what `passerelle dev` shows as well."""
    app = routed(services)
    public = PUBLIC
    pages = passerelle.pages.routes.routers(
        services.links, services.visitor, services.themes, services.box, system_clock, public_url
    )
    for router in pages:
        app.include_router(router)
    answers = Answers(services.themes, secure=public_url.startswith("https:"))
    app.include_router(passerelle.widget.endpoints.router(services.links, answers))
    if catcher is not None:
        app.include_router(passerelle.mailcatcher.endpoints.router(catcher))
        public += passerelle.mailcatcher.endpoints.PUBLIC
    if start is not None:
        app.include_router(passerelle.startpage.endpoints.router(start))
        public += passerelle.startpage.endpoints.PUBLIC
    stack.install(
        app,
        authenticator=services.accounts.authenticator,
        public=public,
        database=services.database,
        box=services.box,
        deprecation=_deprecation(services, public_url),
        gate=services.deprecations,
    )
    return app


def routed(services: Services) -> FastAPI:
    """The application's endpoints, without what stands in front of them."""
    app = FastAPI(
        title="Passerelle",
        version=VERSION,
        summary="Self-hosted onboarding workflows",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.include_router(passerelle.accounts.endpoints.router(services.accounts))
    app.include_router(
        passerelle.executions.endpoints.router(services.executions, services.links, services.cases, services.cursors)
    )
    app.include_router(passerelle.cases.endpoints.router(services.cases))
    app.include_router(passerelle.deprecations.endpoints.router(services.deprecations, services.cursors, system_clock))
    app.include_router(passerelle.deprecations.guide.router())
    app.include_router(
        passerelle.links.endpoints.router(
            services.links, services.link_list, services.cases, services.cursors, system_clock
        )
    )
    app.include_router(passerelle.reviews.endpoints.router(services.reviews, services.cursors))
    app.include_router(passerelle.lists.endpoints.router(services.lists, services.cursors))
    app.include_router(passerelle.revisions.endpoints.router(services.revisions, services.cursors))
    app.include_router(passerelle.executions.moves.endpoints.router(services.moves, services.cursors))
    for router in record_routers(services.records, services.cursors):
        app.include_router(router)
    app.include_router(passerelle.secrets.endpoints.router(services.secrets, services.cursors))
    app.include_router(passerelle.themes.endpoints.router(services.themes))
    app.include_router(passerelle.events.endpoints.router(services.events, services.cursors, services.webhooks))
    app.include_router(passerelle.webhooks.endpoints.router(services.webhooks, services.cursors))
    app.state.webhooks = openapi_webhooks()
    app.include_router(operations.router(services.database))
    reference.install(app, own=_own_tables(services))
    return app


def _own_tables(services: Services) -> reference.Own:
    async def added(document: Mapping[str, Any], workspace_id: UUID) -> Mapping[str, Any]:
        return await services.records.own_tables.added_to(document, workspace_id)

    return added


def _deprecation(services: Services, public_url: str) -> DeprecationNotice:
    sunset = services.settings.v1_sunset
    return DeprecationNotice(
        since=V1_DEPRECATED,
        explained_at=public_url + GUIDE,
        sunset=datetime.fromisoformat(sunset).replace(tzinfo=UTC) if sunset else None,
    )
