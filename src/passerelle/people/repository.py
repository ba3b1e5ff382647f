"""The SQL of organizations, users and memberships.

A connection serves the organization (`Database.organization`), so that row-level security leaves out all others.
`find_…` and `all_…` call functions of the database that see all of them: whoever signs in is in none yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from passerelle.accounts.permissions import ORGANIZATION_ROLES, WORKSPACE_ROLES, looked_up
from passerelle.kit.database import Connection, DatabaseRow, made_from
from passerelle.kit.grants import Granted
from passerelle.people.models import (
    INHERITING,
    Colleague,
    Membership,
    NewUser,
    Organization,
    PasswordReset,
    Place,
    Role,
    TotpSecret,
    User,
    permissions_of,
    shown_name,
)
from passerelle.people.values import email_key

_CHANGEABLE: Final = frozenset(
    {
        "email",
        "first_name",
        "last_name",
        "title",
        "language",
        "time_zone",
        "role",
        "state",
        "workspace_id",
        "password_hash",
        "password_changed_at",
        "last_sign_in_at",
        "totp_secret",
        "totp_confirmed_at",
        "totp_last_step",
        "idp_id",
    }
)


_NAMED: Final = "lower(concat_ws(' ', u.email, u.first_name, u.last_name)) LIKE ALL ({})"
_WANTED: Final = (
    f"{_NAMED.format('$1::text[]')} AND ($2::text IS NULL OR u.role = $2) AND ($3::text IS NULL OR u.state = $3)"
)


async def all_organizations(connection: Connection) -> list[Organization]:
    """Every organization of the installation, the oldest first."""
    rows = await connection.fetch("SELECT * FROM all_organizations()")
    return [Organization(row["organization_id"], row["name"], row["users"]) for row in rows]


async def organization(connection: Connection) -> Organization | None:
    """The organization that the connection serves."""
    row = await connection.fetchrow("SELECT organization_id, name FROM organization")
    return None if row is None else Organization(row["organization_id"], row["name"])


async def organization_of(connection: Connection, workspace_id: UUID) -> UUID | None:
    """Whose workspace it is that the connection serves."""
    found: UUID | None = await connection.fetchval(
        "SELECT organization_id FROM workspace WHERE workspace_id = $1", workspace_id
    )
    return found


async def insert_user(
    connection: Connection, organization_id: UUID, user_id: UUID, new: NewUser, now: datetime
) -> bool:
    """A new user, who is active. False where the address is taken."""
    done = await connection.execute(
        "INSERT INTO app_user (organization_id, id, email, email_key, first_name, last_name, title, language, "
        "time_zone, role, state, password_hash, password_changed_at, idp_id, created_at, updated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'active', $11, "
        "CASE WHEN $11::text IS NULL THEN NULL ELSE $13::timestamptz END, $12, $13, $13) "
        "ON CONFLICT (organization_id, email_key) DO NOTHING",
        organization_id,
        user_id,
        new.email,
        email_key(new.email),
        new.first_name,
        new.last_name,
        new.title,
        new.language,
        new.time_zone,
        new.role,
        new.password_hash,
        new.idp_id,
        now,
    )
    return bool(done == "INSERT 0 1")


async def user_by_id(connection: Connection, user_id: UUID, *, lock: bool = False) -> User | None:
    """A user of the organization. `lock`: until the transaction ends nobody else changes it."""
    row = await connection.fetchrow(f"SELECT * FROM app_user WHERE id = $1{' FOR UPDATE' if lock else ''}", user_id)
    return None if row is None else _user(row)


async def user_by_email(connection: Connection, email: str) -> User | None:
    """The user of the organization with this address."""
    row = await connection.fetchrow("SELECT * FROM app_user WHERE email_key = $1", email_key(email))
    return None if row is None else _user(row)


async def user_by_idp_id(connection: Connection, idp_id: str) -> User | None:
    """The user of the organization whom single sign-on knows by this name."""
    row = await connection.fetchrow("SELECT * FROM app_user WHERE idp_id = $1", idp_id)
    return None if row is None else _user(row)


async def find_users(connection: Connection, email: str) -> list[tuple[User, str | None]]:
    """The users of any organization with this address, each with the hash of the password."""
    rows = await connection.fetch("SELECT * FROM find_users($1)", email_key(email))
    return [(_user(row), row["password_hash"]) for row in rows]


async def password_hash_of(connection: Connection, user_id: UUID) -> str | None:
    """The hash of a user's password."""
    found: str | None = await connection.fetchval("SELECT password_hash FROM app_user WHERE id = $1", user_id)
    return found


