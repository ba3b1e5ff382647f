"""Drafts as the rest of the program knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DefinitionDraft:
    """A text that somebody works on. It may say anything: it is checked when it is pushed.

    owner_id           the key or the user that made it
    definition_id      the definition that it is to be a revision of; None: a new one
    base_revision      the revision that the work began with
    newest_revision    the definition's newest one now
    scenarios          what stands in the file of scenarios beside it
    scenarios_version  the version of the definition's own scenarios that these rest on; 0: none
    """

    id: UUID
    name: str
    text: str
    scenarios: str
    scenarios_version: int
    definition_id: UUID | None
    base_revision: int | None
    newest_revision: int | None
    shared: bool
    owner_id: UUID
    owner_name: str
    version: int
    updated_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DraftPresence:
    """Who else has a draft open, and how it stands."""

    version: int
    updated_by: str
    people: Sequence[str]
