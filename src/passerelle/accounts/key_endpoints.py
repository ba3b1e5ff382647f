"""Keys over HTTP: what services act with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from passerelle.accounts.errors import KEY_TERMS_INVALID
from passerelle.accounts.grant_schemas import GrantAnswer, Things
from passerelle.accounts.key_schemas import KeyAnswer, KeyBody, NewKeyAnswer, key_answer
from passerelle.accounts.key_terms import (
    checked_expiry,
    checked_key_roles,
    checked_networks,
    checked_permissions,
    gathered,
    nothing_given,
)
from passerelle.accounts.models import KeyTerms, NewKey
from passerelle.accounts.service import Accounts
from passerelle.kit.clock import Clock
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import JsonBody
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Cursors, Limit, Page
from passerelle.kit.http.permissions import Requires

Manages = Annotated[Principal, Requires("can_manage_keys")]
Changes = Annotated[Principal, Requires("can_manage_keys", fresh=True)]


def router(accounts: Accounts, things: Things, cursors: Cursors, clock: Clock) -> APIRouter:
    """Everything under `/keys`."""
    routes = APIRouter(tags=["Credentials"], route_class=ApiRoute)

    @routes.get("/keys")
    async def list_keys(caller: Manages, limit: Limit = DEFAULT_LIMIT, after: After = None) -> Page[KeyAnswer]:
        """The workspace's keys and organization tokens that are not revoked, the newest first, without secrets."""
        bound_to = ["keys", str(caller.workspace_id)]
        before = cursors.id_of(after, bound_to)
        found = await accounts.keys(caller.workspace_id, before, limit + 1)
        shown, following = cursors.cut(found, limit, bound_to, lambda one: {"id": one.key.id})
        grants = await things.answers(caller.workspace_id, {str(one.key.id): one.key.granted for one in shown})
        data = [key_answer(one, grants[str(one.key.id)]) for one in shown]
        return Page[KeyAnswer](data=data, next=following)

    @routes.post("/keys", status_code=201)
    async def create_key(caller: Changes, body: JsonBody[KeyBody]) -> NewKeyAnswer:
        """Make a key for a service. Its secret is in this answer alone.

        Two keys may be in use at once: to rotate one, make the next, let the service use it, revoke the first.
        """
        wrong: list[Problem] = []
        with gathered(wrong):
            permissions = checked_permissions(caller, body.permissions)
        with gathered(wrong):
            roles = checked_key_roles(caller, body.roles)
        with gathered(wrong):
            expires_at = checked_expiry(body.expires_at, clock())
        with gathered(wrong):
            networks = checked_networks(body.networks)
        if wrong:
            raise PasserelleError(KEY_TERMS_INVALID.status, wrong)
        granted = await things.resolved(caller.workspace_id, body.grants, permissions)
        checked_permissions(caller, [name for one in granted for name in one.permissions], "/grants")
        if not permissions and not granted:
            raise nothing_given()
        terms = KeyTerms(
            permissions=permissions,
            granted=granted,
            expires_at=expires_at,
            networks=networks,
            made_by=caller.name,
            made_by_user=caller.person,
        )
        make = accounts.create_key if body.kind == "pair" else accounts.create_token
        made = await make(caller.workspace_id, body.name, body.api_version, roles, terms)
        shown = await things.answers(caller.workspace_id, {"": granted})
        return _new(made, body, terms, roles, shown[""], clock())

    @routes.delete("/keys/{key_id}", status_code=204)
    async def revoke_key(caller: Changes, key_id: Annotated[UUID, Path(description="The key's id")]) -> None:
        """End a key and every token got with it: every process refuses it within two seconds."""
        await accounts.require_revoked(caller.workspace_id, key_id)

    return routes


def _new(
    made: NewKey, body: KeyBody, terms: KeyTerms, roles: Sequence[str], grants: list[GrantAnswer], now: datetime
) -> NewKeyAnswer:
    return NewKeyAnswer(
        id=made.id,
        name=body.name,
        kind=body.kind,
        prefix=(made.key or made.secret)[:8],
        permissions=sorted(terms.permissions),
        grants=grants,
        api_version=body.api_version,
        roles=list(roles),
        networks=list(terms.networks),
        created_at=now,
        expires_at=terms.expires_at,
        last_used_at=None,
        made_by=terms.made_by,
        key=made.key or None,
        secret=made.secret,
    )
