"""`passerelle check`: what is wrong with definitions, tables and roles in files, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from passerelle.definitions.calls import Callee, callee_of, calls_of
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.files import gather
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.source import read_source
from passerelle.kit.json import JsonObject


def check_files(paths: Iterable[Path], kinds: KindRegistry) -> tuple[list[str], list[str], int]:
    """Everything that is wrong, one line each: `file:line: path: what is wrong and what would be right`.

    What may fail in a run, in the same form; and how many files were looked at.

    Definitions are checked against the tables and definitions that are among the
    files; others are taken to be there.
    """
    files = gather(paths)
    problems = list(files.problems)
    values: dict[str, dict[str, JsonObject]] = {}
    if files.tables:
        problems += _check_tables(files.tables, values)
    tables = {name: frozenset(fields) for name, fields in values.items()}
    callees = _callees([text for _, text in files.definitions], kinds)
    from passerelle.languages.service import shipped_codes

    facts = KnownFacts(tables=tables, more_tables=True, callees=callees, values=values, languages=shipped_codes())
    warnings: list[str] = []
    for file, text in files.definitions:
        compiled = compile_definition(text, kinds, workspace=facts)
        problems += [f"{file}:{problem}" for problem in compiled.problems]
        warnings += [f"{file}:{warning}" for warning in compiled.warnings]
    if files.roles:
        problems += _check_roles(files.roles)
    checked = len(files.tables) + len(files.definitions) + len(files.roles) + len(files.problems)
    return problems, warnings, checked


def _check_roles(files: Sequence[tuple[Path, str]]) -> list[str]:
    from passerelle.people.role_files import read_role

    return [f"{file}:{problem}" for file, text in files for problem in read_role(text).problems]


def _callees(texts: Sequence[str], kinds: KindRegistry) -> dict[str, Callee]:
    """What is known of the definitions that run each other: nothing, where none runs another."""
    documents = [source.value for text in texts if (source := read_source(text)).readable]
    if not any(calls_of(document) for document in documents):
        return {}
    compiled = (compile_definition(text, kinds).definition for text in texts)
    return {definition.name: callee_of(definition) for definition in compiled if definition is not None}


def _check_tables(files: Sequence[tuple[Path, str]], values: dict[str, dict[str, JsonObject]]) -> list[str]:
    """What is wrong with tables; what is known of the values of those that are sound is added to `values`."""
    from passerelle.cli.tables_client import twice
    from passerelle.tables.files import read_table
    from passerelle.tables.schemas import options_of
    from passerelle.tables.types import value_schema

    texts = [(file, read_table(text)) for file, text in files]
    sound = [(file, text.body) for file, text in texts if text.body is not None]
    values |= {
        body.name: {
            one.name: value_schema(one.type, [option.value for option in options_of(one)]) for one in body.fields
        }
        for _, body in sound
    }
    problems = [f"{file}:{problem}" for file, text in texts for problem in text.problems]
    return problems + twice((file, body.name) for file, body in sound)
