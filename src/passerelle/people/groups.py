"""Groups of users, as an identity provider keeps them, and the roles that they give.

Who is in a group gets its roles, and loses them with the group. What somebody was given by hand is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import asyncpg

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.people import group_repository, repository
from passerelle.people.errors import GROUP_EXISTS, GROUP_MEMBER_UNKNOWN, GROUP_NOT_FOUND, GROUP_ROLE_INVALID
from passerelle.people.models import Role, UserGroup
from passerelle.people.roles import require_grantable, require_role, require_workspace


class Groups:
    """The feature's service for groups."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def all(self, organization_id: UUID) -> list[UserGroup]:
        """An organization's groups by name."""
        async with self._database.organization(organization_id) as connection:
            return await group_repository.all_groups(connection)

    async def get(self, organization_id: UUID, group_id: UUID) -> UserGroup:
        """A group. Raises GROUP_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            return await _required(connection, group_id)

    async def create(
        self, organization_id: UUID, name: str, external_id: str | None, members: Collection[UUID]
    ) -> UserGroup:
        """A group that gives nothing yet. Raises GROUP_EXISTS, GROUP_MEMBER_UNKNOWN."""
        group_id, now = self._new_id(), self._clock()
        async with self._database.organization(organization_id) as connection:
            if not await group_repository.insert(connection, organization_id, group_id, name, external_id, now):
                raise _exists(name)
            await _put_members(connection, organization_id, group_id, members)
            await self._apply(connection, organization_id, members)
            return await _required(connection, group_id)

    async def replace(
        self, organization_id: UUID, group_id: UUID, name: str, external_id: str | None, members: Collection[UUID]
    ) -> UserGroup:
        """Write what a group is called and who is in it. Raises GROUP_NOT_FOUND, GROUP_EXISTS, GROUP_MEMBER_UNKNOWN."""
        async with self._database.organization(organization_id) as connection:
            before = await _required(connection, group_id, lock=True)
            try:
                await group_repository.rename(connection, group_id, name, external_id, self._clock())
            except asyncpg.UniqueViolationError:
                raise _exists(name) from None
            await _put_members(connection, organization_id, group_id, members)
            found = await _required(connection, group_id)
            # In one go, so that everybody takes users in the same order.
            await self._apply(connection, organization_id, before.members | found.members)
        return found

    async def delete(self, organization_id: UUID, group_id: UUID) -> None:
        """Forget a group; its members lose what it gave. Raises GROUP_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            before = await _required(connection, group_id, lock=True)
            await group_repository.delete(connection, group_id)
            await self._apply(connection, organization_id, before.members)

    async def give(
        self, by: Principal, group_id: UUID, role: str | None, workspace_roles: Mapping[UUID, str]
    ) -> UserGroup:
        """Say what a group gives, to its members at once. Raises GROUP_NOT_FOUND, GROUP_ROLE_INVALID, and about
        workspaces, roles and permissions."""
        if role not in (None, "admin", "member"):
            raise GROUP_ROLE_INVALID.error("a group gives `admin` or `member`: an owner makes owners", "/roleId")
        async with self._database.organization(by.organization) as connection:
            before = await _required(connection, group_id, lock=True)
            for workspace_id, name in workspace_roles.items():
                await require_workspace(connection, workspace_id)
                found = await require_role(connection, workspace_id, name, "/workspaces")
                require_grantable(by, found.permissions, "/workspaces")
            await group_repository.put_roles(connection, group_id, role, workspace_roles, self._clock())
            await self._apply(connection, by.organization, before.members)
            return await _required(connection, group_id)

    async def _apply(self, connection: Connection, organization_id: UUID, users: Collection[UUID]) -> None:
        """Let these users have what their groups give, and nothing that groups gave before."""
        for user_id in sorted(users):
            groups = await group_repository.of_user(connection, user_id)
            role = "admin" if any(group.role == "admin" for group in groups) else "member"
            await group_repository.put_role(connection, user_id, role, self._clock())
            wanted = await self._wanted(connection, groups)
            await group_repository.put_memberships(connection, organization_id, user_id, wanted, self._clock())

    async def _wanted(self, connection: Connection, groups: Sequence[UserGroup]) -> dict[UUID, str]:
        """The role in each workspace: of several the one that allows most."""
        found: dict[UUID, Role] = {}
        for group in groups:
            for workspace_id, name in group.workspace_roles.items():
                if not await repository.has_workspace(connection, workspace_id):
                    continue
                role = await require_role(connection, workspace_id, name)
                if workspace_id not in found or len(role.permissions) > len(found[workspace_id].permissions):
                    found[workspace_id] = role
        return {workspace_id: role.name for workspace_id, role in found.items()}


async def _put_members(
    connection: Connection, organization_id: UUID, group_id: UUID, members: Collection[UUID]
) -> None:
    if unknown := await group_repository.unknown_users(connection, members):
        named = ", ".join(f"`{one}`" for one in unknown)
        raise GROUP_MEMBER_UNKNOWN.error(f"your organization has no users with these ids: {named}", "/members")
    await group_repository.put_members(connection, organization_id, group_id, members)


async def _required(connection: Connection, group_id: UUID, *, lock: bool = False) -> UserGroup:
    found = await group_repository.by_id(connection, group_id, lock=lock)
    if found is None:
        raise GROUP_NOT_FOUND.error("your organization has no group with this id")
    return found


def _exists(name: str) -> Exception:
    return GROUP_EXISTS.error(f"your organization has a group `{name[:80]}` already", "/displayName")
