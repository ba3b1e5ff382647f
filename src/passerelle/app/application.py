"""The HTTP application: a list of what it serves, without logic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, FastAPI

import passerelle.accounts.endpoints
import passerelle.accounts.key_endpoints
import passerelle.audit.endpoints
import passerelle.conversions.endpoints
import passerelle.dashboard.endpoints
import passerelle.definitions.revisions.endpoints
import passerelle.dev.mailcatcher.endpoints
import passerelle.dev.startpage.endpoints
import passerelle.drafts.endpoints
import passerelle.drafts.try_endpoints
import passerelle.end_user.pages.preview
import passerelle.end_user.pages.routes
import passerelle.end_user.pages.trying
import passerelle.end_user.session.consent_endpoints
import passerelle.end_user.widget.endpoints
import passerelle.events.endpoints
import passerelle.holds.endpoints
import passerelle.links.endpoints
import passerelle.lists.endpoints
import passerelle.operations.endpoints
import passerelle.people.endpoints
import passerelle.people.organization_endpoints
import passerelle.people.provider_endpoints
import passerelle.people.scim_endpoints
import passerelle.publishing.endpoints
import passerelle.quotas.endpoints
import passerelle.retention.endpoints
import passerelle.reviews.endpoints
import passerelle.scenarios.endpoints
import passerelle.secrets.endpoints
import passerelle.sign_in.endpoints
import passerelle.sign_in.passkey_endpoints
import passerelle.sign_in.set_up
import passerelle.templates.endpoints
import passerelle.themes.endpoints
import passerelle.v1.cases.endpoints
import passerelle.v1.deprecations.endpoints
import passerelle.v1.deprecations.guide
import passerelle.views.endpoints
import passerelle.webhooks.endpoints
import passerelle.workflows.comments
import passerelle.workflows.endpoints
import passerelle.workflows.migrations.endpoints
from passerelle.app import health
from passerelle.app.services import Services
from passerelle.app.settings import origins_of
from passerelle.dev.mailcatcher.catcher import MailCatcher
from passerelle.dev.startpage.service import StartPage
from passerelle.end_user.pages.answers import PageAnswers
from passerelle.events.catalogue import openapi_webhooks
from passerelle.kit.http import reference, stack
from passerelle.kit.http.media_types import DeprecationNotice
from passerelle.kit.http.prefix import path_of
from passerelle.kit.version import VERSION
from passerelle.records.routes import routers as record_routers
from passerelle.sign_in.pages import Pages
from passerelle.sign_in.set_up import SetUp
from passerelle.v1.deprecations.guide import GUIDE

V1_DEPRECATED: Final = datetime(2026, 1, 1, tzinfo=UTC)


def create_app(
    services: Services, public_url: str, catcher: MailCatcher | None = None, start: StartPage | None = None
) -> FastAPI:
    """Everything that `passerelle serve` answers; with `catcher` and `start`, what `passerelle dev` shows as well."""
    app = routed(services)
    app.state.public_url = public_url
    shared, people, links = services.shared, services.people, services.links.links
    box, clock, themes = shared.box, shared.clock, shared.themes
    answers = PageAnswers(themes, shared.languages, secure=public_url.startswith("https:"))
    signing_in = Pages(themes, box, people.authenticator)
    set_up = SetUp(people, signing_in, box, clock)
    stack.serve(
        app,
        *passerelle.end_user.pages.routes.routers(
            links, services.end_users, services.agreed, answers, box, clock, public_url
        ),
        passerelle.sign_in.endpoints.router(people, signing_in, clock),
        passerelle.sign_in.set_up.router(set_up),
        passerelle.sign_in.passkey_endpoints.router(people, signing_in, set_up, box),
        passerelle.end_user.widget.endpoints.router(links, answers, clock),
        passerelle.end_user.pages.preview.router(answers, themes),
        passerelle.end_user.pages.trying.router(answers, themes, services.revisions),
        passerelle.dashboard.endpoints.router(),
    )
    if catcher is not None:
        stack.serve(app, passerelle.dev.mailcatcher.endpoints.router(catcher))
    if start is not None:
        stack.serve(app, passerelle.dev.startpage.endpoints.router(start))
    stack.install(
        app,
        authenticator=services.accounts.authenticator,
        database=shared.database,
        box=box,
        deprecation=_deprecation(shared.settings.v1_sunset, public_url),
        gate=services.deprecations,
        auditor=shared.trail,
        prefix=path_of(public_url),
        secure=public_url.startswith("https:"),
        sessions=people.authenticator,
        allowance=shared.quotas,
        clock=clock,
        origins=origins_of(shared.settings.cors_origins),
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
        # Nothing here exports it, and it costs every request some microseconds.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.stopping = False
    app.state.webhooks = openapi_webhooks()
    stack.serve(app, *_routers(services))
    reference.install(app, own=_own_tables(services))
    return app


def _routers(services: Services) -> Iterator[APIRouter]:
    """Every noun's endpoints, in the order of the document. Each is asked in turn: what is called most stands first."""
    shared, links = services.shared, services.links
    cursors, clock = shared.cursors, shared.clock
    yield passerelle.accounts.endpoints.router(services.accounts)
    yield passerelle.accounts.key_endpoints.router(services.accounts, services.granting, cursors, clock)
    yield passerelle.workflows.endpoints.router(
        services.executions, services.execution_operations, links.links, services.cases, cursors
    )
    yield passerelle.links.endpoints.router(links.links, links.listing, services.cases, cursors, clock)
    yield from record_routers(services.records, cursors)
    yield passerelle.v1.cases.endpoints.router(services.cases)
    yield passerelle.v1.deprecations.endpoints.router(services.deprecations, cursors, clock)
    yield passerelle.v1.deprecations.guide.router()
    yield passerelle.workflows.comments.router(services.comments, cursors)
    yield passerelle.reviews.endpoints.router(services.reviews, cursors)
    yield passerelle.lists.endpoints.router(services.lists, services.uses, cursors)
    yield passerelle.drafts.endpoints.router(services.drafts, services.revisions)
    yield passerelle.drafts.try_endpoints.router(services.tries, services.letters)
    yield passerelle.definitions.revisions.endpoints.router(
        services.revisions, services.publishing, services.drafts, cursors
    )
    yield passerelle.templates.endpoints.router()
    yield passerelle.conversions.endpoints.router(shared.workshop)
    yield passerelle.publishing.endpoints.router(services.publishing, cursors)
    yield passerelle.scenarios.endpoints.router(services.revisions, services.scenarios, shared.workshop)
    yield passerelle.workflows.migrations.endpoints.router(services.moves, cursors)
    yield passerelle.people.endpoints.router(services.people)
    yield passerelle.people.organization_endpoints.router(services.people)
    yield passerelle.people.provider_endpoints.router(services.people)
    yield passerelle.people.scim_endpoints.router(services.people)
    yield passerelle.views.endpoints.router(services.views)
    yield passerelle.secrets.endpoints.router(services.secrets, services.uses, cursors)
    yield passerelle.themes.endpoints.router(shared.themes)
    yield passerelle.events.endpoints.router(services.events, cursors, services.webhooks)
    yield passerelle.webhooks.endpoints.router(services.webhooks, cursors)
    yield passerelle.end_user.session.consent_endpoints.router(services.end_users, services.agreed)
    yield passerelle.audit.endpoints.router(shared.trail, cursors)
    yield passerelle.operations.endpoints.router(services.operations)
    yield passerelle.retention.endpoints.router(services.retention)
    yield passerelle.holds.endpoints.router(services.holds, cursors)
    yield passerelle.quotas.endpoints.router(shared.quotas)
    yield health.router(shared.database, services.metrics, shared.settings.metrics_token if shared.settings else None)


def _own_tables(services: Services) -> reference.Own:
    async def added(document: Mapping[str, Any], workspace_id: UUID) -> Mapping[str, Any]:
        return await services.records.own_tables.added_to(document, workspace_id)

    return added


def _deprecation(sunset: str | None, public_url: str) -> DeprecationNotice:
    return DeprecationNotice(
        since=V1_DEPRECATED,
        explained_at=public_url + GUIDE,
        sunset=datetime.fromisoformat(sunset).replace(tzinfo=UTC) if sunset else None,
    )
