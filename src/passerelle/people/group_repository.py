"""The SQL of groups, and of what their members have by them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection, DatabaseRow, made_from
from passerelle.people.models import UserGroup

_GROUPS: Final = (
    "SELECT g.*, coalesce((SELECT array_agg(m.user_id ORDER BY m.user_id) FROM user_group_member m "
    "WHERE m.group_id = g.id), '{}') AS members FROM user_group g "
)


async def all_groups(connection: Connection) -> list[UserGroup]:
    """The organization's groups by name."""
    return [_group(row) for row in await connection.fetch(_GROUPS + "ORDER BY g.name LIMIT 10000")]


async def by_id(connection: Connection, group_id: UUID, *, lock: bool = False) -> UserGroup | None:
    """A group of the organization. `lock`: until the transaction ends nobody else changes it."""
    if lock:  # a statement of its own: the next one sees the members that whoever was waited for has written
        await connection.execute("SELECT FROM user_group WHERE id = $1 FOR UPDATE", group_id)
    row = await connection.fetchrow(_GROUPS + "WHERE g.id = $1", group_id)
    return None if row is None else _group(row)


async def of_user(connection: Connection, user_id: UUID) -> list[UserGroup]:
    """The groups that a user is in."""
    members = "WHERE g.id IN (SELECT group_id FROM user_group_member WHERE user_id = $1)"
    return [_group(row) for row in await connection.fetch(_GROUPS + members, user_id)]


async def insert(
    connection: Connection, organization_id: UUID, group_id: UUID, name: str, external_id: str | None, now: datetime
) -> bool:
    """A new group. False where the name is taken."""
    done = await connection.execute(
        "INSERT INTO user_group (organization_id, id, name, external_id, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING",
        organization_id,
        group_id,
        name,
        external_id,
        now,
    )
    return bool(done == "INSERT 0 1")


async def rename(connection: Connection, group_id: UUID, name: str, external_id: str | None, now: datetime) -> None:
    """Write what a group is called, here and at the identity provider.

    Raises `UniqueViolationError` where another one has the name.
    """
    await connection.execute(
        "UPDATE user_group SET name = $2, external_id = $3, updated_at = $4 WHERE id = $1",
        group_id,
        name,
        external_id,
        now,
    )


async def put_roles(
    connection: Connection, group_id: UUID, role: str | None, workspace_roles: Mapping[UUID, str], now: datetime
) -> None:
    """Write what a group gives."""
    await connection.execute(
        "UPDATE user_group SET role = $2, workspace_roles = $3, updated_at = $4 WHERE id = $1",
        group_id,
        role,
        {str(one): name for one, name in workspace_roles.items()},
        now,
    )


async def unknown_users(connection: Connection, ids: Collection[UUID]) -> list[UUID]:
    """Those of the ids that no user of the organization has, in order."""
    rows = await connection.fetch(
        "SELECT n.id FROM unnest($1::uuid[]) AS n(id) WHERE NOT EXISTS (SELECT FROM app_user u WHERE u.id = n.id) "
        "ORDER BY n.id",
        list(ids),
    )
    return [row["id"] for row in rows]


async def put_members(connection: Connection, organization_id: UUID, group_id: UUID, members: Collection[UUID]) -> None:
    """Write who is in a group."""
    await connection.execute(
        "DELETE FROM user_group_member WHERE group_id = $1 AND user_id <> ALL($2::uuid[])", group_id, list(members)
    )
    await connection.execute(
        "INSERT INTO user_group_member (organization_id, group_id, user_id) "
        "SELECT $1, $2, u.id FROM app_user u WHERE u.id = ANY($3::uuid[]) ON CONFLICT DO NOTHING",
        organization_id,
        group_id,
        list(members),
    )


async def delete(connection: Connection, group_id: UUID) -> None:
    """Forget a group."""
    await connection.execute("DELETE FROM user_group WHERE id = $1", group_id)


async def put_memberships(
    connection: Connection, organization_id: UUID, user_id: UUID, roles: Mapping[UUID, str], now: datetime
) -> None:
    """The roles in workspaces that groups give a user; those that were given by hand are left alone."""
    await connection.execute(
        "DELETE FROM membership WHERE user_id = $1 AND by_group AND workspace_id <> ALL($2::uuid[])",
        user_id,
        list(roles),
    )
    await connection.executemany(
        "INSERT INTO membership (workspace_id, organization_id, user_id, role, created_at, by_group) "
        "VALUES ($1, $2, $3, $4, $5, true) ON CONFLICT (workspace_id, user_id) "
        "DO UPDATE SET role = excluded.role WHERE membership.by_group",
        [(workspace_id, organization_id, user_id, role, now) for workspace_id, role in roles.items()],
    )


async def put_role(connection: Connection, user_id: UUID, role: str, now: datetime) -> None:
    """The role in the organization that groups give, of who is kept by the provider and is no owner."""
    await connection.execute(
        "UPDATE app_user SET role = $2, updated_at = $3 "
        "WHERE id = $1 AND provisioned AND role <> 'owner' AND role <> $2",
        user_id,
        role,
        now,
    )


def _group(row: DatabaseRow) -> UserGroup:
    workspace_roles = {UUID(one): name for one, name in row["workspace_roles"].items()}
    return made_from(UserGroup, row, members=frozenset(row["members"]), workspace_roles=workspace_roles)
