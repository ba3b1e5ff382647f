"""The only way to a connection. Whoever takes one names the workspace or the organization that it will serve.

DatabaseRow-level security compares every row with the connection's `passerelle.workspace` and
`passerelle.organization`, and binds only a role that owns
nothing. On a connection of our own both are set once and remembered: in each transaction they would cost a round
trip. Behind a pooler (PgBouncer, RDS Proxy, Supavisor, Odyssey) the next transaction may run on any connection of the
server, so both are set inside of each transaction, for that transaction alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol, TypeVar, cast
from uuid import UUID, uuid4

import asyncpg
import orjson
import structlog
from asyncpg.pool import PoolConnectionProxy

from passerelle.kit.address import PUBLIC, parse_address, why_refused
from passerelle.kit.errors import Code, CommandError
from passerelle.kit.isolation import NotIsolatedError, require_isolation
from passerelle.kit.json import JsonObject
from passerelle.kit.turns import Turns


class DatabaseRow(Protocol):
    """A row as the driver gives it. A repository makes of it what the service gets."""

    def __getitem__(self, column: Any, /) -> Any:
        """The value of a column by its name or place; the values of a slice."""

    def __iter__(self) -> Iterator[Any]:
        """The values, in order."""

    def __len__(self) -> int:
        """How many columns there are."""

    def get(self, column: str, default: Any = None, /) -> Any:
        """The value of a column that may not be there."""

    def keys(self) -> Iterable[str]:
        """The names of the columns."""

    def values(self) -> Iterable[Any]:
        """The values, in order."""

    def items(self) -> Iterable[tuple[str, Any]]:
        """Each name with its value."""


class Connection(Protocol):
    """A connection that serves one workspace or organization: what of asyncpg's is used of it."""

    async def execute(self, query: str, *arguments: Any) -> str:
        """Run a statement; what the server says of it, such as `UPDATE 1`."""

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each list of arguments."""

    async def fetch(self, query: str, *arguments: Any) -> Sequence[DatabaseRow]:
        """All rows."""

    async def fetchrow(self, query: str, *arguments: Any) -> DatabaseRow | None:
        """The first row; None where there is none."""

    async def fetchval(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row; None where there is none."""

    def transaction(self, *, isolation: Any = None, readonly: bool = False) -> AbstractAsyncContextManager[Any]:
        """What happens inside commits together, or not at all. Inside of another one it is a savepoint."""

    def is_in_transaction(self) -> bool:
        """Whether one is open."""

    async def serve(self, workspace_id: UUID, organization_id: UUID | None = None) -> None:
        """Name whose rows the next statements may see."""


async def fetch_one(connection: Connection, query: str, *arguments: Any) -> DatabaseRow:
    """The first row of a statement that always gives one. Raises `LookupError` where it does not."""
    row = await connection.fetchrow(query, *arguments)
    if row is None:
        raise LookupError(f"no row: {query[:80]}")
    return row


APP_ROLE: Final = "passerelle_app"
NO_WORKSPACE: Final = UUID(int=0)

OLDEST: Final = 16
"""The first release of PostgreSQL that does: `GRANT … WITH SET` says who may work as a role."""
CONNECTING: Final = 10.0
"""Seconds for a connection to be made."""
WAITING: Final = 10.0
"""Seconds for a connection of the pool to become free."""
STATEMENT: Final = 30
"""Seconds for a statement, as the server counts."""
ANSWER: Final = STATEMENT + 5.0
"""Seconds for a statement, as we count: for a server that counts no more."""
LEAVING: Final = 3.0
"""Seconds for connections to be given back at the end."""

DATABASE_UNAVAILABLE: Final = Code(
    "DATABASE_UNAVAILABLE", 503, "The database does not answer. The request changed nothing; send it again."
)

DATABASE_NOT_ISOLATED: Final = Code(
    "DATABASE_NOT_ISOLATED", 503, "The database would not keep workspaces apart, so nothing is read or written."
)
PROVED_EVERY: Final = 10.0
"""Seconds between two proofs that row-level security binds us."""
FOLLOWING: Final = 0.1
"""Seconds that a replica has to catch up, before the first server is asked instead."""
LEFT_ALONE: Final = 1.0
"""Seconds for which one that had not caught up is not asked."""
PATIENCE: Final = 0.8
"""Seconds in which the database has to answer to be called ready."""

log = structlog.get_logger("passerelle.database")


class Companion(Protocol):
    """What goes along with a task and writes something of its own into the transaction in which that changes something.

    `passerelle.audit` writes who did it.
    """

    def concerns(self, object_id: object) -> None:
        """The id of what the task makes, as soon as it is known."""

    def tells(self, object_id: object, before: JsonObject | None, after: JsonObject | None) -> None:
        """What an object was and is, by whoever has just changed it in the transaction; None where it was or is not."""

    def along(self, connection: Connection, chain: UUID, *, organization: bool) -> AbstractAsyncContextManager[None]:
        """Stands around what happens in a transaction for `chain`: a workspace, or an organization."""