async def users(
    connection: Connection,
    limit: int,
    offset: int,
    *,
    words: Sequence[str] = (),
    role: str | None = None,
    state: str | None = None,
) -> tuple[list[User], int]:
    """A page of the organization's users by address, and how many there are.

    words   each stands in the address or in the name; the caller has escaped them for LIKE
    """
    wanted = [f"%{word}%" for word in words], role, state
    rows = await connection.fetch(
        f"SELECT * FROM app_user u WHERE {_WANTED} ORDER BY email_key, id LIMIT $4 OFFSET $5", *wanted, limit, offset
    )
    if words or role is not None or state is not None:
        total: int = await connection.fetchval(f"SELECT count(*) FROM app_user u WHERE {_WANTED}", *wanted)
    else:
        total = await connection.fetchval("SELECT count_users()")
    return [_user(row) for row in rows], total


async def change_user(connection: Connection, user_id: UUID, now: datetime, changes: Mapping[str, Any]) -> User | None:
    """Write columns of a user; what it is then. None where there is no such user."""
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise ValueError(f"these columns cannot be changed: {unknown}")
    names = list(changes)
    sets = "".join(f", {name} = ${place}" for place, name in enumerate(names, 3))
    row = await connection.fetchrow(
        f"UPDATE app_user SET updated_at = $2{sets} WHERE id = $1 RETURNING *",
        user_id,
        now,
        *(changes[name] for name in names),
    )
    return None if row is None else _user(row)


async def mark_provisioned(connection: Connection, user_id: UUID, external_id: str | None) -> None:
    """An identity provider keeps the user from now on, and calls it so."""
    await connection.execute(
        "UPDATE app_user SET external_id = $2, provisioned = true WHERE id = $1", user_id, external_id
    )


async def totp_of(connection: Connection, user_id: UUID) -> TotpSecret | None:
    """What codes of a user's app are checked with. Held until the transaction ends."""
    row = await connection.fetchrow(
        "SELECT totp_secret, totp_last_step FROM app_user WHERE id = $1 AND totp_confirmed_at IS NOT NULL FOR UPDATE",
        user_id,
    )
    return None if row is None else TotpSecret(row["totp_secret"], row["totp_last_step"])


async def put_recovery_codes(connection: Connection, user: User, hashes: Sequence[str]) -> None:
    """The recovery codes that a user has from now on, in place of all others."""
    await connection.execute("DELETE FROM recovery_code WHERE user_id = $1", user.id)
    await connection.executemany(
        "INSERT INTO recovery_code (organization_id, user_id, code_hash) VALUES ($1, $2, $3)",
        [(user.organization_id, user.id, one) for one in hashes],
    )


async def use_recovery_code(connection: Connection, user_id: UUID, code_hash: str, now: datetime) -> bool:
    """A code is good no more. False where it was not."""
    done = await connection.execute(
        "UPDATE recovery_code SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL",
        user_id,
        code_hash,
        now,
    )
    return bool(done == "UPDATE 1")


async def insert_password_reset(
    connection: Connection, user: User, token_hash: str, now: datetime, expires_at: datetime
) -> None:
    """A link that sets a user's password."""
    await connection.execute(
        "INSERT INTO password_reset (organization_id, user_id, token_hash, created_at, expires_at) "
        "VALUES ($1, $2, $3, $4, $5)",
        user.organization_id,
        user.id,
        token_hash,
        now,
        expires_at,
    )


