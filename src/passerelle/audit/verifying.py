"""Does a chain still hang together? Names the first entry that does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import orjson

from passerelle.audit import repository
from passerelle.audit.models import BEGINNING, KeptEntry, canonical, linked
from passerelle.kit.database import Connection
from passerelle.kit.json import JsonObject

_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Report:
    """What came of looking. `problem`: None where all is as it was written.

    broken   the number of the first entry that was changed, or that is missing
    head     the hash of the last sealed entry: whoever wrote it down elsewhere can compare
    waiting  entries that have no place yet; they get one within a moment
    gaps     where an export was cut by its filters
    """

    chain: UUID
    entries: int = 0
    first: int | None = None
    head: str | None = None
    waiting: int = 0
    gaps: int = 0
    broken: int | None = None
    problem: str | None = None

    def to_json(self) -> JsonObject:
        """As it is shown."""
        return {
            "chain": str(self.chain),
            "intact": self.problem is None,
            "entries": self.entries,
            "first": self.first,
            "head": self.head,
            "waiting": self.waiting,
            "gaps": self.gaps,
            "broken": self.broken,
            "problem": self.problem,
        }


class ChainFollower:
    """Follows a chain entry by entry."""

    def __init__(self, chain: UUID) -> None:
        self.report = Report(chain)
        self._number = 0
        self._hash = BEGINNING

    def begin(self, number: int, hash_: str) -> None:
        """The chain was shortened: what is left hangs on the entry with this number and hash."""
        self._number, self._hash = number, hash_

    def hang(self, number: int, previous: str) -> None:
        """The next entry is `number` and says that it hangs on `previous`; what lies between was left out."""
        if number > self._number + 1 or self.report.entries == 0:
            self.report = replace(self.report, gaps=self.report.gaps + (self.report.entries > 0))
            self._number, self._hash = number - 1, previous

    def follow(self, entry: KeptEntry) -> bool:
        """Take the next entry. False where it does not follow."""
        if entry.number != self._number + 1:
            return self._broken(self._number + 1, f"the entry {self._number + 1} is missing")
        if linked(self._hash, entry.content) != entry.hash:
            problem = f"the entry {entry.number} ({entry.id}) was changed, or the hash of the one before it"
            return self._broken(entry.number, problem)
        self._number, self._hash = entry.number, str(entry.hash)
        self.report = replace(
            self.report,
            entries=self.report.entries + 1,
            first=self.report.first or entry.number,
            head=self._hash,
        )
        return True

    def end(self, head: tuple[int, str] | None) -> None:
        """The chain ends here; `head` says where it should."""
        if self.report.problem is None and head is not None and head != (self._number, self._hash):
            self._broken(self._number + 1, f"the entry {self._number + 1} is missing at the end")

    def _broken(self, number: int, problem: str) -> bool:
        self.report = replace(self.report, broken=number, problem=problem)
        return False


async def verify(connection: Connection, chain: UUID) -> Report:
    """Look through a chain that the connection serves, as far as it is sealed now."""
    following = ChainFollower(chain)
    head = await repository.head(connection, chain)
    through, after = (0, 0) if head is None else (head[0], 0)
    while entries := await repository.sealed(connection, chain, after, through, _AT_ONCE):
        first = entries[0].number or 1
        if after == 0 and first > 1:
            kept = await repository.checkpoint(connection, chain, first - 1)
            if kept is not None:
                following.begin(first - 1, str(orjson.loads(kept.content)["after"]["hash"]))
        for entry in entries:
            if not following.follow(entry):
                return following.report
        last = entries[-1].number or after
        if (wrong := await repository.mismatched(connection, chain, after, last)) is not None:
            problem = f"the entry {wrong} is found by other values than it has"
            return replace(following.report, broken=wrong, problem=problem)
        after = last
    following.end(head)
    return replace(following.report, waiting=await repository.unsealed(connection, chain))


def verify_export(lines: Iterable[str]) -> Report:
    """Look through an export in the order of its numbers. Filters may have cut it: `gaps` counts where.

    Raises `ValueError` for what is no export.
    """
    following: ChainFollower | None = None
    for line in lines:
        if not line.strip():
            continue
        try:
            shown = orjson.loads(line)
            number, hash_, previous = shown.pop("number"), shown.pop("hash"), shown.pop("previous")
            entry = KeptEntry(UUID(shown["chain"]), UUID(shown["id"]), canonical(shown), number, hash_)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no line of an export ({error!r}): {line[:80]}") from None
        following = following or ChainFollower(entry.chain)
        following.hang(number, previous)
        if not following.follow(entry):
            break
    if following is None:
        raise ValueError("the export has no entries")
    return following.report
