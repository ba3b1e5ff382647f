"""Connections to PostgreSQL: to the server itself, to a pooler before it, and as the user that the address names.

On a connection of our own it is said once whose rows it may see, and remembered: in each transaction that would cost a
round trip. Behind a pooler (PgBouncer, RDS Proxy, Supavisor, Odyssey) the next transaction may run on any connection of
the server, so it is said inside of each transaction, for that transaction alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg
import orjson

from passerelle.kit.address import PUBLIC, parse_address
from passerelle.kit.errors import CommandError

APP_ROLE: Final = "passerelle_app"
NO_WORKSPACE: Final = UUID(int=0)

OLDEST: Final = 16
"""The first release of PostgreSQL that does: `GRANT … WITH SET` says who may work as a role."""
CONNECTING: Final = 10.0
"""Seconds for a connection to be made."""
STATEMENT: Final = 30
"""Seconds for a statement, as the server counts."""
LEAVING: Final = 3.0
"""Seconds for connections to be given back at the end."""
Served = tuple[UUID, UUID | None]
"""A workspace, and an organization if one is served."""
Result = TypeVar("Result")
Plain = TypeVar("Plain", bound="PlainConnection")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What holds for every statement of the application."""

    role: str = APP_ROLE
    schema: str = PUBLIC

    def settings(self, served: Served | None, *, local: bool) -> str:
        """The statement that sets it, for the transaction or for as long as the connection lives."""
        values = {
            "role": self.role,
            "search_path": self.schema,
            "row_security": "on",
            "jit": "off",
            "statement_timeout": f"{STATEMENT}s",
            "idle_in_transaction_session_timeout": "60s",
        }
        if served is not None:
            values["passerelle.workspace"] = str(served[0])
            values["passerelle.organization"] = str(served[1] or "")
        return "SELECT " + ", ".join(
            f"set_config({_literal(name)}, {_literal(value)}, {str(local).lower()})" for name, value in values.items()
        )


class OwnConnection(asyncpg.Connection):
    """A connection to the server itself, which remembers whom it serves."""

    _served: Served | None = None

    async def serve(self, workspace_id: UUID, organization_id: UUID | None = None) -> None:
        """Name the workspace, or the organization, whose rows the next statements may see."""
        served = (workspace_id, organization_id)
        if served != self._served:
            self._served = None
            await self.execute(
                "SELECT set_config('passerelle.workspace', $1, false), "
                "set_config('passerelle.organization', $2, false)",
                str(workspace_id),
                "" if organization_id is None else str(organization_id),
            )
            self._served = served


