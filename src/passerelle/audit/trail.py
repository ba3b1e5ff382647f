"""Writes the audit: with the change itself where there is one, a moment later where nothing is changed.

A change is written down in the transaction that makes it, so that neither is there without the other. Reads and
refusals are gathered for a moment: who asks the same a thousand times fills one line. A page that keeps itself up to
date reads the same for hours: what it reads again within ten minutes is counted, and written when they are over.
Sealing, which gives every entry its place in the chain, comes behind: so no request waits for another one's place.
"""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg
import structlog
from starlette.types import Scope

from passerelle.audit import objects, repository
from passerelle.audit.models import NOWHERE, SYSTEM, Actor, Entry, NamedChain, Origin, Outcome
from passerelle.audit.reading import AuditReading
from passerelle.kit.clock import Clock
from passerelle.kit.connections import NO_WORKSPACE
from passerelle.kit.database import Connection, Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.auditing import AuditedRequest
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.context import present
from passerelle.kit.ids import NewId, new_id
from passerelle.kit.json import JsonObject
from passerelle.kit.observer import observer

log = structlog.get_logger("passerelle.audit")

GATHERED_FOR: Final = 0.25
"""Seconds after which reads and refusals are written."""
READ_AGAIN: Final = timedelta(minutes=10)
"""How long the same read is only counted after it was written."""
LOOKED_AFTER: Final = 60.0
"""Seconds after which it is looked whether that time is over, where nothing else is written."""
MOST_GATHERED: Final = 1_000
"""Different ones that are gathered; whoever comes next waits until they are written."""
MOST_NAMED: Final = 500
"""Executions that one entry names."""
_LONGEST_AGENT: Final = 300
_BATCH: Final = 5_000


@dataclass(frozen=True, slots=True)
class AuditedAction:
    """What somebody did, before it is known in which chain it is written."""

    action: str
    by: Actor
    category: str = "change"
    outcome: Outcome = "done"
    code: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    within: tuple[tuple[str, str], ...] = ()
    origin: Origin = NOWHERE


class Occurrence(NamedTuple):
    """What is written down a moment later: its id and time, as of when it happened first, and how often since."""

    id: UUID
    at: datetime
    times: int
    workflows: tuple[str, ...] = ()
    """The executions that it was done to, where the object is their definition."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What one caller has done to executions of one definition since it was last written."""

    place: tuple[UUID, bool, AuditedAction]
    id: UUID
    at: datetime
    workflows: list[str]


@dataclass(slots=True)
class _ReadAgain:
    """What was read and written, and how often since."""

    until: datetime
    more: Occurrence | None = None


