"""A journal of what was sent, beside the files: it is not set back when the database is.

Every process writes down each half minute what it has sent to the outside: where to, and the key by which the other
side knows it again; neither values nor addresses. After the database was restored to an earlier moment, `passerelle
restore check` reads what was sent since: the database knows nothing of it, and sends some of it again.
"""

from __future__ import annotations

import asyncio
import gzip
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
import structlog

from passerelle.kit.clock import Clock
from passerelle.kit.database import Database
from passerelle.kit.ids import NewId, parse_id
from passerelle.kit.repeating import repeat
from passerelle.kit.sent_journal import Dispatched, SentBuffer, SentKind
from passerelle.resources.files import FileGoneError, Files

log = structlog.get_logger("passerelle.operations")

EVERY: Final = 30.0
"""Seconds between two files of a process; what a process that dies has sent within them is not written."""
FOLDER: Final = "sent"
_EARLIER: Final = timedelta(minutes=5)
"""A file's name tells when it was written: its first entry may be older than that."""
_UNDER_WAY: Final = timedelta(minutes=2)
"""What was sent so shortly before the newest thing in the database may be unknown to it, as its answer was still to
come. So it is looked through too, and told where it comes again."""


@dataclass(frozen=True, slots=True)
class SentAgain:
    """Something that was sent after the moment. `comes_again`: None where the database cannot tell."""

    sent: Dispatched
    comes_again: bool | None


@dataclass(frozen=True, slots=True)
class RestoreCheck:
    """What was sent after the moment that the database was set back to.

    unwritten    how much more there was
    has_journal  whether the store has a journal at all; without one, nothing is known
    """

    moment: datetime
    sent: Sequence[SentAgain]
    unwritten: int
    has_journal: bool


class SentJournal:
    """The journal. `keep`: how long it is kept; nothing is written for zero."""

    def __init__(self, buffer: SentBuffer, files: Files, clock: Clock, new_id: NewId, keep: timedelta) -> None:
        self._buffer = buffer
        self._files = files
        self._clock = clock
        self._new_id = new_id
        self._keep = keep

    async def keep_writing(self) -> None:
        """Write again and again, for as long as the process lives."""
        await repeat("sent", EVERY, self.write)

    async def write(self) -> None:
        """Write what was sent since; what the store does not take is kept for the next time. Raises what it raises."""
        sent, more = self._buffer.take()
        if not self._keep or not (sent or more):
            return
        path = f"{FOLDER}/{self._clock():%Y-%m-%d/%H%M%S}-{self._new_id()}.jsonl.gz"
        try:
            content = await asyncio.to_thread(_packed, sent, more)
            await self._files.put(path, io.BytesIO(content))
        except BaseException:
            self._buffer.give_back(sent, more)
            raise

    async def forget_old(self) -> None:
        """Delete what is older than it is kept."""
        oldest = f"{FOLDER}/{self._clock() - self._keep:%Y-%m-%d}"
        async for path in self._files.listed(FOLDER):
            if path < oldest:
                await self._files.delete(path)

    async def since(self, moment: datetime) -> tuple[list[Dispatched], int]:
        """What was sent at the moment or later, in order, and how much more there was. Raises FILES_UNAVAILABLE."""
        found: list[Dispatched] = []
        more = 0
        async for path in self._paths(moment):
            try:
                content = b"".join([part async for part in await self._files.read(path)])
            except FileGoneError:
                continue
            sent, unwritten = await asyncio.to_thread(_unpacked, content)
            found += [one for one in sent if one.at >= moment]
            more += unwritten
        return sorted(found, key=lambda one: one.at), more

    async def is_there(self) -> bool:
        """Whether anything was ever written, of what is kept. Raises FILES_UNAVAILABLE."""
        async for _ in self._files.listed(FOLDER):
            return True
        return False

    async def _paths(self, moment: datetime) -> AsyncIterator[str]:
        first = f"{FOLDER}/{moment.astimezone(UTC) - _EARLIER:%Y-%m-%d/%H%M%S}"
        async for path in self._files.listed(FOLDER):
            if path >= first:
                yield path


async def check_restored(database: Database, journal: SentJournal, since: datetime | None) -> RestoreCheck | None:
    """What was sent after `since`, else after the last moment that the database knows of. None where it knows none."""
    moment = since or await _last_moment(database)
    if moment is None:
        return None
    sent, more = await journal.since(moment if since is not None else moment - _UNDER_WAY)
    pending = await _pending(database, {one.key for one in sent if one.kind == "webhook"})
    known = await _calls(database, {one.key for one in sent if one.kind == "call"})
    there = [SentAgain(one, _comes_again(one, pending, known)) for one in sent]
    told = [one for one in there if one.sent.at >= moment or one.comes_again]
    return RestoreCheck(moment, told, more, await journal.is_there())


def _comes_again(sent: Dispatched, pending: frozenset[UUID], known: Mapping[UUID, frozenset[str]]) -> bool | None:
    """A webhook that waits; a call of an execution that goes on, and of a step that has not ended."""
    if sent.kind == "webhook":
        key = parse_id(sent.key or "")
        return None if key is None else key in pending
    execution_id = _execution_of(sent.key)
    if sent.kind == "mail" or execution_id is None:
        return None
    return execution_id in known and _step_of(sent.key) not in known[execution_id]


def _execution_of(key: str | None) -> UUID | None:
    """The execution that a call's key begins with: `execution:step:visit`."""
    return parse_id((key or "").partition(":")[0])


def _step_of(key: str | None) -> str:
    return (key or "").partition(":")[2]


async def _calls(database: Database, keys: Set[str | None]) -> Mapping[UUID, frozenset[str]]:
    """Those executions that go on, with the ends of the keys of calls that have ended."""
    wanted = {found for key in keys if (found := _execution_of(key)) is not None}
    rows = await database.ask("calls_ended", list(wanted)) if wanted else []
    ended: defaultdict[UUID, set[str]] = defaultdict(set)
    for row in rows:
        ended[row["execution_id"]].add(f"{row['step']}:{row['visit']}")
    return {execution_id: frozenset(steps) for execution_id, steps in ended.items()}


async def _last_moment(database: Database) -> datetime | None:
    """Of the newest event, or when the last process said that it is there: each does so every few seconds."""
    async with database.shared() as connection:
        found: datetime | None = await connection.fetchval("SELECT last_moment()")
    return found


async def _pending(database: Database, keys: Set[str | None]) -> frozenset[UUID]:
    """Those events that are to be delivered still."""
    wanted = {found for key in keys if (found := parse_id(key or "")) is not None}
    rows = await database.ask("events_to_deliver", list(wanted)) if wanted else []
    return frozenset(row["event_id"] for row in rows)


def _packed(sent: Sequence[Dispatched], more: int) -> bytes:
    lines = [orjson.dumps([one.at.isoformat(), one.kind, one.to, one.key]) for one in sent]
    if more:
        lines.append(orjson.dumps({"more": more}))
    return gzip.compress(b"\n".join(lines) + b"\n")


def _unpacked(content: bytes) -> tuple[list[Dispatched], int]:
    sent: list[Dispatched] = []
    more = 0
    for line in gzip.decompress(content).splitlines():
        entry = orjson.loads(line)
        if isinstance(entry, dict):
            more += entry["more"]
        else:
            at, kind, to, key = entry
            known: SentKind = kind
            sent.append(Dispatched(datetime.fromisoformat(at), known, to, key))
    return sent, more
