"""Compiles one step as a definition would."""

from __future__ import annotations

from typing import Any

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Step
from passerelle.engine.registry import load_kinds
from passerelle.kit.json import dumps

KINDS = load_kinds()


def compile_step(kind: str, value: Any, **common: Any) -> Step:
    """The first step, `one`, of a definition that has nothing wrong; `two` and `three` follow it."""
    others = [{"id": name, "set": {"x": 1}} for name in ("two", "three")]
    parameters = {name: {"type": "object"} for name in ("p", "q")}
    document: dict[str, Any] = {
        "name": "a",
        "parameters": parameters,
        "steps": [{"id": "one", kind: value, **common}, *others],
    }
    result = compile_definition(dumps(document), KINDS)
    # A step that ends the way leaves the others behind, on purpose.
    problems = [str(problem) for problem in result.problems if "nothing leads to" not in problem.message]
    assert problems == []
    alone = compile_definition(dumps({**document, "steps": document["steps"][:1]}), KINDS)
    definition = result.definition or alone.definition
    assert definition is not None
    return definition.steps[0]
