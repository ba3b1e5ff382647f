"""`passerelle graph`."""

from __future__ import annotations

from pathlib import Path

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.files import read_text
from passerelle.definitions.model import Definition
from passerelle.engine.registry import load_kinds
from passerelle.graphs.mermaid import mermaid
from passerelle.graphs.models import graph_of
from passerelle.kit.errors import CommandError


def draw(file: Path) -> str:
    """The flow of the definition in `file` as Mermaid text. Raises `CommandError` with all that is wrong with it."""
    return mermaid(graph_of(_definition(file)))


def _definition(file: Path) -> Definition:
    compiled = compile_definition(read_text(file), load_kinds())
    if compiled.definition is None:
        raise CommandError("\n".join(f"{file}:{problem}" for problem in compiled.problems))
    return compiled.definition
