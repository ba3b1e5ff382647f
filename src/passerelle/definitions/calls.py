"""Which other definitions a definition runs as steps, and whether they can be run so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from passerelle.definitions.json_schema import Finding
from passerelle.definitions.model import Definition, ExecutionType, Parameter
from passerelle.definitions.parameters import fits
from passerelle.definitions.source import read_source
from passerelle.definitions.words import TYPE_NAMES, is_a, quoted, suggest
from passerelle.kit.json import Json, JsonObject

STEP: str = "workflow"
"""The step kind that runs another definition."""


@dataclass(frozen=True, slots=True)
class Callee:
    """What a definition that runs another has to know of it."""

    execution_type: ExecutionType
    parameters: Mapping[str, Parameter]
    calls: frozenset[str]
    """The names of the definitions that it runs itself."""


def callee_of(definition: Definition) -> Callee:
    """A definition as those that run it see it."""
    return Callee(definition.execution_type, definition.parameters, calls_of(definition.document))


def calls_in(text: str) -> frozenset[str]:
    """As `calls_of`, of a text; none where it cannot be read."""
    source = read_source(text)
    return calls_of(source.value) if source.readable else frozenset()


def calls_of(document: Json) -> frozenset[str]:
    """The names of the definitions that a document runs, also where other parts of it are wrong."""
    return frozenset(_calls(document))


def _calls(value: Json) -> Iterator[str]:
    if isinstance(value, dict):
        step = value.get(STEP)
        if isinstance(step, dict) and isinstance(step.get("definition"), str):
            yield step["definition"]
        for part in value.values():
            yield from _calls(part)
    elif isinstance(value, list):
        for part in value:
            yield from _calls(part)


def call_findings(own: str | None, name: str, given: JsonObject, known: Mapping[str, Callee]) -> Iterator[Finding]:
    """Everything that is wrong with a step of the definition `own` that runs `name` with these parameters.

    Paths are within the step's value. `known` are the definitions that are known here; others are not judged.
    """
    if name == own:
        yield ("definition",), f"`{name}` would run itself, without end; move what is to be repeated into an `each`"
        return
    callee = known.get(name)
    if callee is None:
        return
    if (circle := _way(name, own, known)) is not None:
        yield (
            ("definition",),
            f"the definitions would run each other in a circle: {' → '.join((own or '', *circle))}; break it somewhere",
        )
    if callee.execution_type == "INTERACTIVE":
        yield (
            ("definition",),
            f"`{name}` has steps for an end user, so no step can run it;"
            " ask the end user in this definition, and run a definition without such steps",
        )
    yield from _parameters(name, given, callee.parameters)


def _way(start: str, end: str | None, known: Mapping[str, Callee]) -> tuple[str, ...] | None:
    """The definitions on the way of calls from `start` to `end`, both included; None where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    for way in ways:
        if way[-1] == end:
            return way
        here = known.get(way[-1])
        for name in sorted((here.calls if here is not None else frozenset()) - seen):
            seen.add(name)
            ways.append((*way, name))
    return None


def _parameters(name: str, given: JsonObject, declared: Mapping[str, Parameter]) -> Iterator[Finding]:
    for parameter, value in given.items():
        if parameter not in declared:
            hint = suggest(parameter, declared, "it declares")
            yield ("parameters", parameter), f"`{name}` declares no parameter `{parameter}`; {hint}"
            continue
        expected = declared[parameter].type
        if value is not None and not _computed(value) and not fits(value, expected):
            yield ("parameters", parameter), f"`{name}` wants {TYPE_NAMES[expected]} here, this is {is_a(value)}"
    missing = [each for each in declared.values() if each.required and each.default is None and each.name not in given]
    if missing:
        yield (
            ("parameters",) if given else (),
            f"`{name}` requires {quoted(each.name for each in missing)}; add it here",
        )


def _computed(value: Json) -> bool:
    return isinstance(value, str) and "${" in value
