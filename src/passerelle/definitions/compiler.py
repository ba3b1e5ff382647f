"""From the text of a definition to a compiled one, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from passerelle.definitions.compilation import Compilation
from passerelle.definitions.facts import KnownFacts, WorkspaceFacts
from passerelle.definitions.json_schema import Finding, SchemaCheck
from passerelle.definitions.kinds import KindRegistry, Path, StepKind
from passerelle.definitions.model import Definition
from passerelle.definitions.problems import DefinitionProblem, placed
from passerelle.definitions.schema import definition_schema
from passerelle.definitions.source import Source, read_source
from passerelle.definitions.uses import KnownNames
from passerelle.kit.json import Json

MOST_STEPS: Final = 1_000
"""Steps of one definition, inner ones included."""


@dataclass(frozen=True)
class Compiled:
    """What came of a text: a definition, or the problems that stand in its way, by line.

    What may fail in a run, and may be meant, is in `warnings`.
    """

    definition: Definition | None
    problems: tuple[DefinitionProblem, ...]
    document: Json
    """The plain JSON value of the text; None where it could not be read."""
    warnings: tuple[DefinitionProblem, ...] = ()


@dataclass(frozen=True)
class CheckedText:
    """What is wrong with a text, without what would be made of it.

    name   what the text calls itself, where that can be read
    """

    name: str | None
    problems: tuple[DefinitionProblem, ...]
    warnings: tuple[DefinitionProblem, ...]


def check_definition(text: str, kinds: KindRegistry, workspace: WorkspaceFacts | None = None) -> CheckedText:
    """As `compile_definition`."""
    compiled = compile_definition(text, kinds, workspace=workspace)
    name = compiled.document.get("name") if isinstance(compiled.document, dict) else None
    return CheckedText(name if isinstance(name, str) else None, compiled.problems, compiled.warnings)


def compile_definition(
    text: str, kinds: KindRegistry, *, workspace: WorkspaceFacts | None = None, stored: bool = False
) -> Compiled:
    """Compile a YAML or JSON text. Raises nothing about the text: whatever is wrong is listed.

    stored   the text was taken once: it is not refused for what only a closer look finds

    Without `workspace`, tables, secrets and other definitions are taken to be there.
    """
    source = read_source(text)
    if not source.readable:
        return Compiled(None, placed(source, ()), None)
    if (count := _steps(source.value)) > MOST_STEPS:
        message = f"has {count:,} steps; {MOST_STEPS:,} are the most: split it with `workflow` steps"
        return Compiled(None, placed(source, [(("steps",), message)]), source.value)
    marred = {problem.path for problem in source.problems}
    found = structure_check(kinds).findings(source.value, all_of_it=True)
    structural = [finding for finding in found if finding[0] not in marred]
    # What reading has told of already is not told again, and not compiled either.
    definition, compilation = _compile(source, kinds, workspace or KnownFacts(), found)
    findings = compilation.findings if compilation is not None else []
    if compilation is not None and not stored:
        findings = findings + compilation.doubts
    problems = placed(source, [*structural, *findings])
    warnings = placed(source, compilation.warnings) if compilation is not None and not problems else ()
    return Compiled(None if problems else definition, problems, source.value, warnings)


def _steps(document: Json) -> int:
    """How many steps it has, inner ones included; what looks like one in a literal value counts as well."""
    count, todo = 0, [document]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            count += sum(1 for each in item if isinstance(each, dict) and "id" in each)
            todo.extend(item)
    return count


def structure_check(kinds: KindRegistry) -> SchemaCheck:
    """The check of a document's structure: the published schema, with sentences of our own."""
    return _structure_check(tuple(kinds.items()))


@lru_cache(maxsize=8)
def _structure_check(kinds: tuple[tuple[str, StepKind], ...]) -> SchemaCheck:
    return SchemaCheck(definition_schema(dict(kinds)), show_values=True)


def _compile(
    source: Source, kinds: KindRegistry, facts: WorkspaceFacts, structural: Iterable[Finding]
) -> tuple[Definition | None, Compilation | None]:
    document = source.value
    if not isinstance(document, dict):
        return None, None
    record = document.get("record")
    table = record.get("table") if isinstance(record, dict) else None
    parameters = document.get("parameters", {})
    known = KnownNames(
        parameters=parameters if isinstance(parameters, dict) else None,
        table=table if isinstance(table, str) else None,
        has_record=record is not None,
        facts=facts,
        name=document.get("name"),
        secret_kinds=tuple(name for name, kind in kinds.items() if kind.secrets_allowed),
    )
    compilation = Compilation(source, kinds, known, frozenset(_around(path for path, _ in structural)))
    return compilation.definition(document), compilation


def _around(paths: Iterable[Path]) -> Iterator[Path]:
    """Every path, and every path that holds one of them."""
    for path in paths:
        for length in range(len(path) + 1):
            yield path[:length]