companion: Final[ContextVar[Companion | None]] = ContextVar("companion", default=None)
"""Who goes along with the present task. Meanwhile each use of a connection is one transaction."""


def concerns(object_id: object) -> None:
    """Tell whoever goes along the id of what is being made."""
    if (one := companion.get()) is not None:
        one.concerns(object_id)


def tells(object_id: object, before: JsonObject | None, after: JsonObject | None) -> None:
    """Tell whoever goes along what an object was and is, so that it need not be read again."""
    if (one := companion.get()) is not None:
        one.tells(object_id, before, after)


Pooled = Literal["auto", "on", "off"]
Served = tuple[UUID, UUID | None]
"""A workspace, and an organization if one is served."""
Result = TypeVar("Result")
Plain = TypeVar("Plain", bound="PlainConnection")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Target:
    """Which database, and what stands before it.

    pooled       whether `url` is a pooler's; `auto` finds out
    direct_url   the server's own address, to listen at
    read_url     a replica's address, for what only reads
    role         whom the application works as; None for the role that the tables were given to
    """

    url: str
    pooled: Pooled = "auto"
    direct_url: str | None = None
    role: str | None = None
    read_url: str | None = None


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


_POOLED: Final[type[Connection]] = PooledConnection
"""Has the type checker look whether what is written anew there still does what `Connection` promises."""


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


class _Serving:
    """A connection of the pool, in its workspace's turn, for as long as the block takes.

    as_it_is   it goes on serving whomever it served last
    """

    __slots__ = ("_as_it_is", "_organization_id", "_pool", "_taken", "_turns", "_workspace_id")
    _taken: PoolConnectionProxy[Any]

    def __init__(
        self,
        pool: asyncpg.Pool[Any],
        turns: Turns,
        workspace_id: UUID,
        organization_id: UUID | None,
        *,
        as_it_is: bool = False,
    ) -> None:
        self._pool = pool
        self._turns = turns
        self._workspace_id = workspace_id
        self._organization_id = organization_id
        self._as_it_is = as_it_is

    async def __aenter__(self) -> Connection:
        if not self._turns.take_now(self._workspace_id):
            async with asyncio.timeout(WAITING):
                await self._turns.take(self._workspace_id)
        try:
            async with asyncio.timeout(WAITING):
                self._taken = await self._pool.acquire()
        except BaseException:
            self._turns.give_back(self._workspace_id)
            raise
        connection = cast("Connection", self._taken)  # a proxy, which has what the connection has
        try:
            if not self._as_it_is:
                await connection.serve(self._workspace_id, self._organization_id)
        except BaseException:
            await self._give_back()
            raise
        return connection

    async def __aexit__(self, *_: object) -> None:
        await self._give_back()

    async def _give_back(self) -> None:
        try:
            await self._pool.release(self._taken, timeout=LEAVING)
        finally:
            self._turns.give_back(self._workspace_id)


