"""An entry of the audit, and the text of it that is hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from passerelle.kit.clock import iso
from passerelle.kit.json import Json, JsonObject

MASK: Final = "•••"
BEGINNING: Final = "0" * 64
"""What the first entry of a chain hangs on."""

_LONGEST: Final = 2_000
"""Characters of one text."""
_LARGEST: Final = 32_000
"""Bytes of what an object was before, or is afterwards."""

Outcome = Literal["done", "refused", "failed"]
ActorType = Literal["user", "key", "operator", "end-user", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `session`: a person's; `key`: the service's key is the actor itself."""

    type: ActorType
    id: str | None
    name: str
    session: str | None = None

    def to_json(self) -> JsonObject:
        """As entries say it."""
        return {"type": self.type, "id": self.id, "name": self.name[:_LONGEST], "session": self.session}


@dataclass(frozen=True, slots=True)
class AuditChain:
    """A chain: a workspace's, or an organization's."""

    chain: UUID
    organization: bool = False


@dataclass(frozen=True, slots=True)
class NamedChain:
    """A chain, and whose it is."""

    place: AuditChain
    name: str


@dataclass(frozen=True, slots=True)
class OldPart:
    """The beginning of a chain that need not be kept: up to which entry, its hash, and how many they are."""

    place: AuditChain
    through: int
    hash: str
    entries: int


SYSTEM: Final = Actor("system", None, "Passerelle")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the address that the trusted proxies tell, and what the browser says of itself."""

    address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


NOWHERE: Final = Origin()


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that somebody did, or was refused. `before` and `after` have what changed."""

    chain: UUID
    id: UUID
    at: datetime
    category: str
    action: str
    by: Actor
    origin: Origin = NOWHERE
    outcome: Outcome = "done"
    code: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    within: Mapping[str, str] = field(default_factory=dict)
    before: JsonObject | None = None
    after: JsonObject | None = None
    times: int = 1

    def to_json(self) -> JsonObject:
        """What is hashed and shown."""
        return {
            "chain": str(self.chain),
            "id": str(self.id),
            "at": iso(self.at),
            "category": self.category,
            "action": self.action,
            "outcome": self.outcome,
            "code": self.code,
            "by": self.by.to_json(),
            "address": self.origin.address,
            "userAgent": self.origin.user_agent,
            "requestId": self.origin.request_id,
            "object": None if self.object_kind is None else {"kind": self.object_kind, "id": self.object_id},
            "within": {name: value[:_LONGEST] for name, value in self.within.items()},
            "before": _bounded(self.before),
            "after": _bounded(self.after),
            "times": self.times,
        }

    def content(self) -> str:
        """The text that is hashed."""
        return canonical(self.to_json())


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as it is stored. `number` and `hash` are its place in the chain, once it is sealed."""

    chain: UUID
    id: UUID
    content: str
    number: int | None
    hash: str | None

    def to_json(self) -> JsonObject:
        """As it is shown and exported."""
        shown: dict[str, Any] = orjson.loads(self.content)
        return {**shown, "number": self.number, "hash": self.hash}


def canonical(value: JsonObject) -> str:
    """JSON with sorted keys and nothing between: the same text for the same value."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def linked(previous: str, content: str) -> str:
    """The hash of an entry that follows the one with the hash `previous`."""
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def differing(before: JsonObject | None, after: JsonObject | None) -> tuple[JsonObject | None, JsonObject | None]:
    """What differs of an object: all of it, where it was not there before or is not there afterwards."""
    if before is None or after is None:
        return before, after
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def masked(values: JsonObject | None, personal: frozenset[str]) -> JsonObject | None:
    """The same with the values of `personal` names hidden."""
    if values is None:
        return None
    return {name: MASK if name in personal and value is not None else value for name, value in values.items()}


def _bounded(values: JsonObject | None) -> Json:
    if values is None:
        return None
    short = {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in values.items()}
    size = len(orjson.dumps(short, default=str))
    return short if size <= _LARGEST else {"fields": sorted(short)[:500], "bytes": size}
