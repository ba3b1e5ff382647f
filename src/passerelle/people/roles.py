"""Roles of a workspace: those that are built in, and its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from passerelle.accounts.grant_schemas import GrantBody, Things
from passerelle.accounts.permissions import IN_WORKSPACES, WORKSPACE_ROLES
from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.authentication import Principal
from passerelle.kit.observer import note_object
from passerelle.people import repository
from passerelle.people.errors import (
    PERMISSION_EXCEEDED,
    PERMISSION_UNKNOWN,
    ROLE_BUILT_IN,
    ROLE_EXISTS,
    ROLE_IN_USE,
    ROLE_NOT_FOUND,
    ROLE_UNKNOWN,
    WORKSPACE_NOT_FOUND,
)
from passerelle.people.models import Role

BUILT_IN: Final = tuple(
    Role(one.name, one.description, one.permissions, built_in=True) for one in WORKSPACE_ROLES.values()
)
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")


class Roles:
    """What a workspace's members can be."""

    def __init__(self, database: Database, clock: Clock, things: Things) -> None:
        """`things`: what grants may be on."""
        self._database = database
        self._clock = clock
        self.things = things

    async def all(self, organization_id: UUID, workspace_id: UUID) -> list[Role]:
        """The roles of a workspace, those that are built in first. Raises WORKSPACE_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            await require_workspace(connection, workspace_id)
            return [*BUILT_IN, *await repository.own_roles(connection, workspace_id)]

    async def holders(self, organization_id: UUID, workspace_id: UUID) -> dict[str, int]:
        """How many direct members have each role."""
        async with self._database.organization(organization_id) as connection:
            return await repository.holders(connection, workspace_id)

    async def get(self, organization_id: UUID, workspace_id: UUID, name: str) -> Role:
        """A role of a workspace. Raises WORKSPACE_NOT_FOUND, ROLE_NOT_FOUND."""
        found = next((one for one in await self.all(organization_id, workspace_id) if one.name == name), None)
        if found is None:
            raise ROLE_NOT_FOUND.error(f"the workspace has no role `{name[:80]}`")
        return found

    async def create(
        self,
        organization_id: UUID,
        workspace_id: UUID,
        role: Role,
        by: Principal | None = None,
        grants: Sequence[GrantBody] = (),
    ) -> Role:
        """A role of the workspace's own, made `by` somebody or by the operator.

        Raises ROLE_UNKNOWN for its name, ROLE_EXISTS, and about permissions and grants.
        """
        if not _NAME.fullmatch(role.name):
            raise ROLE_UNKNOWN.error(
                "a role's name has 1 to 63 lower-case letters, digits, `-` and `_`, and begins with a letter", "/name"
            )
        if role.name in WORKSPACE_ROLES or role.name in ("owner", "admin", "member"):
            raise ROLE_EXISTS.error(f"`{role.name}` is built in: choose another name", "/name")
        role = await self._granted(organization_id, workspace_id, role, by, grants)
        now = self._clock()
        async with self._database.organization(organization_id) as connection:
            await require_workspace(connection, workspace_id)
            note_object(role.name)
            if not await repository.insert_role(connection, organization_id, workspace_id, role, now):
                raise ROLE_EXISTS.error(f"the workspace has a role `{role.name}` already", "/name")
        return role

    async def change(
        self, by: Principal, workspace_id: UUID, role: Role, grants: Sequence[GrantBody] | None = None
    ) -> Role:
        """Write what a role of the workspace's own is; without `grants` it keeps those that it has.

        Raises ROLE_BUILT_IN, ROLE_NOT_FOUND, and about permissions and grants.
        """
        _require_own(role.name)
        role = await self._granted(by.organization, workspace_id, role, by, grants or ())
        async with self._database.organization(by.organization) as connection:
            await require_workspace(connection, workspace_id)
            before = await repository.own_role(connection, workspace_id, role.name, to_change=True)
            if grants is None and before is not None:
                role = replace(role, granted=before.granted)
            if not await repository.update_role(connection, workspace_id, role, self._clock()):
                raise _not_found(role.name)
        return role

    async def _granted(
        self,
        organization_id: UUID,
        workspace_id: UUID,
        role: Role,
        by: Principal | None,
        grants: Sequence[GrantBody],
    ) -> Role:
        """The role with its grants, nothing of which `by` lacks."""
        if by is not None:
            require_grantable(by, role.permissions)
        async with self._database.organization(organization_id) as connection:
            await require_workspace(connection, workspace_id)
        granted = await self.things.resolved(workspace_id, grants, role.permissions)
        if by is not None:
            require_grantable(by, {name for one in granted for name in one.permissions}, "/grants")
        return replace(role, granted=granted)

    async def delete(self, by: Principal, workspace_id: UUID, name: str) -> None:
        """Delete a role of the workspace's own. Raises ROLE_BUILT_IN, ROLE_NOT_FOUND or ROLE_IN_USE."""
        _require_own(name)
        async with self._database.organization(by.organization) as connection:
            await require_workspace(connection, workspace_id)
            if await repository.own_role(connection, workspace_id, name, to_change=True) is None:
                raise _not_found(name)
            if not await repository.delete_role(connection, workspace_id, name):
                raise ROLE_IN_USE.error(f"members have the role `{name}`: give them another one first")


async def require_role(connection: Connection, workspace_id: UUID, name: str, pointer: str = "/roleId") -> Role:
    """The workspace's role of this name. Raises ROLE_UNKNOWN, naming those there are."""
    found = next((one for one in BUILT_IN if one.name == name), None)
    found = found or await repository.own_role(connection, workspace_id, name)
    if found is None:
        names = [*BUILT_IN, *await repository.own_roles(connection, workspace_id)]
        known = ", ".join(f"`{one.name}`" for one in names)
        raise ROLE_UNKNOWN.error(f"the workspace has no role `{name[:80]}`, it has {known}", pointer)
    return found


async def require_workspace(connection: Connection, workspace_id: UUID) -> None:
    """Raises WORKSPACE_NOT_FOUND where the organization has no such workspace."""
    if not await repository.has_workspace(connection, workspace_id):
        raise WORKSPACE_NOT_FOUND.error(f"your organization has no workspace {workspace_id}")


def require_grantable(by: Principal, permissions: Iterable[str], pointer: str = "/permissions") -> None:
    """Whoever gives permissions has them, and they are such as a workspace gives. Lists all that are not."""
    wanted = sorted(set(permissions))
    unknown: list[Problem] = [
        PERMISSION_UNKNOWN.problem(f"`{one[:80]}` is no permission that a workspace gives", pointer)
        for one in wanted
        if one not in IN_WORKSPACES
    ]
    if unknown:
        raise PasserelleError(PERMISSION_UNKNOWN.status, unknown)
    missing = [one for one in wanted if not by.may(one)]
    if missing:
        names = ", ".join(f"`{one}`" for one in missing)
        raise PERMISSION_EXCEEDED.error(f"you cannot give what you do not have: {names}", pointer)


def _require_own(name: str) -> None:
    if name in WORKSPACE_ROLES:
        raise ROLE_BUILT_IN.error(f"`{name}` is built in: make a role of your own, with other permissions")


def _not_found(name: str) -> PasserelleError:
    return ROLE_NOT_FOUND.error(f"the workspace has no role `{name[:80]}` of its own")