class AuditTrail:
    """The feature's service. `keep`: how long entries are kept where a workspace says nothing else; None for good."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId, keep: timedelta | None = None) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._keep = keep
        self.reading = AuditReading(database)
        self._gathered: dict[tuple[UUID, bool, AuditedAction], Occurrence] = {}
        self._done: dict[Hashable, _Done] = {}
        self._reads: dict[tuple[UUID, bool, AuditedAction], _ReadAgain] = {}
        self._writing = asyncio.Lock()
        self._news = asyncio.Event()

    def change(self, request: AuditedRequest) -> AbstractAsyncContextManager[None]:
        """Stands around a request: it is written down in the transaction of its first change, or after it."""
        return self._observed(_happened(request), *_place_of(request.caller))

    def as_operator(self, action: str, kind: str | None) -> AbstractAsyncContextManager[None]:
        """Stands around a command that works on the database: what it changes is written down where it changes it."""
        happened = AuditedAction(action, Actor("operator", None, _login()), object_kind=kind)
        return self._observed(happened, NO_WORKSPACE, organization=False)

    async def note(self, request: AuditedRequest, code: str | None = None) -> None:
        """Write down, within a moment, what changes nothing: a read of personal data, or a refusal with its `code`."""
        happened = _happened(request)
        happened = replace(happened, origin=replace(happened.origin, request_id=None))
        if code is not None:
            happened = replace(happened, category="access", outcome="refused", code=code)
        chain, organization = _place_of(request.caller)
        if chain != NO_WORKSPACE:
            await self.gather(chain, happened, organization=organization)

    async def gather(self, chain: UUID, happened: AuditedAction, *, organization: bool) -> None:
        """Have it written within a moment: it takes no time of the caller's, who may not learn whether it is."""
        place = (chain, organization, happened)
        if self._is_read_again(place):
            return
        if place not in self._gathered and len(self._gathered) >= MOST_GATHERED:
            await self._write()
        self._add(place, Occurrence(self._new_id(), self._clock(), 1))
        self._news.set()

    async def gather_execution(
        self, chain: UUID, action: str, caller: Principal, definition_id: UUID, execution_id: UUID
    ) -> None:
        """The same of something that is done to very many executions: those of one definition share an entry."""
        origin = present_origin()
        same = (chain, action, caller.id, caller.session_id, definition_id, origin.address, origin.user_agent)
        done = self._done.get(same)
        if done is None:
            if len(self._done) >= MOST_GATHERED:
                await self._write()
            happened = AuditedAction(action, actor_of(caller), object_kind="definition", object_id=str(definition_id))
            happened = replace(happened, origin=replace(origin, request_id=None))
            done = self._done[same] = _Done((chain, False, happened), self._new_id(), self._clock(), [])
            self._news.set()
        done.workflows.append(str(execution_id))
        if len(done.workflows) >= MOST_NAMED:
            await self._write()

    def _is_read_again(self, place: tuple[UUID, bool, AuditedAction]) -> bool:
        """Whether it was written lately, and is counted now. Exports are never: each gives out everything."""
        happened, now = place[2], self._clock()
        if happened.category != "read" or happened.action.startswith("export"):
            return False
        known = self._reads.get(place)
        if known is None or known.until <= now:
            self._settle(now)
            if len(self._reads) < MOST_GATHERED:
                self._reads[place] = _ReadAgain(now + READ_AGAIN)
            return False
        before = known.more or Occurrence(self._new_id(), now, 0)
        known.more = before._replace(times=before.times + 1)
        return True

    def _settle(self, now: datetime | None = None) -> None:
        """Have what was read again written, where its time is over; without `now` all of it."""
        for place, read in list(self._reads.items()):
            if now is not None and now < read.until:
                continue
            if read.more is not None:
                self._add(place, read.more)
                read.more = None
            if now is not None:
                del self._reads[place]

    async def write(self) -> None:
        """Write down what was gathered and counted. What cannot be written is kept for the next time."""
        self._settle()
        await self._write()

    async def write_due(self) -> None:
        """The same without what is still counted."""
        self._settle(self._clock())
        await self._write()

    async def _write(self) -> None:
        async with self._writing:
            done, self._done = self._done, {}
            for one in done.values():
                self._add(one.place, Occurrence(one.id, one.at, len(one.workflows), tuple(one.workflows)))
            gathered, self._gathered = self._gathered, {}
            try:
                for chain, organization in dict.fromkeys((chain, of) for chain, of, _ in gathered):
                    async with self._serving(chain, organization) as connection:
                        for place in [one for one in gathered if one[:2] == (chain, organization)]:
                            await repository.insert(connection, _gathered_entry(chain, place[2], gathered[place]))
                    gathered = {place: what for place, what in gathered.items() if place[0] != chain}
            finally:
                for place, what in gathered.items():
                    self._add(place, what)

    def _add(self, place: tuple[UUID, bool, AuditedAction], more: Occurrence) -> None:
        before = self._gathered.get(place)
        if before is not None:
            first, times = min(before, more), before.times + more.times
            more = first._replace(times=times, workflows=before.workflows + more.workflows)
        self._gathered[place] = more

    async def seal(self) -> None:
        """Give every entry its place in its chain."""
        async with self._database.shared() as connection:
            while await repository.seal(connection, 1_000) == 1_000:
                pass

    async def chains(self) -> list[NamedChain]:
        """Every chain of the installation, for the operator."""
        async with self._database.shared() as connection:
            return await repository.chains(connection)

    async def keep_writing(self) -> None:
        """Write and seal within a moment of each entry, for as long as the process lives."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOKED_AFTER):
                    await self._news.wait()
            await asyncio.sleep(GATHERED_FOR)
            self._news.clear()
            try:
                await self.write_due()
                await self.seal()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PasserelleError) as error:
                self._news.set()
                log.warning("audit.unwritten", entries=len(self._gathered), error=repr(error))
                await asyncio.sleep(1)

    async def forget_old(self) -> int:
        """Shorten every chain as far as its workspace or the setting says. Returns how many entries are gone.

        What is left hangs on an entry that says how far it was shortened, and on which hash.
        """
        total = 0
        async with self._database.shared() as connection:
            old = await repository.old_parts(connection, self._clock(), self._keep, _BATCH)
        for part in old:
            chain, organization = part.place.chain, part.place.organization
            happened = AuditedAction("shortenAudit", SYSTEM, object_kind="audit", object_id=str(part.through))
            facts = {"through": part.through, "hash": part.hash, "entries": part.entries}
            async with self._serving(chain, organization) as connection:
                await repository.insert(connection, replace(self._entry(chain, happened), after=facts))
            await self.seal()
            async with self._serving(chain, organization) as connection:
                total += await repository.remove(connection, chain, part.through)
        return total

    def _serving(self, chain: UUID, organization: bool) -> AbstractAsyncContextManager[Connection]:
        return self._database.organization(chain) if organization else self._database.transaction(chain)

    @asynccontextmanager
    async def _observed(self, happened: AuditedAction, chain: UUID, organization: bool) -> AsyncIterator[None]:
        watching = AuditObserver(happened, self._entry, self._news.set)
        try:
            with _observing(watching):
                yield
        except Exception as raised:
            if watching.written is not None:
                await self._failed(watching, happened, raised)
            raise
        if watching.written is None and chain != NO_WORKSPACE:
            async with self._serving(chain, organization) as connection:
                await repository.insert(connection, self._entry(chain, replace(happened, object_id=watching.object_id)))
            self._news.set()

    async def _failed(self, watching: AuditObserver, happened: AuditedAction, raised: Exception) -> None:
        """Something was changed, and then the rest of it failed."""
        assert watching.written is not None
        code = raised.problems[0].code if isinstance(raised, PasserelleError) else "INTERNAL_ERROR"
        entry = self._entry(watching.written.chain, replace(happened, outcome="failed", code=code))
        async with self._serving(entry.chain, watching.organization) as connection:
            await repository.insert(connection, entry)

    def _entry(self, chain: UUID, happened: AuditedAction) -> Entry:
        return entry_of(happened, chain, self._new_id(), self._clock())


@contextmanager
def _observing(watching: AuditObserver) -> Iterator[None]:
    token = observer.set(watching)
    try:
        yield
    finally:
        watching.over = True
        observer.reset(token)


class AuditObserver:
    """Watches a request or a command until its first change is committed."""

    def __init__(
        self, happened: AuditedAction, entry: Callable[[UUID, AuditedAction], Entry], news: Callable[[], None]
    ) -> None:
        self._happened = happened
        self._entry = entry
        self._news = news
        self.object_id = happened.object_id
        self._told: dict[str, tuple[JsonObject | None, JsonObject | None]] = {}
        self.over = False
        self.written: Entry | None = None
        self.organization = False

    def note_object(self, object_id: object) -> None:
        """The id of what is being made."""
        self.object_id = self.object_id or str(object_id)

    def note_change(self, object_id: object, before: JsonObject | None, after: JsonObject | None) -> None:
        """What an object was before the first change and is after the last."""
        earliest, _ = self._told.get(str(object_id), (before, None))
        self._told[str(object_id)] = (earliest, after)

    def _done(self) -> bool:
        return self.over or self.written is not None

    @asynccontextmanager
    async def around(self, connection: Connection, chain: UUID, *, organization: bool) -> AsyncIterator[None]:
        """Look at the object before and after what happens inside, and write it down if anything was changed."""
        if self._done():
            yield
            return
        within = dict(self._happened.within)
        kind = self._happened.object_kind
        before = await objects.look(connection, chain, kind, self.object_id, within)
        yield
        if self._done():
            return
        if self.object_id in self._told:
            before, after = (objects.told(kind, state) for state in self._told[self.object_id])
        else:
            changed, after = await objects.look_again(connection, chain, kind, self.object_id, within)
            if not changed:
                return
        old, new = objects.change_of(before, after)
        entry = self._entry(chain, replace(self._happened, object_id=self.object_id))
        self.written, self.organization = replace(entry, before=old, after=new), organization
        await repository.insert(connection, self.written)
        self._news()


def entry_of(happened: AuditedAction, chain: UUID, entry_id: UUID, at: datetime, times: int = 1) -> Entry:
    """The entry about what has happened. What it lacks of where it came from, the present request tells."""
    origin = happened.origin if happened.origin != NOWHERE else present_origin()
    return Entry(
        chain,
        entry_id,
        at,
        happened.category,
        happened.action,
        happened.by,
        origin,
        happened.outcome,
        happened.code,
        happened.object_kind,
        happened.object_id,
        dict(happened.within),
        times=times,
    )


def _gathered_entry(chain: UUID, happened: AuditedAction, what: Occurrence) -> Entry:
    entry = entry_of(happened, chain, what.id, what.at, what.times)
    return replace(entry, after={"workflowIds": list(what.workflows)}) if what.workflows else entry


async def write_down(connection: Connection, chain: UUID, happened: AuditedAction, at: datetime) -> None:
    """Write an entry into the caller's transaction, which serves the chain."""
    await repository.insert(connection, entry_of(happened, chain, new_id(), at))


