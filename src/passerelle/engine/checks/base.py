"""What a check is: one file in this folder, or in another package (entry point `passerelle.checks`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, ClassVar, Literal

from passerelle.engine.kinds import Tools
from passerelle.kit.json import JsonObject

Status = Literal["valid", "invalid", "unknown"]
"""`valid`: it passed. `invalid`: a rule is broken, see `reasons`. `unknown`: it could not be decided."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a check did not pass. `code` is stable, UPPER_SNAKE; the rest never repeats the value checked.

    params   what the message says besides, for who says it in another language
    """

    code: str
    message: str
    params: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> JsonObject:
        """As a check's output has it."""
        told: JsonObject = {"code": self.code, "message": self.message}
        return {**told, "params": dict(self.params)} if self.params else told


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's answer. A check that did not pass is an answer, not a failed step."""

    status: Status
    reasons: tuple[Reason, ...] = ()
    data: JsonObject = field(default_factory=dict)
    """What the check learned, normalised: also of an invalid value, as far as it can be read."""
    source: str | None = None
    """What this answer stands on, where it is not the check's own `source`."""

    @property
    def passed(self) -> bool:
        return self.status == "valid"


class Check(ABC):
    """What all checks have in common. Subclass `PureCheck` or `OutsideCheck`."""

    name: ClassVar[str]
    """How a definition names it: `company-number`."""
    inputs: ClassVar[JsonObject]
    """JSON Schema of the object under `with:`, once its templates are rendered. Every property has a
    `description`, which editors show; no other property is allowed."""
    source: ClassVar[str]
    """What its answers stand on: `python-stdnum 2.2`. See `library`."""

    subject: ClassVar[str] = "value"
    """The input that a form's field fills, where the check stands at one."""
    wants_today: ClassVar[bool] = False
    """Whether its inputs have `today`, which is filled in where a definition leaves it out."""

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: one of the same class."""
        return type(self), ()

    def warm(self) -> None:  # noqa: B027 - most checks have nothing to load
        """Load what the first run would otherwise wait for. Called once at start-up, in a thread."""

    def problems(self, fixed: JsonObject, templated: frozenset[str]) -> Iterator[tuple[str, str]]:
        """What is wrong with a step's inputs beyond their schema: (input, message), found by the compiler.

        `fixed` are the inputs that a definition states, `templated` the names of those known only in a run.
        """
        return iter(())


class PureCheck(Check):
    """Computes its answer in microseconds, inside the engine's transition: no I/O, no long computation."""

    @abstractmethod
    def run(self, inputs: JsonObject) -> CheckResult:
        """`inputs` fits the schema."""


class OutsideCheck(Check):
    """Asks something outside, or computes for long: runs between two transactions, at least once."""

    @abstractmethod
    async def run(self, inputs: JsonObject, tools: Tools) -> CheckResult:
        """`inputs` fits the schema. Raises `StepFailure` where the other side does not answer."""


def takes(required: Sequence[str], properties: JsonObject) -> JsonObject:
    """An `inputs`: these properties and no others."""
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def library(name: str) -> str:
    """A `source`: the installed distribution and its version."""
    return f"{name} {version(name)}"
