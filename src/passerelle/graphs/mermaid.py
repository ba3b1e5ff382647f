"""A flow as Mermaid text, which GitHub, GitLab and many editors draw."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from passerelle.graphs.models import Edge, Graph, GraphNode, Shape

_SHAPES: Final[Mapping[Shape, tuple[str, str]]] = {
    "step": ("[", "]"),
    "user": ("([", "])"),
    "choice": ("{", "}"),
    "skip": ("{", "}"),
    "start": ("((", "))"),
    "end": ("(((", ")))"),
    "failed": ("[[", "]]"),
}
_SPECIAL: Final = re.compile(r"[\"#&<>`\\]")


def mermaid(graph: Graph) -> str:
    """The flow as a Mermaid flowchart."""
    return "\n".join(["flowchart TD", *_graph(graph, "  ")]) + "\n"


def _graph(graph: Graph, indent: str) -> Iterator[str]:
    for node in graph.nodes:
        yield from _node(node, indent)
    for edge in graph.edges:
        yield indent + _edge(edge)


def _node(node: GraphNode, indent: str) -> Iterator[str]:
    label = "<br>".join(map(_escaped, node.lines)) or " "
    if not node.inner:
        before, after = _SHAPES[node.shape]
        yield f'{indent}{node.id}{before}"{label}"{after}'
        return
    yield f'{indent}subgraph {node.id}["{label}"]'
    for number, (name, inner) in enumerate(node.inner):
        yield f'{indent}  subgraph list_{number}_{node.id}["{_escaped(name)}"]'
        yield from _graph(inner, f"{indent}    ")
        yield f"{indent}  end"
    yield f"{indent}end"


def _edge(edge: Edge) -> str:
    arrow = "-.->" if edge.error else "-->"
    label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
    return f"{edge.source} {arrow}{label} {edge.target}"


def _escaped(text: str) -> str:
    """Mermaid's entities are those of HTML with `#` instead of `&`, numbers included."""
    return _SPECIAL.sub(lambda found: f"#{ord(found.group())};", text)
