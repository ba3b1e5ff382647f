"""`passerelle graph`."""

from __future__ import annotations

from pathlib import Path

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Definition
from passerelle.engine.registry import load_kinds
from passerelle.errors import CommandError
from passerelle.gathering import read_text
from passerelle.graphs.mermaid import mermaid
from passerelle.graphs.models import graph_of, name_of
from passerelle.graphs.svg import svg


def draw(file: Path, *, as_svg: bool) -> str:
    """The flow of the definition in `file`. Raises `CommandError` with everything that is wrong with it."""
    definition = _definition(file)
    graph = graph_of(definition)
    return svg(graph, name_of(definition.title) or definition.name) if as_svg else mermaid(graph)


def _definition(file: Path) -> Definition:
    compiled = compile_definition(read_text(file), load_kinds())
    if compiled.definition is None:
        raise CommandError("\n".join(f"{file}:{problem}" for problem in compiled.problems))
    return compiled.definition
