"""Quotas and turns of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Final, Literal

Quota = Literal["executions", "records", "storage", "requests"]
QUOTAS: Final[tuple[Quota, ...]] = ("executions", "records", "storage", "requests")

MEANINGS: Final[Mapping[Quota, str]] = {
    "executions": "Executions that have not ended",
    "records": "Records that are not deleted",
    "storage": "Bytes of all files",
    "requests": "Requests to the API in a minute",
}


@dataclass(frozen=True, slots=True)
class Quotas:
    """The most of each; None: as many as there may be."""

    executions: int | None = None
    records: int | None = None
    storage: int | None = None
    requests: int | None = None

    def of(self, quota: Quota) -> int | None:
        """One of them."""
        most: int | None = getattr(self, quota)
        return most

    def with_own(self, own: Mapping[str, int | None]) -> Quotas:
        """These, with a workspace's own in their place; what this release does not know is left out."""
        known = {field.name for field in fields(self)}
        return replace(self, **{name: most for name, most in own.items() if name in known})

    def to_json(self) -> dict[str, int | None]:
        """By name."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class WorkspaceTurns:
    """A workspace's part of the workers.

    weight   how many turns it has in a round
    jobs     how many of its jobs may be under way at once, in all workers; None: as the setting says
    """

    weight: float = 1.0
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class OwnTerms:
    """What was said of one workspace. A quota that is not named is the installation's."""

    quotas: Mapping[str, int | None]
    turns: WorkspaceTurns