def present_origin() -> Origin:
    """Where the request came from that is being answered; nothing outside of one."""
    scope = present.get()
    return NOWHERE if scope is None else origin_of(scope)


def origin_of(scope: Scope) -> Origin:
    """Where a request came from. The server has put the proxies' word in the place of their address."""
    client = scope.get("client")
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), None)
    return Origin(
        str(client[0]) if client else None,
        None if agent is None else agent.decode("latin-1")[:_LONGEST_AGENT],
        scope.get("state", {}).get("request_id"),
    )


def actor_of(caller: Principal) -> Actor:
    """Whose credentials a request carries."""
    session = None if caller.session_id is None else str(caller.session_id)
    return Actor(caller.kind, str(caller.id), caller.name, session)


def _login() -> str:
    """Who runs a command, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "operator"


def _happened(request: AuditedRequest) -> AuditedAction:
    return AuditedAction(
        request.action,
        actor_of(request.caller),
        request.category,
        object_kind=request.object_kind or None,
        object_id=request.object_id or (str(request.caller.id) if request.object_kind == "user" else None),
        within=tuple(request.within.items()),
        origin=present_origin(),
    )


def _place_of(caller: Principal) -> tuple[UUID, bool]:
    """The chain of what is in no other: the caller's workspace, else their organization."""
    if caller.workspace_id != NO_WORKSPACE:
        return caller.workspace_id, False
    return caller.organization_id or NO_WORKSPACE, True
