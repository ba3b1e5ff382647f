"""What version 1 needs of cases. Cases are another feature's, which stands above."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from passerelle.kit.errors import PasserelleError
from passerelle.kit.json import JsonObject


@dataclass(frozen=True, slots=True)
class Case:
    """A case as its executions need it."""

    id: UUID
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Whom a case is about."""

    case_id: UUID
    id: UUID
    details: JsonObject
    """`partyDetails`, as answers show it."""


class Cases(Protocol):
    """Where version 1 finds cases (`passerelle.v1.cases`)."""

    async def require(self, workspace_id: UUID, case_id: UUID) -> Case:
        """A case that is there. Raises CASE_NOT_FOUND at `/caseId`."""

    async def party(self, workspace_id: UUID, record_id: UUID | None) -> Party | None:
        """The party of the case that is the record, also if it was deleted; None for what is no case."""


@contextmanager
def for_case() -> Iterator[None]:
    """What is refused inside about `recordId` is about `caseId`, the field that version 1 has."""
    try:
        yield
    except PasserelleError as error:
        problems = [
            replace(problem, pointer="/caseId") if problem.pointer == "/recordId" else problem
            for problem in error.problems
        ]
        raise PasserelleError(error.status, problems, error.headers) from None
