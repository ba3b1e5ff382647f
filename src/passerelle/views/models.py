"""Views as the rest of the program knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from passerelle.kit.json import JsonObject


@dataclass(frozen=True, slots=True)
class SavedView:
    """A page of the dashboard with what it is narrowed to. `owner_id`: the key or the user that made it."""

    id: UUID
    page: str
    name: str
    search: JsonObject
    shared: bool
    owner_id: UUID
    owner_name: str
    version: int
    created_at: datetime
    updated_at: datetime
