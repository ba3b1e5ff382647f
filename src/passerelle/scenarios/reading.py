"""From a file of scenarios to what can be played, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.files import read_text
from passerelle.definitions.json_schema import SchemaCheck
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.model import Definition
from passerelle.definitions.problems import render_path
from passerelle.definitions.source import Source, read_source
from passerelle.definitions.yaml_text import Genre
from passerelle.kit.errors import CommandError
from passerelle.kit.json import JsonObject
from passerelle.scenarios.building import Building
from passerelle.scenarios.models import ScenarioFile
from passerelle.scenarios.schema import scenarios_schema

GENRE: Final = Genre("file of scenarios", "`scenarios`")
MARK: Final = ".test"
ENDINGS: Final = (".yaml", ".yml", ".json")
"""Of files of scenarios, and of definitions: what is written comes with the first."""


def find_files(paths: Iterable[Path]) -> list[Path]:
    """The scenario files among `paths`; of a folder, all `*.test.yaml` at any depth, hidden folders left out.

    Raises `CommandError` for a path that is not there, and where no file is found.
    """
    given = list(paths)
    found = list(dict.fromkeys(file for path in given for file in _found(path)))
    if not found:
        where = ", ".join(str(path) for path in given)
        raise CommandError(f"no scenarios in {where}: write them beside a definition, for a.yaml in a.test.yaml")
    return found


def _found(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise CommandError(f"{path} is not there")
    return sorted(
        file
        for suffix in ENDINGS
        for file in path.rglob(f"*{MARK}{suffix}")
        if not any(part.startswith(".") or part == "node_modules" for part in file.relative_to(path).parts)
    )


def read_file(path: Path, kinds: KindRegistry) -> ScenarioFile | list[str]:
    """The scenarios, or every problem as `file:line: where: what is wrong and what would be right`."""
    text = _text(path)
    if isinstance(text, list):
        return text
    source = read_source(text, GENRE)
    structural = _structure().findings(source.value) if source.readable else []
    lines = [(item.line, item.column, item.path, item.message) for item in source.problems]
    lines += [(*source.place(where), where, message) for where, message in structural]
    if lines or not isinstance(source.value, dict):
        return _said(path, source, lines)
    definition = _definition(path, source, kinds)
    if isinstance(definition, list):
        return definition
    building = Building(definition[1], source.place)
    scenarios = building.scenarios(source.value)
    if building.findings:
        return _said(path, source, [(*source.place(where), where, message) for where, message in building.findings])
    return ScenarioFile(path, *definition, scenarios)


def definition_path(path: Path, document: JsonObject | None = None) -> Path:
    """The file that scenarios are about: the one they name, or `a.yaml` beside `a.test.yaml`."""
    if document is not None and "definition" in document:
        return path.parent / str(document["definition"])
    stem = path.name.removesuffix(path.suffix).removesuffix(MARK)
    beside = [path.with_name(stem + suffix) for suffix in (path.suffix, *ENDINGS)]
    return next((file for file in beside if file != path and file.is_file()), beside[0])


def _definition(path: Path, source: Source, kinds: KindRegistry) -> tuple[Path, Definition] | list[str]:
    file = definition_path(path, source.value)
    if not file.is_file() or file == path:
        line, _ = source.place(("definition",))
        return [f"{path}:{line}: definition: there is no {file}; name the definition's file in `definition`"]
    text = _text(file)
    if isinstance(text, list):
        return text
    compiled = compile_definition(text, kinds)
    if compiled.definition is None:
        return [f"{file}:{problem}" for problem in compiled.problems]
    return file, compiled.definition


def _text(path: Path) -> str | list[str]:
    try:
        return read_text(path)
    except CommandError as error:
        return [str(error)]


@cache
def _structure() -> SchemaCheck:
    return SchemaCheck(scenarios_schema(), show_values=True)


_Located = tuple[int, int, tuple[str | int, ...], str]


def _said(path: Path, source: Source, problems: Iterable[_Located]) -> list[str]:
    return list(_lines(path, source, sorted(dict.fromkeys(problems), key=lambda entry: entry[:2])))


def _lines(path: Path, source: Source, problems: Iterable[_Located]) -> Iterator[str]:
    for line, _, where, message in problems:
        yield f"{path}:{line}: {render_path(where, source.value, 'scenarios')}: {message}"
