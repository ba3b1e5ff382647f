"""The only way to a connection. Whoever takes one names the workspace or the organization that it will serve.

Row-level security compares every row with the connection's `passerelle.workspace` and `passerelle.organization`, and
binds only a role that owns nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, cast
from uuid import UUID, uuid4

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy

from passerelle.kit.address import parse_address, why_refused
from passerelle.kit.connections import (
    APP_ROLE,
    CONNECTING,
    LEAVING,
    NO_WORKSPACE,
    STATEMENT,
    PlainConnection,
    PooledConnection,
    SessionSettings,
    connect,
    granted_role,
    is_pooled,
    leave_clean,
    to_pooler,
    to_server,
)
from passerelle.kit.errors import Code
from passerelle.kit.isolation import NotIsolatedError, require_isolation
from passerelle.kit.observer import observer
from passerelle.kit.replica import WRITTEN_SO_FAR, Replica
from passerelle.kit.turns import Turns

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
R = TypeVar("R")


DatabaseRow = asyncpg.Record
"""A row as the driver gives it. A repository makes of it what the service gets."""


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

    def transaction(self, *, isolation: Any = None) -> AbstractAsyncContextManager[Any]:
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


async def take_turn(connection: Connection, what: str) -> None:
    """Wait until no other transaction has this turn; it ends with the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", what)


def made_from(kind: type[T], row: DatabaseRow, **given: Any) -> T:
    """An instance of a dataclass: its fields are the columns of the same name, but for those that are given."""
    names = [field.name for field in fields(kind) if field.name not in given]
    return kind(**{name: row[name] for name in names}, **given)


WAITING: Final = 10.0
"""Seconds for a connection of the pool to become free."""
ANSWER: Final = STATEMENT + 5.0
"""Seconds for a statement, as we count: for a server that counts no more."""

DATABASE_UNAVAILABLE: Final = Code(
    "DATABASE_UNAVAILABLE", 503, "The database does not answer. The request changed nothing; send it again."
)

DATABASE_NOT_ISOLATED: Final = Code(
    "DATABASE_NOT_ISOLATED", 503, "The database would not keep workspaces apart, so nothing is read or written."
)
PROVED_EVERY: Final = 10.0
"""Seconds between two proofs that row-level security binds us."""
PATIENCE: Final = 0.8
"""Seconds in which the database has to answer to be called ready."""

log = structlog.get_logger("passerelle.database")


Pooled = Literal["auto", "on", "off"]


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


_POOLED: Final[type[Connection]] = PooledConnection
"""Has the type checker look whether what is written anew there still does what `Connection` promises."""


class NoConnectionFreeError(TimeoutError):
    """All connections of the pool were in use for `WAITING` seconds."""


async def _in_time(waiting: Awaitable[R]) -> R:
    limit = asyncio.timeout(WAITING)
    try:
        async with limit:
            return await waiting
    except TimeoutError as error:
        if limit.expired():
            raise NoConnectionFreeError(f"all connections were in use for {WAITING:g} s") from error
        raise


@dataclass(slots=True)
class _Serving:
    """A connection of the pool, in its workspace's turn, for as long as the block takes.

    as_it_is   it goes on serving whomever it served last
    """

    pool: asyncpg.Pool[Any]
    turns: Turns
    workspace_id: UUID
    organization_id: UUID | None = None
    as_it_is: bool = False
    _taken: PoolConnectionProxy[Any] = field(init=False)

    async def __aenter__(self) -> Connection:
        if not self.turns.take_now(self.workspace_id):
            await _in_time(self.turns.take(self.workspace_id))
        try:
            self._taken = await _in_time(self.pool.acquire())
        except BaseException:
            self.turns.give_back(self.workspace_id)
            raise
        connection = cast("Connection", self._taken)  # a proxy, which has what the connection has
        try:
            if not self.as_it_is:
                await connection.serve(self.workspace_id, self.organization_id)
        except BaseException:
            await self._give_back()
            raise
        return connection

    async def __aexit__(self, *_: object) -> None:
        await self._give_back()

    async def _give_back(self) -> None:
        try:
            await self.pool.release(self._taken, timeout=LEAVING)
        finally:
            self.turns.give_back(self.workspace_id)


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
        self._replica = Replica(partial(_open_replica, target.read_url)) if target.read_url is not None else None
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
        is_behind_pooler, role = await _look(url, name)
        session = SessionSettings(target.role or role, parse_address(url).schema)
        behind = is_behind_pooler if target.pooled == "auto" else target.pooled == "on"
        pool = await asyncpg.create_pool(
            **parse_address(url).arguments(),
            timeout=CONNECTING,
            command_timeout=ANSWER,
            min_size=min(2, size),
            max_size=size,
            reset=leave_clean,
            server_settings={"application_name": name},
            **to_pooler(session, plain_json) if behind else to_server(session, plain_json),
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
        if observer.get() is not None and workspace_id != NO_WORKSPACE:
            return self.transaction(workspace_id)
        if self._refusal is not None:
            raise DATABASE_NOT_ISOLATED.error(self._refusal)
        return self._serving(workspace_id)

    def joined(self, connection: Connection | None, workspace_id: UUID) -> AbstractAsyncContextManager[Connection]:
        """The caller's connection, where it has one that serves this workspace; else as `workspace`."""
        return self.workspace(workspace_id) if connection is None else nullcontext(connection)

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
            _observed(connection, workspace_id, organization=False),
        ):
            yield connection

    @asynccontextmanager
    async def reading(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """As `workspace`, for lists and exports, which change nothing.

        It may be a replica's, if that has everything that was committed before: nobody misses what they have written,
        through whichever process.
        """
        if self._replica is None or not self._replica.is_there or observer.get() is not None:
            async with self.workspace(workspace_id) as connection:
                yield connection
            return
        async with self.shared() as connection:
            position: str = await connection.fetchval(WRITTEN_SO_FAR)
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
            _observed(connection, organization_id, organization=True),
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
        async with _Serving(self._pool, self._turns, NO_WORKSPACE, as_it_is=True) as connection:
            return await connection.fetch(f"SELECT * FROM {function}({places})", *arguments)  # noqa: S608

    async def prove(self) -> None:
        """Raises `NotIsolatedError` unless row-level security binds what comes out of the pool."""
        async with self._serving(uuid4()) as connection:
            await require_isolation(connection, self._session.role)

    async def keep_proving(self) -> None:
        """Prove it again and again, for as long as the process lives; nothing is read or written while it fails."""
        while True:
            await asyncio.sleep(PROVED_EVERY)
            try:
                if self._replica is not None:
                    await self._replica.seek(self.target.role, size=self._pool.get_max_size())
                await self.prove()
                self._refusal = None
            except NotIsolatedError as error:
                log.critical("database.not_isolated", reason=str(error))
                self._refusal = str(error)
            except Exception as error:
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


def _observed(connection: Connection, chain: UUID, *, organization: bool) -> AbstractAsyncContextManager[None]:
    one = observer.get()
    if one is None or chain == NO_WORKSPACE:
        return nullcontext()
    return one.around(connection, chain, organization=organization)


async def _open_replica(url: str, role: str | None, size: int) -> Database:
    return await Database.open(Target(url, role=role), size=size, name="passerelle reading")


async def _look(url: str, name: str) -> tuple[bool, str]:
    """Whether there is a pooler before the database, and the role that its tables were given to."""
    connection = await connect(url, name)
    try:
        return await is_pooled(connection), await granted_role(connection) or APP_ROLE
    finally:
        await connection.close(timeout=LEAVING)
