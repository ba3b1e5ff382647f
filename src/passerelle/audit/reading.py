"""Reading the audit: pages, exports, and whether it hangs together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final
from uuid import UUID

import orjson

from passerelle.audit import repository, verifying
from passerelle.audit.models import BEGINNING, AuditChain, KeptEntry
from passerelle.audit.repository import AuditFilters, FoundEntries
from passerelle.audit.verifying import Report
from passerelle.kit.clock import iso
from passerelle.kit.database import Connection, Database
from passerelle.kit.json import JsonObject

_AT_ONCE: Final = 1_000


class AuditReading:
    """What readers of the audit need."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, place: AuditChain, filters: AuditFilters, before: UUID | None, limit: int) -> FoundEntries:
        """The newest entries older than the one `before`."""
        async with self._serving(place) as connection:
            return await repository.find(connection, place.chain, filters, before, limit)

    async def verify(self, place: AuditChain) -> Report:
        """Whether every entry follows from the one before it."""
        async with self._serving(place) as connection:
            return await verifying.verify(connection, place.chain)

    async def has(self, place: AuditChain, hash_: str) -> bool:
        """Whether a sealed entry has this hash."""
        async with self._serving(place) as connection:
            return await repository.has_hash(connection, place.chain, hash_)

    async def lines(self, place: AuditChain, filters: AuditFilters) -> AsyncIterator[bytes]:
        """The sealed entries that fit, oldest first, each as a line of JSON with the hash that it hangs on."""
        async with self._serving(place) as connection:
            head = await repository.head(connection, place.chain)
        after, previous, through = 0, BEGINNING, 0 if head is None else head[0]
        while after < through:
            async with self._serving(place) as connection:
                entries = await repository.sealed(connection, place.chain, after, through, _AT_ONCE)
                first = entries[0].number if entries else None
                if after == 0 and first is not None and first > 1:
                    kept = await repository.checkpoint(connection, place.chain, first - 1)
                    previous = previous if kept is None else str(orjson.loads(kept.content)["after"]["hash"])
            if not entries:
                return
            lines = []
            for entry in entries:
                shown = entry.to_json()
                if _fits(entry, shown, filters):
                    lines.append(orjson.dumps({**shown, "previous": previous}, option=orjson.OPT_SORT_KEYS) + b"\n")
                previous, after = str(entry.hash), entry.number or through
            yield b"".join(lines)

    def _serving(self, place: AuditChain) -> AbstractAsyncContextManager[Connection]:
        if place.organization:
            return self._database.organization(place.chain)
        return self._database.transaction(place.chain)


def _fits(entry: KeptEntry, shown: JsonObject, filters: AuditFilters) -> bool:
    thing = shown["object"] or {}
    wanted = (
        (filters.actor, shown["by"]["id"]),
        (filters.action, shown["action"]),
        (filters.object_id, thing.get("id")),
        (filters.object_kind, thing.get("kind")),
        (filters.outcome, shown["outcome"]),
    )
    return (
        all(given is None or given == has for given, has in wanted)
        and (filters.since is None or shown["at"] >= iso(filters.since))
        and (filters.until is None or shown["at"] < iso(filters.until))
        and (not filters.text or filters.text.casefold() in entry.content.casefold())
    )
