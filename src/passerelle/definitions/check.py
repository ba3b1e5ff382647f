"""`passerelle check FILE…`: what is wrong with definitions in files, without a server."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from passerelle.definitions.calls import Callee, callee_of, calls_of
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.source import read_source


def check_files(paths: Iterable[Path], kinds: KindRegistry) -> list[str]:
    """Everything that is wrong, one line each: `file:line: path: what is wrong and what would be right`."""
    texts = [(path, _text(path)) for path in paths]
    facts = KnownFacts(callees=_callees([text for _, text in texts if isinstance(text, str)], kinds))
    return [line for path, text in texts for line in _lines(path, text, kinds, facts)]


def _lines(path: Path, text: str | list[str], kinds: KindRegistry, facts: KnownFacts) -> list[str]:
    if isinstance(text, list):
        return text
    return [f"{path}:{problem}" for problem in compile_definition(text, kinds, workspace=facts).problems]


def _callees(texts: list[str], kinds: KindRegistry) -> dict[str, Callee]:
    """What is known of the definitions that run each other: nothing, where none runs another."""
    documents = [source.value for text in texts if (source := read_source(text)).readable]
    if not any(calls_of(document) for document in documents):
        return {}
    compiled = (compile_definition(text, kinds).definition for text in texts)
    return {definition.name: callee_of(definition) for definition in compiled if definition is not None}


def _text(path: Path) -> str | list[str]:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        return [f"{path}: cannot be read: {error.strerror}"]
    except UnicodeDecodeError as error:
        return [f"{path}: is not UTF-8 from byte {error.start} on; save it as UTF-8"]
