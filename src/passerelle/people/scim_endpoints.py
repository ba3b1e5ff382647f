"""Provisioning over HTTP: SCIM 2.0 below `/scim/v2`, and what groups give."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import Field

from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody, receive_body
from passerelle.kit.http.permissions import Requires, require
from passerelle.kit.ids import parse_id
from passerelle.people.errors import WORKSPACE_NOT_FOUND
from passerelle.people.models import SCIM, UserGroup
from passerelle.people.services import PeopleServices
from passerelle.people.workspace_schemas import WorkspaceRoleAnswer, WorkspaceRoleBody

Provisions = Annotated[Principal, Requires("can_manage_users")]
UserId = Annotated[str, Path(description="The user's id")]
GroupId = Annotated[str, Path(description="The group's id")]

MEDIA_TYPE = "application/scim+json"
_LARGEST = 1_000_000
_SHOWS: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}}
_MAKES: dict[int | str, dict[str, Any]] = {201: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}}
_TAKES: dict[str, Any] = {"requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}}
_COUNTED = {"type": "integer", "maximum": 2**31 - 1}
_ASKED: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
        for name, text, schema in (
            ("filter", 'Such as `userName eq "anna@example.com"`', {"type": "string"}),
            ("startIndex", "The first one, from 1", _COUNTED),
            ("count", "The most that one page has", _COUNTED),
        )
    ]
}


class GroupAnswer(Answer):
    """A group of an identity provider, and what it gives."""

    id: UUID
    """The group's id."""
    name: str
    """What the provider calls it."""
    members: int = Field(description="How many users are in it.")
    role_id: str | None = Field(description="The role in the organization that it gives; null for none.")
    workspaces: list[WorkspaceRoleAnswer]
    """The roles in workspaces that it gives."""


class GroupList(Answer):
    """Every group of the organization."""

    data: list[GroupAnswer] = Field(description="By name.")


class GroupRolesBody(Body):
    """What a group gives."""

    role_id: str | None = Field(default=None, max_length=64, description="`admin`, `member` or null.")
    workspaces: list[WorkspaceRoleBody] = Field(default_factory=list, max_length=100)
    """The roles in workspaces."""


def router(people: PeopleServices) -> APIRouter:
    """Everything under `/scim/v2`, and `/organizations/groups`."""
    routes = APIRouter(tags=["Provisioning"], route_class=ApiRoute, dependencies=[Depends(_loaded)])
    _discovery(routes)
    _users(routes, people)
    _groups(routes, people)
    _given(routes, people)
    return routes


def _discovery(routes: APIRouter) -> None:
    @routes.get(f"{SCIM}/ServiceProviderConfig", responses=_SHOWS, response_class=Response)
    async def read_scim_configuration(caller: Provisions) -> Response:
        """What of SCIM 2.0 is spoken here."""
        return _shown((await _loaded()).configuration())

    @routes.get(f"{SCIM}/ResourceTypes", responses=_SHOWS, response_class=Response)
    async def list_scim_resource_types(caller: Provisions) -> Response:
        """The kinds of resources: users and groups."""
        return _shown((await _loaded()).resource_types())

    @routes.get(f"{SCIM}/Schemas", responses=_SHOWS, response_class=Response)
    async def list_scim_schemas(caller: Provisions) -> Response:
        """What users and groups have."""
        return _shown((await _loaded()).schemas())