class Database:
    """A pool of connections under the application's role.

    `workspace` and `transaction` serve one workspace, `organization` serves an organization: its users, and which
    workspaces it has, but nothing in them. `shared` serves none: it sees no workspace's rows, only what belongs to
    nobody (the job queue) and the few functions that are made to look across workspaces.

    Where all connections are in use, workspaces take turns at them.
    """

    def __init__(self, target: Target, pool: asyncpg.Pool[Any], session: SessionSettings, *, pooled: bool) -> None:
        self.target = replace(target, pooled="on" if pooled else "off")
        self.listens_at = target.direct_url or (None if pooled else target.url)
        """Where one can listen; None where there is only a pooler."""
        self._pool = pool
        self._turns = Turns(pool.get_max_size())
        self._session = session
        self.pooled = pooled
        self._refusal: str | None = None
        self._replica = Replica(target.read_url) if target.read_url is not None else None
        self._asking: asyncio.Task[str | None] | None = None
        self._watch: PlainConnection | None = None

    @classmethod
    async def open(
        cls, target: Target | str, *, size: int = 16, name: str = "passerelle", plain_json: bool = False
    ) -> Database:
        """Connect to a database, with at most `size` connections.

        plain_json   jsonb is given and taken as text

        Raises `NotIsolatedError` where row-level security would not bind us.
        """
        if isinstance(target, str):
            target = Target(target)
        url = target.url
        found = await _look(url, name)
        session = SessionSettings(target.role or found.role, parse_address(url).schema)
        behind = found.pooled if target.pooled == "auto" else target.pooled == "on"
        pool = await asyncpg.create_pool(
            **parse_address(url).arguments(),
            timeout=CONNECTING,
            command_timeout=ANSWER,
            min_size=min(2, size),
            max_size=size,
            reset=_leave_clean,
            server_settings={"application_name": name},
            **_to_pooler(session, plain_json) if behind else _to_server(session, plain_json),
        )
        database = cls(target, pool, session, pooled=behind)
        try:
            await database.prove()
        except BaseException:
            await database.close()
            raise
        if database._replica is not None:
            await database._replica.seek(target.role, size=size)
        return database

    async def close(self) -> None:
        """Wait a moment for the connections that are in use, then close all."""
        if self._watch is not None:
            self._watch.terminate()
        if self._replica is not None:
            await self._replica.close()
        try:
            async with asyncio.timeout(LEAVING):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    def workspace(self, workspace_id: UUID) -> AbstractAsyncContextManager[Connection]:
        """A connection that sees the rows of this workspace. Each statement commits by itself."""
        if companion.get() is not None and workspace_id != NO_WORKSPACE:
            return self.transaction(workspace_id)
        if self._refusal is not None:
            raise DATABASE_NOT_ISOLATED.error(self._refusal)
        return self._serving(workspace_id)

    def _serving(self, workspace_id: UUID, organization_id: UUID | None = None) -> _Serving:
        return _Serving(self._pool, self._turns, workspace_id, organization_id)

    @asynccontextmanager
    async def transaction(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """As `workspace`; what happens inside commits together, or not at all."""
        if self._refusal is not None:
            raise DATABASE_NOT_ISOLATED.error(self._refusal)
        async with (
            self._serving(workspace_id) as connection,
            connection.transaction(),
            _accompanied(connection, workspace_id, organization=False),
        ):
            yield connection

    @asynccontextmanager
    async def reading(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """As `workspace`, for lists and exports, which change nothing.

        It may be a replica's, if that has everything that was committed before: nobody misses what they have written,
        through whichever process.
        """
        if self._replica is None or not self._replica.is_there or companion.get() is not None:
            async with self.workspace(workspace_id) as connection:
                yield connection
            return
        async with self.shared() as connection:
            position: str = await connection.fetchval(_WRITTEN_SO_FAR)
        async with AsyncExitStack() as held:
            reading = await self._replica.caught_up(held, workspace_id, position)
            try:
                yield await held.enter_async_context(self.workspace(workspace_id)) if reading is None else reading
            except asyncpg.SerializationError as error:
                raise DATABASE_UNAVAILABLE.error(
                    "the replica has cut off what was being read: send the request again", headers={"Retry-After": "1"}
                ) from error

    @asynccontextmanager
    async def organization(self, organization_id: UUID) -> AsyncIterator[Connection]:
        """A connection that sees an organization's rows. What happens inside commits together, or not at all."""
        if self._refusal is not None:
            raise DATABASE_NOT_ISOLATED.error(self._refusal)
        async with (
            self._serving(NO_WORKSPACE, organization_id) as connection,
            connection.transaction(),
            _accompanied(connection, organization_id, organization=True),
        ):
            yield connection

    def shared(self) -> AbstractAsyncContextManager[Connection]:
        """A connection that sees no workspace's rows."""
        return self.workspace(NO_WORKSPACE)

    async def ask(self, function: str, *arguments: Any) -> Sequence[DatabaseRow]:
        """The rows that one of the functions gives which look across workspaces.

        They see the same whomever a connection serves: to name nobody first would cost a round trip, and another one
        whoever has the connection next.
        """
        if self._refusal is not None:
            raise DATABASE_NOT_ISOLATED.error(self._refusal)
        places = ", ".join(f"${number}" for number in range(1, len(arguments) + 1))
        async with _Serving(self._pool, self._turns, NO_WORKSPACE, None, as_it_is=True) as connection:
            return await connection.fetch(f"SELECT * FROM {function}({places})", *arguments)  # noqa: S608

    async def prove(self) -> None:
        """Raises `NotIsolatedError` unless row-level security binds what comes out of the pool."""
        async with self._serving(uuid4()) as connection:
            await require_isolation(connection, self._session.role)

    async def keep_proving(self) -> None:
        """Prove it again and again, for as long as the process lives; nothing is read or written while it fails."""
        while True:
            await asyncio.sleep(PROVED_EVERY)
            if self._replica is not None:
                await self._replica.seek(self.target.role, size=self._pool.get_max_size())
            try:
                await self.prove()
                self._refusal = None
            except NotIsolatedError as error:
                log.critical("database.not_isolated", reason=str(error))
                self._refusal = str(error)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("database.unproved", error=repr(error))

    @property
    def connections(self) -> tuple[int, int]:
        """How many of the pool are busy, and how many there may be."""
        return self._pool.get_size() - self._pool.get_idle_size(), self._pool.get_max_size()

    @property
    def has_replica(self) -> bool | None:
        """Whether the replica is there; None where there is to be none."""
        return None if self._replica is None else self._replica.is_there

    async def answers(self) -> str | None:
        """Why the database cannot be used now, within a second; None if it can.

        It is asked on a connection of its own: those of the pool may all be busy with good reason.
        """
        if self._refusal is not None:
            return self._refusal
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        done, _ = await asyncio.wait({self._asking}, timeout=PATIENCE)
        return self._asking.result() if done else "the database does not answer"

    async def _ask(self) -> str | None:
        try:
            if self._watch is None or self._watch.is_closed():
                self._watch = await connect(self.target.url, "passerelle readiness", timeout=PATIENCE)
            await self._watch.fetchval("SELECT 1", timeout=PATIENCE)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if self._watch is not None:
                self._watch.terminate()
            return why_refused(error)
        return None


class Replica:
    """A server that follows the first one, and is asked only where it has caught up. Without it all goes on."""

    def __init__(self, url: str, timer: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._timer = timer
        self._database: Database | None = None
        self._not_before = 0.0
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def is_there(self) -> bool:
        """Whether it is to be asked now."""
        return self._database is not None and self._timer() >= self._not_before

    async def seek(self, role: str | None, *, size: int) -> None:
        """Connect to it, or prove again that row-level security binds us there; leave it alone where that fails."""
        try:
            if self._database is None:
                self._database = await Database.open(Target(self._url, role=role), size=size, name="passerelle reading")
                log.info("replica.found")
            else:
                await self._database.prove()
        except (OSError, CommandError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            log.warning("replica.lost", reason=why_refused(error), meaning="everything is read from the first server")
            await self.close()

    async def caught_up(self, held: AsyncExitStack, workspace_id: UUID, position: str) -> Connection | None:
        """A connection that sees all that was written up to `position`, kept in `held`; None where there is none."""
        mine = AsyncExitStack()
        # In a task of its own: of a server that hangs nobody waits for the connection to be given back.
        following = asyncio.create_task(self._follow(mine, workspace_id, position))
        try:
            await asyncio.wait({following}, timeout=FOLLOWING)
        except asyncio.CancelledError:
            self._leave(following, mine)
            raise
        if not following.done() or following.exception() is not None:
            self._not_before = self._timer() + LEFT_ALONE
            self._leave(following, mine)
            return None
        held.push_async_exit(mine)
        return following.result()

    async def _follow(self, mine: AsyncExitStack, workspace_id: UUID, position: str) -> Connection:
        assert self._database is not None
        connection = await mine.enter_async_context(self._database.workspace(workspace_id))
        while not await connection.fetchval(_HAS, position):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(FOLLOWING / 20)
        return connection

    def _leave(self, following: asyncio.Task[Connection], mine: AsyncExitStack) -> None:
        async def leave() -> None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                await mine.aclose()

        leaving = asyncio.create_task(leave())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def close(self) -> None:
        """Ask it no more."""
        database, self._database = self._database, None
        if database is not None:
            await database.close()
        await asyncio.gather(*self._leaving, return_exceptions=True)


_WRITTEN_SO_FAR: Final = """
    SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()
            ELSE pg_current_wal_flush_lsn() END)::text
"""
_HAS: Final = "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)"
"""A server that follows nobody has no such position: it is not asked."""


def _accompanied(connection: Connection, chain: UUID, *, organization: bool) -> AbstractAsyncContextManager[None]:
    one = companion.get()
    if one is None or chain == NO_WORKSPACE:
        return nullcontext()
    return one.along(connection, chain, organization=organization)


@asynccontextmanager
async def listening(url: str, name: str) -> AsyncIterator[PlainConnection]:
    """A connection of one's own, for `LISTEN`."""
    connection = await connect(url, name)
    try:
        yield connection
    finally:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=LEAVING)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a first connection tells of a database."""

    pooled: bool
    role: str


async def _look(url: str, name: str) -> _Found:
    connection = await connect(url, name)
    try:
        return _Found(await is_pooled(connection), await granted_role(connection) or APP_ROLE)
    finally:
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


def _to_server(session: SessionSettings, plain_json: bool) -> dict[str, Any]:
    async def prepare(connection: asyncpg.Connection[Any]) -> None:
        await connection.execute(session.settings(None, local=False))
        if not plain_json:
            await _read_json(connection)

    return {"connection_class": OwnConnection, "init": prepare}


def _to_pooler(session: SessionSettings, plain_json: bool) -> dict[str, Any]:
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


async def _leave_clean(connection: asyncpg.Connection[Any]) -> None:
    # asyncpg's own reset costs 30 % of a small transaction. Nothing here leaves settings, locks or listeners
    # behind; an open transaction would be a fault, and its connection is not used again.
    if connection.is_in_transaction():
        connection.terminate()
