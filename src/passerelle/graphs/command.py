"""`passerelle graph`."""

from __future__ import annotations

from pathlib import Path

from passerelle.definitions.check import check_files
from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Definition
from passerelle.engine.registry import load_kinds
from passerelle.errors import CommandError
from passerelle.graphs.mermaid import mermaid
from passerelle.graphs.models import graph_of, name_of
from passerelle.graphs.svg import svg


def draw(file: Path, *, as_svg: bool) -> str:
    """The flow of the definition in `file`. Raises `CommandError` with everything that is wrong with it."""
    definition = _definition(file)
    graph = graph_of(definition)
    return svg(graph, name_of(definition.title) or definition.name) if as_svg else mermaid(graph)


def _definition(file: Path) -> Definition:
    kinds = load_kinds()
    if problems := check_files([file], kinds):
        raise CommandError("\n".join(problems))
    definition = compile_definition(file.read_text(encoding="utf-8"), kinds).definition
    assert definition is not None
    return definition
