"""A BPMN file as a definition, and everything in it that was not carried over, by element."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from passerelle.conversions.bpmn import tools
from passerelle.conversions.bpmn.flow import FlowWriter
from passerelle.conversions.bpmn.reading import MODEL, NODES, is_model, level_of, name_of, parsed, tag
from passerelle.conversions.bpmn.steps import StepMaker
from passerelle.conversions.models import ConversionError, Sketch, Wish
from passerelle.conversions.names import as_title, definition_name, one_line

_PARTS: Final = (
    "definitions process sequenceFlow conditionExpression incoming outgoing documentation extensionElements laneSet"
    " lane flowNodeRef childLaneSet boundaryEvent timerEventDefinition timeDuration timeDate timeCycle"
    " messageEventDefinition signalEventDefinition"
    " errorEventDefinition escalationEventDefinition terminateEventDefinition"
    " linkEventDefinition conditionalEventDefinition compensateEventDefinition cancelEventDefinition condition source"
    " target message signal error escalation collaboration participant multiInstanceLoopCharacteristics"
    " standardLoopCharacteristics script loopCardinality loopDataInputRef inputDataItem completionCondition"
)
_HANDLED: Final = NODES | frozenset(_PARTS.split())
"""What is carried over, or told where it stands."""
_DRAWING: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
_READ: Final = frozenset({"candidateGroups", "assignee", "candidateUsers", "formKey"})


def convert(content: bytes, wish: Wish, file_name: str, *, asking: bool = False) -> Sketch:
    """The process of a BPMN file as steps. Raises `ConversionError`.

    asking   whether people decide at every gateway, as where no condition can be carried over
    """
    root = parsed(content)
    processes = root.findall(f"{{{MODEL}}}process")
    if not processes:
        raise ConversionError("the file holds no `process`")
    filled = [one for one in processes if any(tag(inner) in NODES for inner in one)]
    if not filled:
        raise ConversionError("the file's process holds nothing to do")
    process = next((one for one in filled if one.get("isExecutable") == "true"), filled[0])
    title = name_of(process) or _pool_of(root, process) or file_name
    draft = Sketch({"name": wish.name or definition_name(title), "title": as_title(title)})
    used = tools.Used()
    writer = FlowWriter(draft, StepMaker(draft, root, used), level_of(process), inner=False, asking=asking)
    draft.document["steps"] = writer.level_steps(process.get("id") or "process", whole=True)
    if not draft.document["steps"]:
        raise ConversionError("the file's process holds nothing to do")
    if not draft.document.get("parameters"):
        draft.document.pop("parameters", None)
    _tell_others(draft, root, process, processes, used)
    return draft


def _pool_of(root: Element, process: Element) -> str:
    for participant in root.iter(f"{{{MODEL}}}participant"):
        if participant.get("processRef") == process.get("id"):
            return name_of(participant)
    return ""


def _tell_others(draft: Sketch, root: Element, process: Element, processes: list[Element], used: tools.Used) -> None:
    """Whatever nothing was made of: other processes, data, notes, what tools added, and the drawing."""
    for other in processes:
        if other is not process:
            draft.leave(
                other.get("id") or "process", "another process: convert it by itself, and run it by a `workflow` step"
            )
    if any(str(one.tag).startswith(f"{{{_DRAWING}}}") for one in root):
        draft.leave("diagram", "positions of the drawing: a definition is laid out anew each time")
    for part in root:
        if part not in processes and not str(part.tag).startswith(f"{{{_DRAWING}}}"):
            _tell(draft, part, part.get("id") or tag(part), used)
    for part in process:
        _tell(draft, part, process.get("id") or "process", used)


def _tell(draft: Sketch, element: Element, around: str, used: tools.Used) -> None:
    todo = [(element, around)]
    while todo:
        one, place = todo.pop()
        here = one.get("id") if is_model(one) and tag(one) != "sequenceFlow" else None
        place = one.get("id") or place
        if one in used and not is_model(one):
            continue
        if not is_model(one) or tag(one) not in _HANDLED:
            name = one_line(
                f"{tag(one)} {name_of(one)}".strip() if is_model(one) else str(one.tag).rpartition("}")[2], 80
            )
            draft.leave(
                place, f"`{name}` has no counterpart here" if is_model(one) else f"`{name}`, which a tool has added"
            )
            continue
        for attribute in list(one.attrib):
            if attribute.startswith("{") and attribute.rpartition("}")[2] not in _READ:
                draft.leave(here or place, f"`{one_line(attribute.rpartition('}')[2], 60)}`, which a tool has added")
        todo.extend((inner, place) for inner in reversed(one))
