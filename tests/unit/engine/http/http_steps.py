"""Compiled `http` steps for tests, and the tools they run with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from passerelle.definitions.compiler import Compiled, compile_definition
from passerelle.definitions.model import Step
from passerelle.engine.kinds import Tools
from passerelle.engine.steps.http import HttpKind
from passerelle.kit.json import KnownJson, dumps
from passerelle.kit.outgoing import Outgoing, OutgoingAnswer, OutgoingError
from passerelle.kit.outgoing.fake import FakeOutgoing, canned

KIND = HttpKind()
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PARAMETERS = {name: {"type": "string"} for name in ("a", "b", "url")} | {"data": {"type": "object"}}


def problems(**config: Any) -> list[str]:
    """What the compiler finds wrong with a step, as `path: message`."""
    return [f"{problem.where}: {problem.message}" for problem in _compiled(config).problems]


def step(**config: Any) -> Step:
    """A compiled step; `reads` is an expression that reads something of it later."""
    compiled = _compiled(config)
    assert compiled.definition is not None, compiled.problems
    return compiled.definition.steps[0]


def _compiled(config: Mapping[str, Any]) -> Compiled:
    config = {"url": "https://host.example/x", **config}
    reads = config.pop("reads", None)
    document: dict[str, Any] = {"name": "test", "parameters": PARAMETERS, "steps": [{"id": "ask", "http": config}]}
    if reads is not None:
        document["result"] = {"read": f"${{{reads}}}"}
    return compile_definition(dumps(document), {"http": KIND})


def scope(
    parameters: Mapping[str, KnownJson] | None = None, secrets: Mapping[str, str] | None = None
) -> dict[str, KnownJson]:
    """What the expressions see."""
    return {"parameters": dict(parameters or {}), "secrets": dict(secrets or {}), "steps": {}, "execution": {}}


def answer(body: bytes = b"{}", status: int = 200, **headers: str) -> OutgoingAnswer:
    """An answer; `content_type=…` is the header `content-type`. JSON unless it says something else."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return OutgoingAnswer(status, {"content-type": "application/json", **named}, body)


def fake(*answers: OutgoingAnswer | OutgoingError) -> FakeOutgoing:
    """Another side that answers so; `{}` where nothing is said."""
    return FakeOutgoing(canned(*(answers or (answer(),))))


async def run(
    made: Step,
    outgoing: Outgoing,
    parameters: Mapping[str, KnownJson] | None = None,
    secrets: Mapping[str, str] | None = None,
    step_limit: timedelta | None = None,
    **tools_: Any,
) -> Any:
    """The step's output."""
    tools = Tools(outgoing, NOW, step_limit, **tools_)
    return await KIND.call(made.config, scope(parameters, secrets), tools, "execution:ask:1")


def shown(
    made: Step, parameters: Mapping[str, KnownJson] | None = None, secrets: Mapping[str, str] | None = None
) -> Any:
    """What the timeline shows as the step's input."""
    return KIND.describe(made.config, scope(parameters, secrets))
