"""What the feature works with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID


class Mode(StrEnum):
    """How far the end of version 1 is, in order."""

    ON = "on"
    """It answers, and says that it is deprecated."""
    WARN = "warn"
    """As `on`, with a `Warning` header and a line in the server's log for each user and day."""
    BROWNOUT = "brownout"
    """As `warn`, but refused at set times."""
    OFF = "off"
    """It is refused."""

    def is_looser_than(self, other: Mode) -> bool:
        """Whether less is refused."""
        order = list(Mode)
        return order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was set for a workspace; None for what follows the installation."""

    mode: Mode | None
    brownouts: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """How version 1 is treated in a workspace."""

    mode: Mode
    brownouts: str
    default: Mode
    """The installation's."""
    own: bool
    """Whether the mode was set for this workspace."""


@dataclass(frozen=True, slots=True, order=True)
class UseKey:
    """What is counted together."""

    day: date
    workspace_id: UUID
    key_id: UUID
    endpoint: str
    version: int


@dataclass(slots=True)
class UseTally:
    """What was counted."""

    key_name: str
    uses: int
    refused: int
    last_used: datetime
    user_agent: str | None

    def add(self, later: UseTally) -> None:
        """Count what another tally has counted, too."""
        self.uses += later.uses
        self.refused += later.refused
        if later.last_used >= self.last_used:
            self.key_name, self.last_used, self.user_agent = later.key_name, later.last_used, later.user_agent


@dataclass(frozen=True, slots=True)
class Counted:
    """One line of the list."""

    place: UseKey
    tally: UseTally
