"""How a step kind runs. Five shapes, by what a step touches:

* a `PureKind` computes and is done: it runs inside the transition itself;
* an `OutsideKind` calls something outside: it runs between two transactions, at least once;
* a `RecordingKind` works on the workspace's records, in the transaction that writes its result;
* a `WaitingKind` rests until a time, an event or a person;
* a `BranchingKind` holds inner steps and waits for them;
* a `ChildKind` runs another definition as an execution of its own and waits for its end.

A kind whose configuration decides between them returns the right one from `bind`; a compiled step holds
the bound kind, so the engine only ever meets these five.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from uuid import UUID

from passerelle.definitions.expressions import Scope
from passerelle.definitions.kinds import C, StepKind
from passerelle.definitions.model import Retry, Step
from passerelle.engine.lanes import Key
from passerelle.engine.screening import NO_LISTS, WorkspaceLists
from passerelle.kit.json import Json, JsonObject, KnownJson
from passerelle.kit.mail import Mail
from passerelle.kit.outgoing import Outgoing

MASK = "•••"
"""Stands wherever a secret's value would show."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step is over; `output` is what later steps read as `steps.<id>`."""

    output: KnownJson = None
    goto: str | None = None
    """The step that follows, where it is not the next one."""
    input: KnownJson = None
    """What the timeline shows as the step's input."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The execution is over, successfully."""

    output: KnownJson = None


class StepFailure(Exception):  # noqa: N818 - a step's failure is a normal outcome, not a programming error
    """A step failed.

    code      stable, UPPER_SNAKE, shown in the timeline and the execution's error
    message   one sentence for the person who operates the workflow; no secrets, no personal data
    reason    what `retry.on` is compared with: `timeout`, `connection`, `503`, `404`…; None is never retried
    after     seconds that the other side asked us to wait before the next attempt
    details   further facts for the timeline
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        reason: str | None = None,
        after: float | None = None,
        details: JsonObject | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.after = after
        self.details = details

    def __reduce__(self) -> tuple[Any, ...]:
        return _failure, (self.code, self.message, self.reason, self.after, self.details)


def _failure(
    code: str, message: str, reason: str | None, after: float | None, details: JsonObject | None
) -> StepFailure:
    return StepFailure(code, message, reason=reason, after=after, details=details)


@dataclass(frozen=True, slots=True)
class Tools:
    """What an outside step may use."""

    outgoing: Outgoing
    now: datetime
    timeout: timedelta | None = None
    """The step's own `timeout`. The engine enforces it; a kind that knows it can fail more clearly."""
    lists: WorkspaceLists = NO_LISTS
    """The lists of names that the execution's workspace has loaded."""
    mail: Mail | None = None
    """Sends e-mails; None where the caller has no use for them."""
    workspace_id: UUID | None = None
    """Whose execution it is; None where nobody's is."""
    credentials: Sequence[str] = ()
    """What steps before were given to identify themselves by, which nobody may see."""
    keep: Callable[[str, str], None] = lambda name, value: None
    """Keeps a header of the answer, by its name, for later steps that may read secrets."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What a waiting step rests for."""

    until: datetime | None = None
    event: str | None = None
    remind: datetime | None = None
    """When those that it waits for are reminded."""
    note: KnownJson = None
    """What the kind keeps while it rests."""


@dataclass(frozen=True, slots=True)
class KeptWaiting:
    """An answer was taken, and the step goes on resting, with another note. `happened` names the event."""

    note: KnownJson
    happened: str


class Refusal(Exception):  # noqa: N818 - a refusal, not a fault
    """An answer is not taken: nothing changes. `code` says why to programs, `message` to people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.message)


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event that others must hear. `data` None: what every event of a workflow says."""

    type: str
    data: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Child:
    """The definition that a step runs, by its name, and what it is started with."""

    definition: str
    parameters: JsonObject


class ChildKind(StepKind[C]):
    """Runs another definition as an execution of its own, and rests until that is over."""

    @abstractmethod
    def child(self, config: C, scope: Scope) -> Child:
        """What is started, decided once. Raises `ExpressionError`."""


class BranchingKind(StepKind[C]):
    """Holds inner steps, which run in lanes of their own; it is over when all of them are."""

    opens_all: ClassVar[bool] = False
    """Whether all of its lanes are under way from the start."""

    @abstractmethod
    def open(self, config: C, scope: Scope) -> Sequence[Key]:
        """The keys of its lanes, in order. Cheap to call again. Raises `StepFailure` or `ExpressionError`."""

    @abstractmethod
    def steps(self, config: C, key: Key) -> tuple[Step, ...]:
        """The steps of one lane."""

    @abstractmethod
    def at_once(self, config: C) -> int:
        """How many lanes may be under way at the same time."""

    @abstractmethod
    def when_one_fails(self, config: C) -> Literal["cancel", "wait", "continue"]:
        """What a failed lane means: end the others, let them finish and fail then, or count it as done."""

    @abstractmethod
    def join(self, config: C, outputs: Mapping[Key, JsonObject]) -> Json:
        """The step's output, from every lane's outputs by the ids of its steps."""

    def same(self, before: C, scope_before: Scope, after: C, scope_after: Scope) -> bool:
        """Whether lanes that are open under one configuration can go on under another one, each in its own scope."""
        return list(self.open(before, scope_before)) == list(self.open(after, scope_after))

    def names(self, config: C, scope: Scope, key: Key) -> JsonObject:
        """Further names that the steps of a lane see."""
        return {}


