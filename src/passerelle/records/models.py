"""Records as the rest of the program knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from passerelle.kit.json import Json, JsonObject

ERASED: Final = UUID(int=0)
"""What an erased record was merged into: nothing. It cannot be restored, and only its history can be read."""

KEPT_DELETED: Final = timedelta(days=30)
"""How long a deleted record can be restored; then it is gone for good."""

Action = Literal["created", "updated", "deleted", "restored", "merged", "erased"]


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes a record: a key's name, and the execution where a workflow does it."""

    by: str
    execution_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it is stored: its values by the keys of their fields."""

    id: UUID
    version: int
    values: dict[str, Json]
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a write came to."""

    record: Record
    created: bool


@dataclass(frozen=True, slots=True)
class RecordChange:
    """One line of a record's history. `changes`: by field key, the value before and after."""

    record_id: UUID
    version: int
    action: Action
    changes: dict[str, JsonObject]
    at: datetime
    by: str
    execution_id: UUID | None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote about a record."""

    id: UUID
    text: str
    at: datetime
    by: str


def differences(old: JsonObject, new: JsonObject) -> dict[str, JsonObject]:
    """What a change does, by field key: `{"old": …, "new": …}`, null for no value."""
    return {
        key: {"old": old.get(key), "new": new.get(key)}
        for key in sorted(old.keys() | new.keys(), key=int)
        if old.get(key) != new.get(key) or type(old.get(key)) is not type(new.get(key))
    }


def flat(
    record_id: UUID,
    version: int,
    values: JsonObject,
    created_at: datetime,
    updated_at: datetime,
    names: Sequence[tuple[str, str]],
) -> dict[str, Any]:
    """A record as the API shows it, with the fields of `names` (key and name). A page calls it for each row."""
    created = _iso(created_at)
    shown = {
        "id": str(record_id),
        "version": version,
        "createdAt": created,
        "updatedAt": created if updated_at == created_at else _iso(updated_at),
    }
    value_of = values.get
    for key, name in names:
        shown[name] = value_of(key)
    return shown


def _iso(moment: datetime) -> str:
    # As `kit.clock.iso`, for times that the database gave, in a quarter of the time: lists write fifty.
    if moment.microsecond:
        return str(orjson.dumps(moment)[1:24], "ascii") + "Z"
    return moment.isoformat(timespec="milliseconds")[:23] + "Z"


@dataclass(frozen=True, slots=True)
class Next:
    """What a record is to become."""

    values: JsonObject
    action: Action = "updated"
    deleted_at: datetime | None = None
    merged_into: UUID | None = None
    merged_from: UUID | None = None
    """The record that this one has taken in."""