async def find_password_reset(connection: Connection, token_hash: str) -> PasswordReset | None:
    """The link of any organization with this secret."""
    row = await connection.fetchrow("SELECT * FROM find_password_reset($1)", token_hash)
    return None if row is None else made_from(PasswordReset, row)


async def delete_password_resets(connection: Connection, user_id: UUID) -> None:
    """No link sets a user's password any more."""
    await connection.execute("DELETE FROM password_reset WHERE user_id = $1", user_id)


async def owners_besides(connection: Connection, user_id: UUID) -> int:
    """How many other active owners there are. Holds the organization's row, so that two cannot leave at once."""
    await connection.execute("SELECT FROM organization FOR UPDATE")
    count: int = await connection.fetchval(
        "SELECT count(*) FROM app_user WHERE role = 'owner' AND state = 'active' AND id <> $1", user_id
    )
    return count


async def workspaces(connection: Connection) -> list[tuple[UUID, str]]:
    """The organization's workspaces, the oldest first."""
    rows = await connection.fetch("SELECT workspace_id, name FROM workspace ORDER BY created_at, workspace_id")
    return [(row["workspace_id"], row["name"]) for row in rows]


async def has_workspace(connection: Connection, workspace_id: UUID) -> bool:
    """Whether the workspace is the organization's."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM workspace WHERE workspace_id = $1)", workspace_id
    )
    return found


async def places_of(connection: Connection, user: User, *, inheriting: bool) -> list[Place]:
    """The workspaces that a user comes into, the oldest first. `inheriting`: by the organization's role."""
    rows = await connection.fetch(
        "SELECT w.workspace_id, w.name, m.role, r.permissions, r.grants FROM workspace w "
        "LEFT JOIN membership m ON m.workspace_id = w.workspace_id AND m.user_id = $1 "
        "LEFT JOIN workspace_role r ON r.workspace_id = m.workspace_id AND r.name = m.role "
        "WHERE m.role IS NOT NULL OR $2 ORDER BY w.created_at, w.workspace_id LIMIT 1000",
        user.id,
        inheriting,
    )
    return [
        Place(
            row["workspace_id"],
            row["name"],
            row["role"],
            permissions_of(user.role, row["role"], row["permissions"]),
            looked_up(map(Granted.from_json, row["grants"] or ())),
        )
        for row in rows
    ]


async def put_membership(
    connection: Connection, organization_id: UUID, workspace_id: UUID, user_id: UUID, role: str, now: datetime
) -> None:
    """Make a user a member, or give a member another role."""
    await connection.execute(
        "INSERT INTO membership (workspace_id, organization_id, user_id, role, created_at) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = excluded.role",
        workspace_id,
        organization_id,
        user_id,
        role,
        now,
    )


async def delete_membership(connection: Connection, workspace_id: UUID, user_id: UUID) -> bool:
    """End a membership. False where there is none."""
    done = await connection.execute(
        "DELETE FROM membership WHERE workspace_id = $1 AND user_id = $2", workspace_id, user_id
    )
    return bool(done == "DELETE 1")


