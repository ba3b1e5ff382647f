"""A use of the old API, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RULES: Final = {
    "payload-key": "`caseId` in the body of a request",
    "answer-key": "`caseId` read from an answer",
    "party": "`partyId` or `partyDetails` read from an answer",
    "path": "a path of the Case API",
    "accept": "an `Accept` header that names version 1, or none at all",
    "email": "a link sent without `email`",
}
"""Every kind of finding."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes of a file's text to replace."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One use. `certain` is false where the source alone does not tell whether this API is meant."""

    path: Path
    line: int
    column: int
    rule: str
    found: str
    instead: str
    certain: bool = True
    edits: tuple[Edit, ...] = ()
    """What `--fix` writes; nothing where a person has to decide."""

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        return {
            "file": str(self.path),
            "line": self.line,
            "column": self.column,
            "rule": self.rule,
            "found": self.found,
            "instead": self.instead,
            "certain": self.certain,
            "fixable": bool(self.edits),
        }
