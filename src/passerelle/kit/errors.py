"""One shape for everything that can go wrong.

A feature declares its codes once, beside its code, and raises them. The HTTP layer, the command line
and the generated reference page of codes all read the same declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CATALOGUE: Final[dict[str, Code]] = {}
"""Every declared code by name; the reference page is generated from it."""


class CommandError(Exception):
    """A command cannot do its work; the message says in one line what to do. The traceback is for `--debug`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: a stable code, a sentence that says what to do, and where it is."""

    code: str
    message: str
    pointer: str | None = None
    """JSON pointer into the request's body, where it applies."""


class PasserelleError(Exception):
    """Something the caller can act on. Lists everything that is wrong, not the first thing only."""

    def __init__(self, status: int, problems: Sequence[Problem], headers: Mapping[str, str] | None = None) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.status = status
        self.problems = tuple(problems)
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Code:
    """A declared error: its name in answers, its HTTP status and what it means for the reference page."""

    name: str
    status: int
    meaning: str

    def __post_init__(self) -> None:
        if self.name in CATALOGUE:
            raise ValueError(f"error code {self.name} is declared twice")
        CATALOGUE[self.name] = self

    def problem(self, message: str, pointer: str | None = None) -> Problem:
        """One entry of an answer that lists several."""
        return Problem(self.name, message, pointer)

    def error(
        self, message: str, pointer: str | None = None, headers: Mapping[str, str] | None = None
    ) -> PasserelleError:
        """An error to raise, with this one problem."""
        return PasserelleError(self.status, [self.problem(message, pointer)], headers)