async def memberships(
    connection: Connection,
    workspace_id: UUID,
    limit: int,
    offset: int,
    *,
    inherited: Sequence[str] = (),
    words: Sequence[str] = (),
    role: str | None = None,
) -> tuple[list[Membership], int]:
    """A page of a workspace's members by address, and how many there are.

    inherited   the roles of the organization whose holders are in it without being members
    words       as in `users`
    role        only those who have it, in the workspace or by the organization
    """
    joined = "FROM app_user u {how} JOIN membership m ON m.user_id = u.id AND m.workspace_id = $1 "
    if inherited:
        source = joined.format(how="LEFT")
        source += "WHERE (m.role IS NOT NULL OR (u.role = ANY($2::text[]) AND u.state = 'active'))"
    else:
        # A join of its own: read in the order of addresses, it ends with the page.
        source = joined.format(how="") + "WHERE $2::text[] = '{}'"
    wanted: tuple[Any, ...] = (workspace_id, list(inherited))
    counting = "SELECT count_members($1, $2)"
    if words or role is not None:
        source += f" AND {_NAMED.format('$3::text[]')} AND ($4::text IS NULL OR coalesce(m.role, u.role) = $4)"
        wanted += ([f"%{word}%" for word in words], role)
        counting = f"SELECT count(*) {source}"
    rows = await connection.fetch(
        f"SELECT u.id, u.email, u.first_name, u.last_name, u.role AS reaching, u.created_at AS since, m.role, "
        f"m.created_at {source} ORDER BY u.email_key, u.id LIMIT ${len(wanted) + 1} OFFSET ${len(wanted) + 2}",
        *wanted,
        limit,
        offset,
    )
    total: int = await connection.fetchval(counting, *wanted)
    return [_membership(workspace_id, row) for row in rows], total


async def colleagues(connection: Connection, workspace_id: UUID, at_most: int) -> list[Colleague]:
    """Everybody who comes into a workspace and may sign in, by address."""
    rows = await connection.fetch(
        "SELECT u.id, u.email, u.email_key, u.first_name, u.last_name, u.language, u.role, m.role AS workspace_role, "
        "r.permissions FROM app_user u LEFT JOIN membership m ON m.user_id = u.id AND m.workspace_id = $1 "
        "LEFT JOIN workspace_role r ON r.workspace_id = $1 AND r.name = m.role "
        "WHERE u.state = 'active' AND (m.role IS NOT NULL OR u.role = ANY($2::text[])) ORDER BY u.email_key LIMIT $3",
        workspace_id,
        sorted(INHERITING),
        at_most,
    )
    return [
        Colleague(
            row["id"],
            shown_name(row["first_name"], row["last_name"], row["email"]),
            row["email"],
            row["language"],
            frozenset({row["role"], row["email_key"], *([row["workspace_role"]] if row["workspace_role"] else [])}),
            permissions_of(row["role"], row["workspace_role"], row["permissions"]),
        )
        for row in rows
    ]


async def who_may(
    connection: Connection, workspace_id: UUID, permission: str, of: tuple[str, str], at_most: int
) -> list[UUID]:
    """Who has a permission in a workspace, everywhere or on a thing (`of`: its kind and id), by address."""
    kind, resource = of
    grants = [[{"kind": kind, "resource": one, "permissions": [permission]}] for one in (resource, None)]
    rows = await connection.fetch(
        "SELECT u.id FROM app_user u LEFT JOIN membership m ON m.user_id = u.id AND m.workspace_id = $1 "
        "LEFT JOIN workspace_role r ON r.workspace_id = $1 AND r.name = m.role "
        "WHERE u.state = 'active' AND (u.role = ANY($2) OR (r.name IS NULL AND m.role = ANY($3)) "
        "OR $4 = ANY(r.permissions) OR r.grants @> $5 OR r.grants @> $6) ORDER BY u.email_key LIMIT $7",
        workspace_id,
        [role.name for role in ORGANIZATION_ROLES.values() if permission in role.permissions],
        [role.name for role in WORKSPACE_ROLES.values() if permission in role.permissions],
        permission,
        *grants,
        at_most,
    )
    return [row["id"] for row in rows]


async def membership(connection: Connection, workspace_id: UUID, user_id: UUID) -> Membership | None:
    """One direct membership."""
    row = await connection.fetchrow(
        "SELECT u.id, u.email, u.first_name, u.last_name, u.role AS reaching, u.created_at AS since, m.role, "
        "m.created_at FROM app_user u JOIN membership m ON m.user_id = u.id WHERE m.workspace_id = $1 AND u.id = $2",
        workspace_id,
        user_id,
    )
    return None if row is None else _membership(workspace_id, row)


