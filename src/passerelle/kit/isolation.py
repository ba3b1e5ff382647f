"""The proof that row-level security binds what the application does: without it every workspace would see all."""

from __future__ import annotations

from typing import Any, Final

from passerelle.kit.errors import CommandError

_PROOF: Final = """
    SELECT current_user::text AS role, session_user::text AS login, current_setting('row_security') AS row_security,
        (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS above,
        (SELECT coalesce(array_agg(c.relname::text ORDER BY c.relname), '{}')
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
             AND NOT row_security_active(c.oid)) AS unbound,
        (SELECT count(*) FROM workspace) AS foreign_rows
"""
"""Asked for a workspace that nobody has: a row that it sees is another's."""


class NotIsolatedError(CommandError):
    """Row-level security does not bind us; the message says why, and what to do."""


async def require_isolation(connection: Any, role: str) -> None:
    """Raises `NotIsolatedError` unless the connection works under `role` and sees no row of another workspace.

    The connection serves a workspace that does not exist.
    """
    found = await connection.fetchrow(_PROOF)
    if found["role"] != role:
        raise NotIsolatedError(
            f"the database works under the role {found['role']}, not {role}: something between here and PostgreSQL "
            "drops `SET ROLE`. Set PASSERELLE_DATABASE_POOLED=on, or give the address of PostgreSQL itself"
        )
    if found["above"]:
        raise NotIsolatedError(
            f"the role {role} is above row-level security: "
            f"run `ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS` as a superuser"
        )
    if found["row_security"] != "on":
        raise NotIsolatedError(
            f"row_security is off for {found['login']}: run `ALTER ROLE {found['login']} RESET row_security`, "
            "and take it out of the database's settings"
        )
    if found["unbound"]:
        raise NotIsolatedError(
            f"row-level security does not bind the role {role} in {', '.join(found['unbound'])}: the role must own no "
            "table, and each must have it enabled. Run `passerelle migrate` as the owner of the tables"
        )
    if found["foreign_rows"]:
        raise NotIsolatedError(
            f"the role {role} sees rows of other workspaces: "
            "drop the policies that somebody has added to the tables of Passerelle"
        )
