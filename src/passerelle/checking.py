"""`passerelle check`: what is wrong with definitions and tables in files, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from passerelle.definitions.calls import Callee, callee_of, calls_of
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.source import read_source
from passerelle.gathering import gather


def check_files(paths: Iterable[Path], kinds: KindRegistry) -> tuple[list[str], int]:
    """Everything that is wrong, one line each: `file:line: path: what is wrong and what would be right`.

    And how many files were looked at. Definitions are checked against the tables and definitions that are among the
    files; others are taken to be there.
    """
    files = gather(paths)
    problems = list(files.problems)
    tables: dict[str, frozenset[str]] = {}
    if files.tables:
        problems += _check_tables(files.tables, tables)
    callees = _callees([text for _, text in files.definitions], kinds)
    facts = KnownFacts(tables=tables, more_tables=True, callees=callees)
    for file, text in files.definitions:
        problems += [f"{file}:{problem}" for problem in compile_definition(text, kinds, workspace=facts).problems]
    return problems, len(files.tables) + len(files.definitions) + len(files.problems)


def _callees(texts: Sequence[str], kinds: KindRegistry) -> dict[str, Callee]:
    """What is known of the definitions that run each other: nothing, where none runs another."""
    documents = [source.value for text in texts if (source := read_source(text)).readable]
    if not any(calls_of(document) for document in documents):
        return {}
    compiled = (compile_definition(text, kinds).definition for text in texts)
    return {definition.name: callee_of(definition) for definition in compiled if definition is not None}


def _check_tables(files: Sequence[tuple[Path, str]], tables: dict[str, frozenset[str]]) -> list[str]:
    """What is wrong with tables; those that are sound are added to `tables`."""
    from passerelle.tables.client import twice  # noqa: PLC0415 - a command loads only what it needs
    from passerelle.tables.files import read_table  # noqa: PLC0415

    texts = [(file, read_table(text)) for file, text in files]
    sound = [(file, text.body) for file, text in texts if text.body is not None]
    tables |= {body.name: frozenset(field.name for field in body.fields) for _, body in sound}
    problems = [f"{file}:{problem}" for file, text in texts for problem in text.problems]
    return problems + twice((file, body.name) for file, body in sound)
