"""Small definitions for engine tests, made without the compiler: the engine must not depend on its syntax."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from passerelle.definitions.expressions import Scope
from passerelle.definitions.model import Definition, OnError, Retry, Step
from passerelle.engine.kinds import (
    Child,
    ChildKind,
    Done,
    Ended,
    OutsideKind,
    PureKind,
    StepFailure,
    Tools,
    Wait,
    WaitingKind,
)
from passerelle.engine.model import Identity, State
from passerelle.kit.json import Json, KnownJson

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class Compute(PureKind):
    """Does whatever its configuration, a function of the scope, does."""

    name = "compute"
    schema: ClassVar[Any] = {}

    def compile(self, value: Json, path: Any, compiling: Any) -> Any:
        return value

    def run(self, config: Callable[[Scope], Done | Ended], scope: Scope) -> Done | Ended:
        return config(scope)


class Ask(OutsideKind):
    """Stands for a call to the outside; its configuration is the answer, or a failure to raise."""

    name = "ask"
    schema: ClassVar[Any] = {}

    def compile(self, value: Json, path: Any, compiling: Any) -> Any:
        return value

    def describe(self, config: Any, scope: Scope) -> Json:
        return {"asked": True}

    async def call(self, config: Any, scope: Scope, tools: Tools, idempotency_key: str) -> KnownJson:
        answer = config(scope, idempotency_key) if callable(config) else config
        if isinstance(answer, Exception):
            raise answer
        return answer


class Rest(WaitingKind):
    """Waits for what its configuration says: a length of time, or an event's name; `paid!` takes numbers only."""

    name = "rest"
    schema: ClassVar[Any] = {}

    def compile(self, value: Json, path: Any, compiling: Any) -> Any:
        return value

    def wait(self, config: timedelta | str, scope: Scope, now: datetime) -> Wait:
        return Wait(event=config.rstrip("!")) if isinstance(config, str) else Wait(until=now + config)

    def event_name(self, config: Any) -> str | None:
        return config.rstrip("!") if isinstance(config, str) else None

    def accept(self, config: Any, body: Json) -> Json:
        if body == "wrong" or (config.endswith("!") and not isinstance(body, int)):
            raise StepFailure("EVENT_BODY_INVALID", "not that")
        return body


class Form(WaitingKind):
    """Stands for a step of the end user."""

    name = "form"
    schema: ClassVar[Any] = {}
    user_facing = True

    def compile(self, value: Json, path: Any, compiling: Any) -> Any:
        return value

    def wait(self, config: Any, scope: Scope, now: datetime) -> Wait:
        return Wait(event="form")


class Run(ChildKind):
    """Runs another definition; its configuration is the other's name and what it is started with."""

    name = "run"
    schema: ClassVar[Any] = {}

    def compile(self, value: Json, path: Any, compiling: Any) -> Any:
        return value

    def child(self, config: tuple[str, Any], scope: Scope) -> Child:
        name, parameters = config
        return Child(name, parameters(scope) if callable(parameters) else parameters)


COMPUTE, ASK, REST, FORM, RUN = Compute(), Ask(), Rest(), Form(), Run()


def give(output: Json, goto: str | None = None) -> Callable[[Scope], Done]:
    """A computation that gives `output`."""
    return lambda scope: Done(output, goto)


def fail(code: str = "BROKEN", reason: str | None = None) -> Callable[[Scope], Done]:
    """A computation that fails."""

    def run(scope: Scope) -> Done:
        raise StepFailure(code, "it broke", reason=reason)

    return run


def end(scope: Scope) -> Ended:
    """A computation that ends the execution."""
    return Ended()


def step(name: str, kind: Any = COMPUTE, config: Any = None, **rest: Any) -> Step:
    """A step; without configuration it gives its own name."""
    return Step(name, kind, give(name) if config is None else config, **rest)


def define(*steps: Step, name: str = "test", **rest: Any) -> Definition:
    """A definition of these steps."""
    return Definition(name, steps, **rest)


def fresh(definition: Definition, **parameters: Json) -> State:
    """An execution of `definition` that has not started."""
    identity = Identity(UUID(int=1), UUID(int=2), UUID(int=3), definition.execution_type, parameters, NOW, "API")
    return State(identity, UUID(int=4))


RETRY = Retry(attempts=3, first=timedelta(seconds=1), factor=2.0, max=timedelta(minutes=1))
CONTINUE = OnError("continue")