class PureKind(StepKind[C]):
    """Touches nothing outside. Runs in microseconds, inside the transition."""

    @abstractmethod
    def run(self, config: C, scope: Scope) -> Done | Ended:
        """Raises `StepFailure` or `ExpressionError`."""


class OutsideKind(StepKind[C]):
    """Calls something outside, at least once; its output is recorded once."""

    default_retry = Retry()

    @abstractmethod
    def describe(self, config: C, scope: Scope) -> Json:
        """What the timeline shows as the step's input. Pure; every secret in `scope` has the value `MASK`."""

    @abstractmethod
    async def call(self, config: C, scope: Scope, tools: Tools, idempotency_key: str) -> Json:
        """The output. Raises `StepFailure` or `ExpressionError`."""

    def announce(self, idempotency_key: str, failure: StepFailure | None) -> Announcement | None:
        """The event that tells of the step's end: it succeeded, or failed with no attempt left. None: there is none."""
        return None


@dataclass(frozen=True, slots=True)
class RecordWork:
    """What a step does with records, every value worked out."""

    action: Literal["create", "update", "upsert", "find"]
    table: str
    fields: JsonObject
    id: Json = None
    """With `update`: the record; None for the execution's own."""
    by: str | None = None
    """With `upsert`: the unique field that finds the record."""
    limit: int = 25

    def to_json(self) -> JsonObject:
        """What the timeline shows as the step's input."""
        facts = {"id": self.id, "by": self.by, "limit": self.limit if self.action == "find" else None}
        named = {name: value for name, value in facts.items() if value is not None}
        return {"table": self.table, self.action: self.fields, **named}


class RecordingKind(StepKind[C]):
    """Works on records. What it does to them and its result become true together, once."""

    default_retry = Retry(on=("conflict", "timeout"))

    @abstractmethod
    def work(self, config: C, scope: Scope) -> RecordWork:
        """What is to be done. Pure. Raises `StepFailure` or `ExpressionError`."""


class WaitingKind(StepKind[C]):
    """Rests; costs a row and nothing in memory."""

    @abstractmethod
    def wait(self, config: C, scope: Scope, now: datetime) -> Wait:
        """What it rests for, decided once, when the step is reached."""

    def event_name(self, config: C) -> str | None:
        """The event that it takes, where it takes one by name."""
        return None

    def accept(self, config: C, body: Json) -> Json:
        """The output for an event's `body`. Raises `StepFailure` if the body is not right."""
        return body

    def elapsed(self, config: C) -> Done:
        """What happens when `until` has come. Raises `StepFailure` where that is a failure."""
        return Done()

    subject: ClassVar[str | None] = None
    """What its events begin with: `review` tells of `review.requested`, `review.reminded` and `review.decided`.
    None: it has no events."""

    def facts(self, config: C, note: KnownJson, output: KnownJson = None) -> JsonObject:
        """What its events say besides the execution and the step; `output` once it is over."""
        return {}

    def waiting(self, config: C, note: KnownJson) -> JsonObject:
        """What `waitingFor` says besides the step, its kind and the end of the wait."""
        return {}

    def described(self, config: C, note: KnownJson) -> KnownJson:
        """What the timeline shows as the step's input."""
        return None

    def has_receivers(self, config: C, note: KnownJson) -> bool:
        """Whether there are addresses to which those that it waits for get a message."""
        return False

    def remind_again(self, config: C, now: datetime) -> datetime | None:
        """When to remind after a reminder at `now`."""
        return None

    def cannot_stay(self, config: C, event: str | None, note: KnownJson) -> str | None:
        """Why a step that rests already cannot go on resting under another `config`; None where it can.

        `event` and `note` are what it rests for. The reason goes on after "it cannot be moved while it rests, because".
        """
        name = self.event_name(config)
        return None if event == name else f"it waits for the event `{event}`, and there for `{name}`"

    def loosens(self, before: C, after: C, scope: Scope, note: KnownJson) -> str | None:
        """How the rules of a step that rests already would be looser under `after`; None where they would not.

        `scope`: of the execution there. Raises `StepFailure` or `ExpressionError`.
        """
        return None

    def loosened(self, config: C, scope: Scope, note: KnownJson) -> KnownJson:
        """The note of a step that rests already, under the rules of `config`."""
        return note

    def answer(self, config: C, note: KnownJson, answer: Any, now: datetime) -> Done | KeptWaiting:
        """What follows from somebody's answer to this very step. Raises `Refusal` where it cannot be taken."""
        raise Refusal("NO_ANSWER_TAKEN", f"steps of kind {self.name} take no answer")
