"""A compiled definition: what the compiler makes of a YAML file and the engine interprets.

Everything here is immutable and holds no I/O, so one compiled revision serves every execution of it.
"""

from __future__ import annotations

import pickle
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, cast

from typing_extensions import TypeVar

from passerelle.definitions.expressions import Expression, Template
from passerelle.definitions.user_part import UserPart, user_part_of
from passerelle.kit.json import Json

if TYPE_CHECKING:
    from passerelle.definitions.kinds import StepKind

Text = str | Mapping[str, str]
"""A text for people: one string, or one for each language."""

ParameterType = Literal["string", "number", "boolean", "object", "list"]
ExecutionType = Literal["BACKGROUND", "INTERACTIVE"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that an execution is started with."""

    name: str
    type: ParameterType
    required: bool = False
    default: Json = None
    title: Text | None = None
    pii: str | None = None


@dataclass(frozen=True, slots=True)
class RecordBinding:
    """The table whose records the executions concern; `create` lets a run make its record."""

    table: str
    create: bool = False


@dataclass(frozen=True, slots=True)
class StartTexts:
    """What the page at a link says before anything is asked."""

    text: Text | None = None
    """In Markdown."""
    documents: tuple[Text, ...] = ()
    """What the person should have at hand."""
    minutes: int | None = None
    """How long it takes, roughly."""


def matches(reason: str, patterns: Container[str]) -> bool:
    """Whether one of `patterns` covers `reason`. A pattern may be a class of statuses: `5xx`."""
    return reason in patterns or (reason.isdigit() and f"{reason[0]}xx" in patterns)


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often a failed attempt is repeated. Waits grow from `first` by `factor` up to `max`."""

    attempts: int = 5
    first: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    max: timedelta = timedelta(minutes=1)
    on: tuple[str, ...] = ("timeout", "connection", "5xx", "429")

    def covers(self, reason: str | None) -> bool:
        """Whether a step that failed for this reason is tried again."""
        return reason is not None and matches(reason, self.on)

    def delay(self, attempt: int) -> timedelta:
        """How long to wait after the failed attempt number `attempt` (counted from 1)."""
        # 2 ** 64 is beyond any `max`; the bound keeps a float from overflowing.
        growth = self.factor ** min(attempt - 1, 64)
        return timedelta(seconds=min(self.first.total_seconds() * growth, self.max.total_seconds()))


@dataclass(frozen=True, slots=True)
class OnError:
    """What follows when a step has failed for good."""

    action: Literal["fail", "continue", "goto"] = "fail"
    goto: str | None = None


K_co = TypeVar("K_co", bound="StepKind", default="StepKind", covariant=True)
Wanted = TypeVar("Wanted", bound="StepKind")


@dataclass(frozen=True, slots=True)
class Step(Generic[K_co]):
    """One step: its kind, what the kind made of its configuration, and the keys that every step may have."""

    id: str
    kind: K_co
    config: Any
    """What `kind.compile` returned; only the kind looks inside."""
    title: Text | None = None
    when: Expression | None = None
    retry: Retry | None = None
    timeout: timedelta | None = None
    on_error: OnError = OnError()
    max_visits: int = 100
    background: bool = False
    """Whether the end user is done once this step is reached."""

    def of(self, kind: type[Wanted]) -> Step[Wanted]:
        """This step, which the caller knows to be of that kind. Raises `TypeError` where it is not."""
        if not isinstance(self.kind, kind):
            raise TypeError(f"the step {self.id} is of the kind {self.kind.name}, which is no {kind.__name__}")
        return cast("Step[Wanted]", self)


@dataclass(frozen=True)
class Definition:
    """A whole compiled definition."""

    name: str
    steps: tuple[Step, ...]
    title: Text | None = None
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    record: RecordBinding | None = None
    start: StartTexts | None = None
    expires_after: timedelta = timedelta(days=7)
    result: Template | None = None
    time_zone: tzinfo | None = None
    """Whose day `execution.today` is; None: that of UTC."""
    languages: tuple[str, ...] = ()
    """What the texts that end users see are in; none where no text says a language."""
    reads: frozenset[str] = frozenset()
    """The names that its expressions start with."""
    needs: Mapping[str | None, frozenset[str]] = field(default_factory=dict)
    """The steps whose outputs each step cannot do without, by its id; those of the result under None."""
    document: Json = field(default=None, repr=False, compare=False)
    """The plain document; only messages look into it."""

    @cached_property
    def packed(self) -> bytes:
        """All of it for another process, as `unpacked` reads it."""
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)

    @staticmethod
    def unpacked(packed: bytes) -> Definition:
        """What `packed` gave in a process of ours."""
        definition: Definition = pickle.loads(packed)  # noqa: S301 - our own process packed it
        return definition

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """The index of every step within its own sequence, by its id; ids are unique in the whole definition."""
        sequences = (self.steps, *(steps for step in self.all_steps for _, steps in step.kind.nested(step.config)))
        return {step.id: index for steps in sequences for index, step in enumerate(steps)}

    @cached_property
    def all_steps(self) -> tuple[Step, ...]:
        """Every step, inner ones included."""
        return tuple(_with_inner(self.steps))

    @cached_property
    def by_id(self) -> Mapping[str, Step]:
        """Every step by its id, inner ones included."""
        return {step.id: step for step in self.all_steps}

    @cached_property
    def user_part(self) -> UserPart:
        """Which of its steps are the end user's."""
        return user_part_of(self.steps)

    @cached_property
    def execution_type(self) -> ExecutionType:
        """`INTERACTIVE` where an end user takes part."""
        return "INTERACTIVE" if any(step.kind.user_facing for step in self.steps) else "BACKGROUND"

    def expiry(self, started: datetime) -> datetime | None:
        """When the end user's part is over, where nobody says otherwise; None where there is no such part."""
        return started + self.expires_after if self.execution_type == "INTERACTIVE" else None


def _with_inner(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for _, inner in step.kind.nested(step.config):
            yield from _with_inner(inner)