async def holders(connection: Connection, workspace_id: UUID) -> dict[str, int]:
    """How many direct members have each role of a workspace."""
    rows = await connection.fetch(
        "SELECT role, count(*) AS members FROM membership WHERE workspace_id = $1 GROUP BY role", workspace_id
    )
    return {row["role"]: row["members"] for row in rows}


async def rename_workspace(connection: Connection, name: str) -> None:
    """Give the workspace that the connection serves another name."""
    await connection.execute("UPDATE workspace SET name = $1", name)


async def own_roles(connection: Connection, workspace_id: UUID) -> list[Role]:
    """The roles that a workspace made for itself, by name."""
    rows = await connection.fetch("SELECT * FROM workspace_role WHERE workspace_id = $1 ORDER BY name", workspace_id)
    return [_role(row) for row in rows]


async def own_role(connection: Connection, workspace_id: UUID, name: str, *, to_change: bool = False) -> Role | None:
    """One of them. Nobody deletes it before the transaction ends; nor, `to_change`, looks at it to do so."""
    row = await connection.fetchrow(
        f"SELECT * FROM workspace_role WHERE workspace_id = $1 AND name = $2 FOR {'UPDATE' if to_change else 'SHARE'}",
        workspace_id,
        name,
    )
    return None if row is None else _role(row)


async def insert_role(
    connection: Connection, organization_id: UUID, workspace_id: UUID, role: Role, now: datetime
) -> bool:
    """A new role. False where the name is taken."""
    done = await connection.execute(
        "INSERT INTO workspace_role (workspace_id, organization_id, name, description, permissions, created_at, "
        "updated_at, grants) VALUES ($1, $2, $3, $4, $5, $6, $6, $7) ON CONFLICT DO NOTHING",
        workspace_id,
        organization_id,
        role.name,
        role.description,
        sorted(role.permissions),
        now,
        [one.to_json() for one in role.granted],
    )
    return bool(done == "INSERT 0 1")


async def update_role(connection: Connection, workspace_id: UUID, role: Role, now: datetime) -> bool:
    """Write a role's description and permissions. False where there is none."""
    done = await connection.execute(
        "UPDATE workspace_role SET description = $3, permissions = $4, updated_at = $5, grants = $6 "
        "WHERE workspace_id = $1 AND name = $2",
        workspace_id,
        role.name,
        role.description,
        sorted(role.permissions),
        now,
        [one.to_json() for one in role.granted],
    )
    return bool(done == "UPDATE 1")


async def delete_role(connection: Connection, workspace_id: UUID, name: str) -> bool:
    """Delete a role, which was taken to be changed. False where members have it."""
    done = await connection.execute(
        "DELETE FROM workspace_role r WHERE workspace_id = $1 AND name = $2 "
        "AND NOT EXISTS (SELECT FROM membership m WHERE m.workspace_id = r.workspace_id AND m.role = r.name)",
        workspace_id,
        name,
    )
    return bool(done == "DELETE 1")


def _user(row: DatabaseRow) -> User:
    has_password, has_totp = row["password_hash"] is not None, row["totp_confirmed_at"] is not None
    return made_from(User, row, has_password=has_password, has_totp=has_totp)


def _membership(workspace_id: UUID, row: DatabaseRow) -> Membership:
    return Membership(
        workspace_id,
        row["id"],
        row["email"],
        shown_name(row["first_name"], row["last_name"], row["email"]),
        row["role"] or row["reaching"],
        row["created_at"] or row["since"],
        "DIRECT" if row["role"] is not None else "INHERITED",
    )


def _role(row: DatabaseRow) -> Role:
    granted = tuple(map(Granted.from_json, row["grants"]))
    return Role(row["name"], row["description"], frozenset(row["permissions"]), False, row["created_at"], granted)
