"""No endpoint can forget to say who may call it."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from passerelle.accounts.permissions import PERMISSIONS
from passerelle.app.application import create_app
from passerelle.app.foundation import Foundation
from passerelle.app.services import Services
from passerelle.app.settings import Settings
from passerelle.dev.mailcatcher.catcher import MailCatcher
from passerelle.dev.startpage.service import StartPage
from passerelle.kit.grants import VIEW
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import why_unaudited
from passerelle.kit.http.permissions import is_public, needs_no_permission, required_permission
from passerelle.kit.secrets import SecretBox


def application() -> FastAPI:
    """The whole of it over nothing, the pages of end users and of `passerelle dev` included."""
    nothing = SimpleNamespace(**dict.fromkeys(Services.__dataclass_fields__))
    nothing.shared = SimpleNamespace(**dict.fromkeys(Foundation.__dataclass_fields__))
    nothing.shared.settings = Settings()
    nothing.shared.box = SecretBox(["a-key-for-tests-of-thirty-two-characters"])
    nothing.accounts = SimpleNamespace(authenticator=None)
    nothing.links = SimpleNamespace(links=SimpleNamespace(handovers=None, copies=None), listing=None)
    nothing.people = SimpleNamespace(authenticator=SimpleNamespace(secure=False, form_cookie="f"))
    return create_app(
        cast("Services", nothing), "http://passerelle.test", cast("MailCatcher", object()), cast("StartPage", object())
    )


def endpoints() -> list[Any]:
    """Every route."""
    return list(iter_route_contexts(application().routes))


@pytest.mark.parametrize("route", endpoints(), ids=lambda route: f"{'|'.join(sorted(route.methods))} {route.path}")
def test_every_endpoint_declares_its_permission_or_that_it_is_public(route: Any) -> None:
    assert isinstance(route.original_route, APIRoute), "made by hand: nobody can tell who may call it"
    permission = required_permission(route.endpoint, route.dependencies)
    public = is_public(route.endpoint, route.dependencies)

    identified = needs_no_permission(route.endpoint, route.dependencies)

    assert [permission is not None, public, identified].count(True) == 1, "say `Requires`, `Identified` or `Public`"
    assert permission is None or permission.permission in PERMISSIONS
    if permission is not None and permission.permission != VIEW:
        assert permission.of in (None, *PERMISSIONS[permission.permission].of), "no grant can be on such things"


UNAUDITED = {
    "runWorkflow",
    "runWorkflowForCase",
    "startWorkflow",
    "sendEvent",
    "keepParameters",
    "chooseWorkspace",
    "enterOrganization",
    "discoverIdentityProvider",
    "previewErasure",
    "previewRetention",
    "testDefinition",
    "convertFile",
    "testDefinitionText",
    "checkDefinition",
    "evaluateExpression",
    "previewLetter",
    "createDraft",
    "changeDraft",
    "deleteDraft",
    "meetAtDraft",
    "leaveDraft",
    "previewStep",
}
"""What changes something and is not in the audit: each says why where it stands."""
PAGES = ("/x/", "/l/", "/h/", "/r/", "/sign-in", "/sign-out", "/forgot", "/reset/", "/invitation/", "/set-up", "/dev/", "/auth/", "/w/", "/docs")  # fmt: skip
"""Where nobody is known yet, or an end user: what happens there is written by its service, or by its execution."""


def changing() -> list[Any]:
    return [route for route in endpoints() if route.methods & {"POST", "PUT", "PATCH", "DELETE"}]


@pytest.mark.parametrize("route", changing(), ids=lambda route: f"{'|'.join(sorted(route.methods))} {route.path}")
def test_every_endpoint_that_changes_something_is_audited_or_says_why_not(route: Any) -> None:
    endpoint = route.original_route
    if not isinstance(endpoint, ApiRoute) or not endpoint.asks_caller:
        assert route.path.startswith(PAGES), "serve it by `ApiRoute`, which audits it"
        return
    assert (endpoint.operation_id in UNAUDITED) == (why_unaudited(endpoint.endpoint) is not None)
    if endpoint.audited is not None:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", endpoint.audited.object_kind), (
            "the audit has no word for what its path leads to"
        )


OPEN = {
    "POST /auth/authorize",
    "POST /auth/refresh",
    "POST /dev/try/{definition_id}",
    "POST /docs",
    "POST /forgot",
    "POST /h/{secret}",
    "POST /invitation/{secret}",
    "POST /l/{secret}/challenge",
    "POST /l/{secret}/code",
    "POST /l/{secret}/start",
    "POST /reset/{secret}",
    "POST /set-up/begin",
    "POST /set-up/confirm",
    "POST /set-up/off",
    "POST /set-up/passkey",
    "POST /set-up/passkey/begin",
    "POST /set-up/remove",
    "POST /sign-in",
    "POST /sign-in/code",
    "POST /sign-in/organization",
    "POST /sign-in/passkey",
    "POST /sign-in/passkey/begin",
    "POST /sign-out",
    "POST /w/{workspace_id}/open",
    "POST /x/{execution_id}/{step}/{number}",
    "POST /x/{execution_id}/{step}/{number}/check",
    "POST /x/{execution_id}/{step}/{number}/draft",
    "POST /x/{execution_id}/{step}/{number}/files",
    "PUT /x/{execution_id}/{step}/{number}/files",
}
"""What looks by itself at who sends it: the ways in, which are documented, and pages. A new one is added on purpose."""


def test_what_takes_something_from_nobody_is_known() -> None:
    found = {
        f"{method} {route.path}"
        for route in changing()
        for method in route.methods & {"POST", "PUT", "PATCH", "DELETE"}
        if is_public(route.endpoint, route.dependencies)
    }
    assert found == OPEN


def test_there_is_no_mode_that_shows_more_of_an_error() -> None:
    assert application().debug is False
    assert not [name for name in Settings.model_fields if "debug" in name]
