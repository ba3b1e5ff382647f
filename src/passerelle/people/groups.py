"""Groups of users, as an identity provider keeps them, and the roles that they give.

Who is in a group gets its roles, and loses them with the group. What somebody was given by hand is left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from passerelle.kit.clock import Clock
from passerelle.kit.database import Connection, Database
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import NewId
from passerelle.people import repository
from passerelle.people.errors import GROUP_EXISTS, GROUP_NOT_FOUND, GROUP_ROLE_INVALID
from passerelle.people.models import Role
from passerelle.people.roles import require_grantable, require_role, require_workspace

_GROUPS = (
    "SELECT g.*, coalesce((SELECT array_agg(m.user_id ORDER BY m.user_id) FROM user_group_member m "
    "WHERE m.group_id = g.id), '{}') AS members FROM user_group g "
)
_OF_USER = f"{_GROUPS} WHERE g.id IN (SELECT group_id FROM user_group_member WHERE user_id = $1)"  # noqa: S608 - constant


@dataclass(frozen=True, slots=True)
class UserGroup:
    """A group, and what it gives: a role in the organization, and roles in workspaces."""

    id: UUID
    name: str
    external_id: str | None
    created_at: datetime
    updated_at: datetime
    members: frozenset[UUID] = frozenset()
    role: str | None = None
    workspace_roles: Mapping[UUID, str] = field(default_factory=dict)


class Groups:
    """The feature's service for groups."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id

    async def all(self, organization_id: UUID) -> list[UserGroup]:
        """An organization's groups by name."""
        async with self._database.organization(organization_id) as connection:
            return [_group(row) for row in await connection.fetch(_GROUPS + "ORDER BY g.name LIMIT 10000")]

    async def get(self, organization_id: UUID, group_id: UUID) -> UserGroup:
        """A group. Raises GROUP_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            return await _required(connection, group_id)

    async def create(
        self, organization_id: UUID, name: str, external_id: str | None, members: Collection[UUID]
    ) -> UserGroup:
        """A group that gives nothing yet. Raises GROUP_EXISTS."""
        group_id, now = self._new_id(), self._clock()
        async with self._database.organization(organization_id) as connection:
            done = await connection.execute(
                "INSERT INTO user_group (organization_id, id, name, external_id, created_at, updated_at) "
                "VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
                organization_id,
                group_id,
                name,
                external_id,
                now,
            )
            if done != "INSERT 0 1":
                raise _exists(name)
            await self._put_members(connection, organization_id, group_id, members)
            return await _required(connection, group_id)

    async def replace(
        self, organization_id: UUID, group_id: UUID, name: str, external_id: str | None, members: Collection[UUID]
    ) -> UserGroup:
        """Write what a group is called and who is in it. Raises GROUP_NOT_FOUND, GROUP_EXISTS."""
        async with self._database.organization(organization_id) as connection:
            before = await _required(connection, group_id)
            taken = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM user_group WHERE name = $1 AND id <> $2)", name, group_id
            )
            if taken:
                raise _exists(name)
            await connection.execute(
                "UPDATE user_group SET name = $2, external_id = $3, updated_at = $4 WHERE id = $1",
                group_id,
                name,
                external_id,
                self._clock(),
            )
            await self._put_members(connection, organization_id, group_id, members)
            found = await _required(connection, group_id)
            await self._apply(connection, organization_id, before.members ^ found.members)
        return found

    async def delete(self, organization_id: UUID, group_id: UUID) -> None:
        """Forget a group; its members lose what it gave. Raises GROUP_NOT_FOUND."""
        async with self._database.organization(organization_id) as connection:
            before = await _required(connection, group_id)
            await connection.execute("DELETE FROM user_group WHERE id = $1", group_id)
            await self._apply(connection, organization_id, before.members)

    async def give(
        self, by: Principal, group_id: UUID, role: str | None, workspace_roles: Mapping[UUID, str]
    ) -> UserGroup:
        """Say what a group gives, to its members at once. Raises GROUP_NOT_FOUND, GROUP_ROLE_INVALID, and about
        workspaces, roles and permissions."""
        if role not in (None, "admin", "member"):
            raise GROUP_ROLE_INVALID.error("a group gives `admin` or `member`: an owner makes owners", "/roleId")
        assert by.organization_id is not None
        async with self._database.organization(by.organization_id) as connection:
            before = await _required(connection, group_id)
            for workspace_id, name in workspace_roles.items():
                await require_workspace(connection, workspace_id)
                found = await require_role(connection, workspace_id, name, "/workspaces")
                require_grantable(by, found.permissions, "/workspaces")
            await connection.execute(
                "UPDATE user_group SET role = $2, workspace_roles = $3, updated_at = $4 WHERE id = $1",
                group_id,
                role,
                {str(one): name for one, name in workspace_roles.items()},
                self._clock(),
            )
            await self._apply(connection, by.organization_id, before.members)
            return await _required(connection, group_id)

    async def _put_members(
        self, connection: Connection, organization_id: UUID, group_id: UUID, members: Collection[UUID]
    ) -> None:
        wanted = list(members)
        await connection.execute(
            "DELETE FROM user_group_member WHERE group_id = $1 AND user_id <> ALL($2::uuid[])", group_id, wanted
        )
        await connection.execute(
            "INSERT INTO user_group_member (organization_id, group_id, user_id) "
            "SELECT $1, $2, u.id FROM app_user u WHERE u.id = ANY($3::uuid[]) ON CONFLICT DO NOTHING",
            organization_id,
            group_id,
            wanted,
        )
        await self._apply(connection, organization_id, wanted)

    async def _apply(self, connection: Connection, organization_id: UUID, users: Collection[UUID]) -> None:
        """Let these users have what their groups give, and nothing that groups gave before."""
        for user_id in sorted(users):
            rows = await connection.fetch(_OF_USER, user_id)
            groups = [_group(row) for row in rows]
            await self._apply_role(connection, user_id, groups)
            wanted = await self._wanted(connection, groups)
            await connection.execute(
                "DELETE FROM membership WHERE user_id = $1 AND by_group AND workspace_id <> ALL($2::uuid[])",
                user_id,
                list(wanted),
            )
            for workspace_id, role in wanted.items():
                await connection.execute(
                    "INSERT INTO membership (workspace_id, organization_id, user_id, role, created_at, by_group) "
                    "VALUES ($1, $2, $3, $4, $5, true) ON CONFLICT (workspace_id, user_id) "
                    "DO UPDATE SET role = excluded.role WHERE membership.by_group",
                    workspace_id,
                    organization_id,
                    user_id,
                    role,
                    self._clock(),
                )

    async def _apply_role(self, connection: Connection, user_id: UUID, groups: Sequence[UserGroup]) -> None:
        """The role in the organization, of who is kept by the provider and is no owner."""
        role = "admin" if any(group.role == "admin" for group in groups) else "member"
        await connection.execute(
            "UPDATE app_user SET role = $2, updated_at = $3 "
            "WHERE id = $1 AND provisioned AND role <> 'owner' AND role <> $2",
            user_id,
            role,
            self._clock(),
        )

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


async def _required(connection: Connection, group_id: UUID) -> UserGroup:
    row = await connection.fetchrow(_GROUPS + "WHERE g.id = $1", group_id)
    if row is None:
        raise GROUP_NOT_FOUND.error("your organization has no group with this id")
    return _group(row)


def _exists(name: str) -> Exception:
    return GROUP_EXISTS.error(f"your organization has a group `{name[:80]}` already", "/displayName")


def _group(row: Any) -> UserGroup:
    return UserGroup(
        row["id"],
        row["name"],
        row["external_id"],
        row["created_at"],
        row["updated_at"],
        frozenset(row["members"]),
        row["role"],
        {UUID(one): name for one, name in row["workspace_roles"].items()},
    )
