"""A BPMN file as nodes and ways between them. Entities and document types are refused: no BPMN file needs them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from passerelle.conversions.models import ConversionError
from passerelle.conversions.names import one_line
from passerelle.conversions.reading import refuse_large

MODEL: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
DEEPEST: Final = 60
"""Levels of elements."""
MOST_ELEMENTS: Final = 50_000
MOST_NODES: Final = 800
"""Nodes of the process that is converted; a definition may have a thousand steps."""

_NODES: Final = (
    "startEvent endEvent intermediateCatchEvent intermediateThrowEvent task userTask manualTask serviceTask sendTask"
    " receiveTask scriptTask businessRuleTask callActivity subProcess transaction adHocSubProcess exclusiveGateway"
    " parallelGateway inclusiveGateway eventBasedGateway complexGateway"
)
NODES: Final = frozenset(_NODES.split())
"""What a way leads to. Boundary events stand at their activity."""


@dataclass(frozen=True, slots=True)
class Way:
    """A sequence flow."""

    id: str
    source: str
    target: str
    name: str
    condition: str | None


@dataclass(frozen=True, slots=True)
class Boundary:
    """An event at the edge of an activity: what it is, and the node that follows."""

    id: str
    kind: str
    """`timer`, `error`, or another event's name."""
    interrupting: bool
    element: Element
    out: list[Way] = field(default_factory=list)


@dataclass(slots=True)
class FlowNode:
    """One element of the flow."""

    id: str
    tag: str
    name: str
    element: Element
    lane: str | None = None
    out: list[Way] = field(default_factory=list)
    into: list[Way] = field(default_factory=list)
    boundaries: list[Boundary] = field(default_factory=list)
    default: str | None = None
    """The way that is taken where no condition holds."""

    @property
    def event(self) -> str | None:
        """What an event is about: `timer`, `message`, `error`…; None where it says nothing."""
        return event_kind(self.element)


@dataclass(slots=True)
class Level:
    """The nodes of a process or of a sub-process, by id, and where they begin."""

    nodes: dict[str, FlowNode] = field(default_factory=dict)
    hosts: dict[str, str] = field(default_factory=dict)
    """The activities at whose edges boundary events stand, by the events' ids."""
    tries: int = 0
    """How many joins were tried so far."""
    loose: list[Way] = field(default_factory=list)
    """Ways that do not lead from one node of the level to another."""

    @property
    def starts(self) -> list[FlowNode]:
        """Where it begins: at a start event, else where no way leads to."""
        events = [one for one in self.nodes.values() if one.tag == "startEvent"]
        return events or [one for one in self.nodes.values() if not one.into]


def parsed(content: bytes) -> Element:
    """The root of an XML file. Raises `ConversionError` for what is none, too much, or has a document type."""
    refuse_large(content)
    depth = count = 0
    root: Element | None = None
    try:
        for event, element in iterparse(io.BytesIO(content), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            count += event == "start"
            root = element if root is None else root
            if depth > DEEPEST:
                raise ConversionError(f"the file is nested deeper than {DEEPEST} levels")
            if count > MOST_ELEMENTS:
                raise ConversionError(f"the file has more than {MOST_ELEMENTS:,} elements")
    except DefusedXmlException:
        raise ConversionError(
            "the file declares a document type or entities, which no BPMN file needs: take them out"
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        if isinstance(error, ConversionError):
            raise
        raise ConversionError(f"this is not XML: {one_line(error)}") from None
    if root is None or root.tag != f"{{{MODEL}}}definitions":
        raise ConversionError("this is no BPMN 2.0 file: its root is not `definitions` of the BPMN model")
    return root


def tag(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def is_model(element: Element) -> bool:
    """Whether it is of BPMN itself, not of a tool's extensions."""
    return str(element.tag).startswith(f"{{{MODEL}}}")


def children(element: Element, name: str) -> list[Element]:
    """The elements of BPMN of this name directly within it."""
    return element.findall(f"{{{MODEL}}}{name}")


def name_of(element: Element) -> str:
    """What it is called, on one line."""
    return one_line(element.get("name") or "", 150)


def event_kind(element: Element) -> str | None:
    """`timer`, `message`, `error`… as its definition says; None for an event without one."""
    found = [tag(one) for one in element if tag(one).endswith("EventDefinition")]
    return found[0].removesuffix("EventDefinition") if found else None


def level_of(around: Element) -> Level:
    """The nodes and ways directly within a process or sub-process. Raises `ConversionError` for too many."""
    level = Level()
    lanes = _lanes(around)
    for element in around:
        name, identity = tag(element), element.get("id") or ""
        if is_model(element) and name in NODES and identity and identity not in level.nodes:
            get = element.get
            level.nodes[identity] = FlowNode(
                identity, name, name_of(element), element, lanes.get(identity), default=get("default")
            )
    if len(level.nodes) > MOST_NODES:
        raise ConversionError(f"the process has {len(level.nodes):,} nodes; {MOST_NODES} are the most")
    boundaries: dict[str, Boundary] = {}
    for element in children(around, "boundaryEvent"):
        if (boundary := _attached(level, element)) is not None:
            boundaries[boundary.id] = boundary
            level.hosts[boundary.id] = element.get("attachedToRef") or ""
    for element in children(around, "sequenceFlow"):
        _connect(level, way_of(element), boundaries)
    return level


def way_of(element: Element) -> Way:
    """A sequence flow as it is written."""
    condition = next(iter(children(element, "conditionExpression")), None)
    text = None if condition is None else (condition.text or "").strip() or None
    get = element.get
    return Way(get("id") or "", get("sourceRef") or "", get("targetRef") or "", name_of(element), text)


def _connect(level: Level, way: Way, boundaries: Mapping[str, Boundary]) -> None:
    source, target = level.nodes.get(way.source) or boundaries.get(way.source), level.nodes.get(way.target)
    if source is None or target is None:
        level.loose.append(way)
        return
    source.out.append(way)
    target.into.append(way)


def _attached(level: Level, element: Element) -> Boundary | None:
    node, identity = level.nodes.get(element.get("attachedToRef") or ""), element.get("id")
    if node is None or not identity:
        return None
    interrupting = element.get("cancelActivity", "true").strip().lower() != "false"
    boundary = Boundary(identity, event_kind(element) or "none", interrupting, element)
    node.boundaries.append(boundary)
    return boundary


def _lanes(around: Element) -> Mapping[str, str]:
    """The lane that each node stands in, the innermost one, by the node's id."""
    found: dict[str, str] = {}
    for lane_set in children(around, "laneSet"):
        for lane in lane_set.iter(f"{{{MODEL}}}lane"):
            for reference in children(lane, "flowNodeRef"):
                if name_of(lane) and reference.text:
                    found[reference.text.strip()] = name_of(lane)
    return found