class PooledConnection(asyncpg.Connection):
    """A connection to a pooler. Each statement runs in a transaction, which begins by saying for whom.

    Statements are not prepared by name: the next transaction may run where they are not known.
    """

    session = SessionSettings()
    _served: Served = (NO_WORKSPACE, None)
    _savepoints = 0

    async def serve(self, workspace_id: UUID, organization_id: UUID | None = None) -> None:
        """Name the workspace, or the organization, whose rows the next transactions may see."""
        self._served = (workspace_id, organization_id)

    def transaction(self, **_: Any) -> AbstractAsyncContextManager[None]:  # type: ignore[override]
        """What happens inside commits together, or not at all. Inside of another one it is a savepoint."""
        return self._savepoint() if self.is_in_transaction() else self._outermost()

    async def execute(self, *arguments: Any, **options: Any) -> str:
        """As asyncpg's, in a transaction."""
        return await self._inside(super().execute, *arguments, **options)

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's, in a transaction."""
        return await self._inside(super().fetch, *arguments, **options)

    async def fetchrow(self, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's, in a transaction."""
        return await self._inside(super().fetchrow, *arguments, **options)

    async def fetchval(self, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's, in a transaction."""
        return await self._inside(super().fetchval, *arguments, **options)

    async def _inside(self, act: Callable[..., Awaitable[Result]], *arguments: Any, **options: Any) -> Result:
        if self.is_in_transaction():
            return await act(*arguments, **options)
        async with self._outermost():
            return await act(*arguments, **options)

    @asynccontextmanager
    async def _outermost(self) -> AsyncIterator[None]:
        command = super().execute
        try:
            # One message, and so one round trip.
            await command(f"BEGIN; {self.session.settings(self._served, local=True)}")
            yield
        except BaseException:
            if not self.is_closed():
                await command("ROLLBACK")
            raise
        await command("COMMIT")

    @asynccontextmanager
    async def _savepoint(self) -> AsyncIterator[None]:
        command = super().execute
        self._savepoints += 1
        name = f"passerelle_{self._savepoints}"
        await command(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            if not self.is_closed():
                await command(f"ROLLBACK TO SAVEPOINT {name}")
            raise
        await command(f"RELEASE SAVEPOINT {name}")


class PlainConnection(asyncpg.Connection):
    """A connection as the user that the address names."""

    schema = PUBLIC

    @asynccontextmanager
    async def within(self) -> AsyncIterator[None]:
        """A transaction that finds our tables. Set for it alone: behind a pooler the next one may be elsewhere."""
        async with self.transaction():
            await self.execute("SELECT set_config('search_path', $1, true)", self.schema)
            yield


async def connect(url: str, name: str, **options: Any) -> PlainConnection:
    """A connection as the user that `url` names: for migrations and for what is asked at the start."""
    return await connect_as(PlainConnection, url, name, **options)


async def connect_as(kind: type[Plain], url: str, name: str, **options: Any) -> Plain:
    """The same, as a connection of that class.

    It has no startup parameters that a pooler would refuse; what is to go through one needs a transaction around it.
    Raises `ValueError` for an address that is none.
    """
    address = parse_address(url)
    given = {"timeout": CONNECTING, "connection_class": kind, **address.arguments(), **options}
    connection: Plain = await asyncpg.connect(
        server_settings={"application_name": name}, statement_cache_size=0, **given
    )
    connection.schema = address.schema
    try:
        require_new_enough(connection.get_server_version().major)
    except CommandError:
        await connection.close(timeout=LEAVING)
        raise
    return connection


def require_new_enough(major: int) -> None:
    """Raises `CommandError` for a release of PostgreSQL that we do not work with."""
    if major < OLDEST:
        raise CommandError(
            f"PostgreSQL {major} is too old: Passerelle needs {OLDEST} or later. Upgrade the server, then start again"
        )


async def is_pooled(connection: asyncpg.Connection[Any]) -> bool:
    """Whether something stands between us and the server: the process that we were told of is another one."""
    async with connection.transaction():
        return bool(connection.get_server_pid() != await connection.fetchval("SELECT pg_backend_pid()"))


@asynccontextmanager
async def listening(url: str, name: str) -> AsyncIterator[PlainConnection]:
    """A connection of one's own, for `LISTEN`."""
    connection = await connect(url, name)
    try:
        yield connection
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=LEAVING)


async def granted_role(connection: PlainConnection) -> str | None:
    """The role that the tables were given to; None where there are none."""
    async with connection.within():
        roles = await connection.fetch(
            "SELECT DISTINCT r.rolname::text FROM pg_class c, aclexplode(c.relacl) a "
            "JOIN pg_roles r ON r.oid = a.grantee "
            "WHERE c.oid = to_regclass('workspace') AND a.privilege_type = 'INSERT' AND a.grantee <> c.relowner"
        )
    return str(roles[0]["rolname"]) if len(roles) == 1 else None


def to_server(session: SessionSettings, plain_json: bool) -> dict[str, Any]:
    async def prepare(connection: asyncpg.Connection[Any]) -> None:
        await connection.execute(session.settings(None, local=False))
        if not plain_json:
            await _read_json(connection)

    return {"connection_class": OwnConnection, "init": prepare}


def to_pooler(session: SessionSettings, plain_json: bool) -> dict[str, Any]:
    class Ours(PooledConnection):
        pass

    Ours.session = session
    return {"connection_class": Ours, "init": None if plain_json else _read_json, "statement_cache_size": 0}


async def _read_json(connection: asyncpg.Connection[Any]) -> None:
    # Binary jsonb is the text behind one version byte: it spares the server and asyncpg a conversion.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
        format="binary",
    )


async def leave_clean(connection: asyncpg.Connection[Any]) -> None:
    # asyncpg's own reset costs 30 % of a small transaction. Nothing here leaves settings, locks or listeners
    # behind; an open transaction would be a fault, and its connection is not used again.
    if connection.is_in_transaction():
        connection.terminate()
