"""The flow of a definition as nodes and edges. What jumps stays within its own list, so graphs nest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from passerelle.definitions.model import Definition, Step, Text
from passerelle.engine.steps.end import EndKind
from passerelle.engine.steps.fail import FailKind
from passerelle.engine.steps.form import FormConfig
from passerelle.engine.steps.switch import SwitchKind
from passerelle.engine.steps.workflow import WorkflowKind

Shape = Literal["step", "user", "choice", "skip", "start", "end", "failed", "group"]
"""`choice` is a `switch`, `skip` the point where a step's `when` decides, `group` a step with steps inside."""

OTHERWISE = "otherwise"


@dataclass(frozen=True)
class GraphNode:
    """One point of the flow. `lines` are what people read: the name first, then what it is."""

    id: str
    shape: Shape
    lines: tuple[str, ...] = ()
    step: str | None = None
    """The step that stands here, by its id."""
    kind: str | None = None
    title: Text | None = None
    inner: tuple[tuple[str, Graph], ...] = ()
    fields: Mapping[str, Text] = field(default_factory=dict)
    """What a form calls its fields, by their names."""


@dataclass(frozen=True)
class Edge:
    """One way on. `label` is the condition; `error` marks what follows a failure."""

    source: str
    target: str
    label: str = ""
    error: bool = False


@dataclass(frozen=True)
class Graph:
    """A list of steps: its nodes in the order of the text, and the ways between them."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[Edge, ...]


def graph_of(definition: Definition) -> Graph:
    """The whole flow of a definition."""
    return _graph(definition.steps, "")


def name_of(text: Text | None) -> str | None:
    """A text for people, in its first language."""
    return text if text is None or isinstance(text, str) else next(iter(text.values()))


def _graph(steps: Sequence[Step], suffix: str) -> Graph:
    start, end = GraphNode(f"begin{suffix}", "start"), GraphNode(f"finish{suffix}", "end")
    entries = [*(_entry(step) for step in steps), end.id]
    nodes: list[GraphNode] = [start]
    edges = [Edge(start.id, entries[0])]
    places = {step.id: entry for step, entry in zip(steps, entries, strict=False)}
    for number, step in enumerate(steps):
        following = entries[number + 1]
        if step.when is not None:
            nodes.append(GraphNode(entries[number], "skip"))
            edges.append(Edge(entries[number], _id(step), _one_line(step.when.source)))
            edges.append(Edge(entries[number], following, OTHERWISE))
        nodes.append(_node(step))
        edges.extend(_leaving(step, following, places, end.id))
    return Graph((*nodes, end), tuple(dict.fromkeys(edges)))


def _id(step: Step) -> str:
    return f"step_{step.id}"


def _entry(step: Step) -> str:
    """Where ways to the step lead: to its `when` first, if it has one."""
    return f"when_{step.id}" if step.when is not None else _id(step)


def _node(step: Step) -> GraphNode:
    title = name_of(step.title)
    kind = f"{step.kind.name} {step.config.definition}" if isinstance(step.kind, WorkflowKind) else step.kind.name
    lines = (title, f"{step.id} · {kind}") if title and title != step.id else (step.id, kind)
    inner = tuple(
        (name, _graph(steps, f"_{number}_{step.id}"))
        for number, (name, steps) in enumerate(step.kind.nested(step.config))
        if steps
    )
    shape = _shape(step, grouped=bool(inner))
    return GraphNode(_id(step), shape, lines, step.id, step.kind.name, step.title, inner, _fields(step))


def _fields(step: Step) -> Mapping[str, Text]:
    if not isinstance(step.config, FormConfig):
        return {}
    texts = step.config.form.texts
    titled = {path[1]: text for (path, keyword), text in texts.items() if keyword == "title" and len(path) == 2}
    return {str(name): text for name, text in titled.items()}


def _shape(step: Step, *, grouped: bool) -> Shape:
    if grouped:
        return "group"
    if isinstance(step.kind, SwitchKind):
        return "choice"
    if isinstance(step.kind, FailKind):
        return "failed"
    return "user" if step.kind.user_facing else "step"


def _leaving(step: Step, following: str, places: dict[str, str], end: str) -> Iterator[Edge]:
    """Every way on from a step, in the order in which they are tried."""
    here = _id(step)
    if isinstance(step.kind, SwitchKind):
        for case in step.config:
            yield Edge(here, places[case.goto], _one_line(case.when.source) if case.when is not None else OTHERWISE)
        if step.kind.falls_through(step.config):
            yield Edge(here, following, OTHERWISE)
    elif isinstance(step.kind, EndKind):
        yield Edge(here, end)
    else:
        yield from (Edge(here, places[target]) for target in step.kind.jumps(step.config))
        if step.kind.falls_through(step.config):
            yield Edge(here, following)
    if step.on_error.goto is not None:
        yield Edge(here, places[step.on_error.goto], "on error", error=True)
    elif step.on_error.action == "continue" and not step.kind.falls_through(step.config):
        yield Edge(here, following, "on error", error=True)


def _one_line(expression: str) -> str:
    return " ".join(expression.split())
