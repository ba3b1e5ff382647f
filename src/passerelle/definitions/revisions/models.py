"""Revisions as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredRevision:
    """One text of a definition, as it was pushed."""

    id: UUID
    definition_id: UUID
    name: str
    number: int
    text: str
    published: bool


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a text that was pushed."""

    stored: StoredRevision
    created: bool
    """Whether this made a new revision."""
    warnings: list[str]
    """What may fail in its runs, one sentence each, with line and place."""


@dataclass(frozen=True, slots=True)
class RevisionEntry:
    """A revision in the list of a definition's revisions."""

    number: int
    created_at: datetime
    created_by: str
    published_at: datetime | None
    published_by: str | None
    note: str | None
    approved_by: str | None
    current: bool
