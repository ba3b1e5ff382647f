"""What the feature works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

HoldKind = Literal["workspace", "record", "execution"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold. `object_id`: of the whole workspace, its own id."""

    id: UUID
    kind: HoldKind
    object_id: UUID
    reason: str
    placed_at: datetime
    placed_by: str
    released_at: datetime | None = None
    released_by: str | None = None


@dataclass(frozen=True, slots=True)
class HeldObjects:
    """What the holds of a workspace keep: everything, or executions and records by their ids."""

    everything: bool
    ids: frozenset[UUID]

    def keep(self, *objects: UUID | None) -> bool:
        """Whether one of these is kept."""
        return self.everything or any(one in self.ids for one in objects)