def _users(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get(f"{SCIM}/Users", responses=_SHOWS, response_class=Response, openapi_extra=_ASKED)
    async def list_scim_users(request: Request, caller: Provisions) -> Response:
        """The organization's users."""
        return await _answered(people.scim.users(caller.organization, dict(request.query_params)))

    @routes.post(f"{SCIM}/Users", status_code=201, responses=_MAKES, response_class=Response, openapi_extra=_TAKES)
    async def create_scim_user(request: Request, caller: Provisions) -> Response:
        """Make a user, who signs in with single sign-on."""
        return await _made(people.scim.create_user(caller, await _body(request)), "Users")

    @routes.get(f"{SCIM}/Users/{{user_id}}", responses=_SHOWS, response_class=Response)
    async def read_scim_user(caller: Provisions, user_id: UserId) -> Response:
        """One user."""
        return await _answered(people.scim.user(caller.organization, user_id))

    @routes.put(f"{SCIM}/Users/{{user_id}}", responses=_SHOWS, response_class=Response, openapi_extra=_TAKES)
    async def replace_scim_user(request: Request, caller: Provisions, user_id: UserId) -> Response:
        """Write a user's name and title, and whether they can sign in."""
        return await _changed(people, people.scim.replace_user(caller, user_id, await _body(request)))

    @routes.patch(f"{SCIM}/Users/{{user_id}}", responses=_SHOWS, response_class=Response, openapi_extra=_TAKES)
    async def patch_scim_user(request: Request, caller: Provisions, user_id: UserId) -> Response:
        """Change a user: `active` false ends every session at once."""
        return await _changed(people, people.scim.patch_user(caller, user_id, await _body(request)))

    @routes.delete(f"{SCIM}/Users/{{user_id}}", status_code=204, response_class=Response)
    async def delete_scim_user(caller: Provisions, user_id: UserId) -> Response:
        """Let a user sign in no more. The user stays, as `active` false: who did what stays known."""
        return await _changed(people, people.scim.delete_user(caller, user_id))


def _groups(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get(f"{SCIM}/Groups", responses=_SHOWS, response_class=Response, openapi_extra=_ASKED)
    async def list_scim_groups(request: Request, caller: Provisions) -> Response:
        """The groups that the identity provider keeps here."""
        return await _answered(people.scim.groups(caller.organization, dict(request.query_params)))

    @routes.post(f"{SCIM}/Groups", status_code=201, responses=_MAKES, response_class=Response, openapi_extra=_TAKES)
    async def create_scim_group(request: Request, caller: Provisions) -> Response:
        """Make a group. What it gives is said at `PUT /organizations/groups/{groupId}/roles`."""
        return await _made(people.scim.create_group(caller, await _body(request)), "Groups")

    @routes.get(f"{SCIM}/Groups/{{group_id}}", responses=_SHOWS, response_class=Response)
    async def read_scim_group(caller: Provisions, group_id: GroupId) -> Response:
        """One group with its members."""
        return await _answered(people.scim.group(caller.organization, group_id))

    @routes.put(f"{SCIM}/Groups/{{group_id}}", responses=_SHOWS, response_class=Response, openapi_extra=_TAKES)
    async def replace_scim_group(request: Request, caller: Provisions, group_id: GroupId) -> Response:
        """Write a group's name and its members, who gain and lose what it gives at once."""
        return await _changed(people, people.scim.replace_group(caller, group_id, await _body(request)))

    @routes.patch(f"{SCIM}/Groups/{{group_id}}", responses=_SHOWS, response_class=Response, openapi_extra=_TAKES)
    async def patch_scim_group(request: Request, caller: Provisions, group_id: GroupId) -> Response:
        """Change a group's name or members."""
        return await _changed(people, people.scim.patch_group(caller, group_id, await _body(request)))

    @routes.delete(f"{SCIM}/Groups/{{group_id}}", status_code=204, response_class=Response)
    async def delete_scim_group(caller: Provisions, group_id: GroupId) -> Response:
        """Forget a group; its members lose what it gave."""
        return await _changed(people, people.scim.delete_group(caller, group_id))


def _given(routes: APIRouter, people: PeopleServices) -> None:
    @routes.get("/organizations/groups")
    async def list_groups(caller: Provisions) -> GroupList:
        """The groups of identity providers, and what each gives."""
        found = await people.groups.all(caller.organization)
        return GroupList(data=[_group(one) for one in found])

    @routes.put("/organizations/groups/{group_id}/roles")
    async def set_group_roles(
        caller: Annotated[Principal, Requires("can_manage_workspace_access", fresh=True)],
        group_id: Annotated[UUID, Path(description="The group's id")],
        body: JsonBody[GroupRolesBody],
    ) -> GroupAnswer:
        """Say what a group gives its members, from now on and at once."""
        if body.role_id is not None:
            require(caller, "can_manage_users")
        wanted = {_workspace(one.workspace_id): one.role_id for one in body.workspaces}
        changed = await people.groups.give(caller, group_id, body.role_id, wanted)
        people.authenticator.forget()
        return _group(changed)


def _workspace(text: str) -> UUID:
    if (found := parse_id(text)) is None:
        raise WORKSPACE_NOT_FOUND.error("`workspaceId` must be the id of a workspace", "/workspaces")
    return found


def _group(group: UserGroup) -> GroupAnswer:
    workspaces = [WorkspaceRoleAnswer(workspace_id=one, role_id=role) for one, role in group.workspace_roles.items()]
    return GroupAnswer(
        id=group.id, name=group.name, members=len(group.members), role_id=group.role, workspaces=workspaces
    )


async def _loaded() -> ModuleType:
    """What speaks SCIM. Loaded when somebody first asks, beside everybody else: its library takes long for that."""
    return await asyncio.to_thread(import_module, "passerelle.people.scim")


async def _body(request: Request) -> bytes:
    return await receive_body(request.scope, request.receive, limit=_LARGEST)


async def _answered(work: Awaitable[str | None]) -> Response:
    try:
        text = await work
    except Exception as error:
        told = (await _loaded()).described(error)
        if told is None:
            raise
        return _shown(told.model_dump_json(), told.status or 400)
    return Response(status_code=204) if text is None else _shown(text)


async def _changed(people: PeopleServices, work: Awaitable[str | None]) -> Response:
    """As `_answered`; what is remembered of sessions and roles is forgotten."""
    answer = await _answered(work)
    people.authenticator.forget()
    return answer


async def _made(work: Awaitable[tuple[str, str]], kind: str) -> Response:
    made = ""

    async def text() -> str:
        nonlocal made
        made, shown = await work
        return shown

    answer = await _answered(text())
    if made:
        answer.status_code = 201
        answer.headers["Location"] = f"{SCIM}/{kind}/{made}"
    return answer


def _shown(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type=MEDIA_TYPE)
