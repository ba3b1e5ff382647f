"""A scenario: what an execution is given, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from passerelle.definitions.model import Definition
from passerelle.kit.json import Json, JsonObject

Failing = Literal["timeout", "connection", "unreadable", "tooLarge", "refused"]


class Unset:
    """Stands where a scenario says nothing; null is something that it may say."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a request over HTTP."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | Unset = UNSET


@dataclass(frozen=True, slots=True)
class NoReply:
    """A request over HTTP that is not answered."""

    failing: Failing


@dataclass(frozen=True, slots=True)
class Output:
    """What a step gives, without being called."""

    value: Json


@dataclass(frozen=True, slots=True)
class FakedFailure:
    """How a step fails, without being called. `reason` is what `retry.on` is compared with."""

    code: str
    message: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody sends to a waiting step, so long after the wait began."""

    body: Json = None
    after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer decides, so long after the review began. `by` None: the first, the second… reviewer."""

    outcome: str
    comment: str | None = None
    by: str | None = None
    after: timedelta = timedelta()


Answer = Reply | NoReply | Output | FakedFailure | Sent | Decision


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers that one step gets. One that stands alone serves every call, a list one call each."""

    items: tuple[Answer, ...]
    alone: bool
    optional: bool = False
    """Whether the step may do without: it stands in `common`, for those scenarios that need it."""


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event that comes so long after the start, whatever the execution does then."""

    name: str
    body: Json
    after: timedelta


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a scenario. What is None, UNSET or empty is not compared."""

    status: str | None = None
    path: tuple[str, ...] | None = None
    result: Json | Unset = UNSET
    outputs: JsonObject = field(default_factory=dict)
    error: JsonObject | None = None
    waiting_for: tuple[str, ...] | None = None
    records: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
    requests: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
    elapsed: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One execution, told beforehand. `parameters` have the definition's defaults filled in."""

    name: str
    line: int
    now: datetime
    parameters: JsonObject
    expected: Expected
    locale: str | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answers] = field(default_factory=dict)
    record: JsonObject | None = None
    """The record that the execution is started with."""
    records: Mapping[str, tuple[JsonObject, ...]] = field(default_factory=dict)
    """The other records that are there, by table."""
    events: tuple[SentEvent, ...] = ()
    stop_after: timedelta | None = None
    """How far the clock goes; without it, until the execution ends or nothing more will happen by itself."""


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A file of scenarios, with the definition that they are about."""

    path: Path
    definition_path: Path
    definition: Definition
    scenarios: tuple[Scenario, ...]
