"""The role that the application works under: it owns nothing, so that row-level security binds it.

Roles belong to the whole cluster, so each database has its own: named after the database, unless the operator says
otherwise. Statements are written with the name `passerelle_app`, and get the role's own on their way.
"""

from __future__ import annotations

import re
from typing import Any, Final

import asyncpg

from passerelle.kit.address import PUBLIC
from passerelle.kit.connections import APP_ROLE, PlainConnection, granted_role
from passerelle.migrations.applied import SchemaError

_LONGEST: Final = 63
_IN_PUBLIC: Final = re.compile(r"\b(search_path = |SCHEMA )public\b")
_WRITTEN: Final = re.compile(rf"\b{APP_ROLE}\b")


class RoleConnection(PlainConnection):
    """A connection whose statements mean `role` where they say `passerelle_app`, and its schema for `public`."""

    role = APP_ROLE

    async def execute(self, query: str, *arguments: Any, **options: Any) -> str:
        """As asyncpg's."""
        return await super().execute(self._meant(query), *arguments, **options)

    async def fetch(self, query: str, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's."""
        return await super().fetch(self._meant(query), *arguments, **options)

    async def prepare(self, query: str, **options: Any) -> Any:
        """As asyncpg's: SQLAlchemy prepares everything."""
        return await super().prepare(self._meant(query), **options)

    def _meant(self, query: str) -> str:
        meant = query if self.role == APP_ROLE else _WRITTEN.sub(self.role, query)
        return meant if self.schema == PUBLIC else _IN_PUBLIC.sub(rf"\g<1>{self.schema}", meant)


async def make_schema(connection: RoleConnection) -> None:
    """See that the schema is there. Raises `SchemaError` with the line that a database administrator has to run."""
    schema = connection.schema
    if await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema):
        return
    try:
        await connection.execute(f"CREATE SCHEMA {schema}")
    except asyncpg.InsufficientPrivilegeError:
        login = await connection.fetchval("SELECT current_user")
        raise SchemaError(
            f"the schema {schema} cannot be made by {login}. Have an administrator run: "
            f'CREATE SCHEMA {schema} AUTHORIZATION "{login}";'
        ) from None


async def choose_role(connection: PlainConnection, wanted: str | None) -> str:
    """The role of this database: the one that it has, or `wanted`, or one that is named after the database,
    and after the schema where that is a special one.

    Raises `SchemaError` where it has another than the one that is wanted.
    """
    granted = await granted_role(connection)
    if granted is not None and wanted not in (None, granted):
        raise SchemaError(
            f"PASSERELLE_DATABASE_ROLE is {wanted}, and the database's tables were given to {granted}: leave it out"
        )
    if granted is not None or wanted is not None:
        return str(granted or wanted)
    database = str(await connection.fetchval("SELECT current_database()"))
    named = database.lower() if connection.schema == PUBLIC else f"{database.lower()}_{connection.schema}"
    return re.sub(r"\W", "_", named)[: _LONGEST - len("_app")] + "_app"


async def make_role(connection: asyncpg.Connection[Any], role: str) -> None:
    """See that the role is there and that we may switch to it; nothing is changed where it is.

    Raises `SchemaError` with the one line that a database administrator has to run.
    """
    may = "SELECT pg_has_role(current_user, oid, 'SET') FROM pg_roles WHERE rolname = $1"
    try:
        async with connection.transaction():
            found = await connection.fetchval(may, role)
            if found is None:
                await connection.execute(f"CREATE ROLE {role} NOLOGIN")
                found = await connection.fetchval(may, role)
            if not found:
                await connection.execute(f"GRANT {role} TO CURRENT_USER")
    except asyncpg.UniqueViolationError:
        await make_role(connection, role)  # another database of the cluster has made it at this moment
    except asyncpg.InsufficientPrivilegeError:
        login = await connection.fetchval("SELECT current_user")
        made = "" if found is not None else f"CREATE ROLE {role} NOLOGIN; "
        raise SchemaError(
            f"the role {role}, which the application works under, cannot be made or used by {login}. Have an "
            f'administrator run: {made}GRANT {role} TO "{login}";'
        ) from None
