"""What one activity or event becomes: a step of the kind that does the same, or the nearest one, and a note."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

from passerelle.conversions.bpmn import tools
from passerelle.conversions.bpmn.graph import ASKS, CALLS
from passerelle.conversions.bpmn.reading import FlowNode, children, tag
from passerelle.conversions.models import Sketch
from passerelle.conversions.names import as_text, as_title, definition_name, identifier, one_line, unique

PLACEHOLDER: Final = "https://service.example/"
DONE: Final = ["done", "notDone"]
_DURATION: Final = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})(?:\.\d+)?S)?)?"
)
_SECONDS: Final = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


@dataclass(frozen=True, slots=True)
class AskedField:
    """A field of a form: the node and the step that ask for it, and `string`, `number` or `boolean`."""

    name: str
    node: str
    step: str
    type: str
    required: bool


class StepMaker:
    """Makes the steps of one process. Ids, parameters and notes are of the whole draft."""

    def __init__(self, draft: Sketch, root: Element, used: tools.Used) -> None:
        self._draft = draft
        self._root = root
        self._used = used
        self._taken: list[str] = []
        self._messages = {
            one.get("id"): one.get("name") or ""
            for one in root
            if tag(one) in ("message", "signal", "error", "escalation")
        }
        self.fields: dict[str, AskedField] = {}
        """Fields of forms that were asked, by name."""
        self._makers: Mapping[str, Callable[[FlowNode, str, bool], dict[str, Any]]] = {
            "task": self._by_hand,
            "manualTask": self._by_hand,
            "userTask": self._user_task,
            "serviceTask": self._call,
            "sendTask": self._call,
            "businessRuleTask": self._call,
            "scriptTask": self._script,
            "receiveTask": self._event,
            "callActivity": self._workflow,
            "intermediateCatchEvent": self._caught,
        }

    def id_for(self, wanted: str, fallback: str = "step") -> str:
        """An id that no other step has."""
        name = unique(identifier(wanted, fallback), self._taken)
        self._taken.append(name)
        return name

    def parameter(self, name: str, kind: str, title: str = "") -> str:
        """A parameter of the definition; it is required."""
        made = identifier(name, "value")
        parameters = self._draft.document.setdefault("parameters", {})
        parameters.setdefault(
            made, {"type": kind, "required": True, **({"title": as_title(title, 200)} if title else {})}
        )
        return made

    def made(self, node: FlowNode, *, inner: bool) -> dict[str, Any] | None:
        """The step of an activity or of an event that is waited for; None for what does nothing here.

        inner   whether it stands in a branch, where no page can be shown
        """
        maker = self._makers.get(node.tag)
        if maker is None:
            return None
        identity = self.id_for(node.name or node.id)
        step = maker(node, identity, inner)
        return self._repeated(node, step) if node.tag not in ("intermediateCatchEvent",) else step

    def comment(self, step: str, node: FlowNode) -> None:
        """What the process says about a node stands above its step."""
        for one in children(node.element, "documentation"):
            if one.text and one.text.strip():
                self._draft.comments.setdefault(step, []).append(one_line(one.text))

    # People.

    def _user_task(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        schema = tools.form_fields(node.element, self._root, self._used, self._draft)
        assignee = tools.assignee(node.element)
        if schema is None or inner or assignee is not None:
            if schema is not None:
                why = "in a branch no page can be shown" if inner else "somebody of yours does it"
                self._draft.leave(
                    node.id,
                    f"its form ({', '.join(schema['properties'])}) is not carried over: {why}, so it became a review",
                )
            return self._review(node, identity, assignee)
        for name, field in schema["properties"].items():
            kind = {"integer": "number", "number": "number", "boolean": "boolean"}.get(
                field.get("type", "string"), "string"
            )
            self.fields.setdefault(name, AskedField(name, node.id, identity, kind, name in schema.get("required", ())))
        return {"id": identity, "form": {"title": as_text(node.name or node.id), "schema": schema}}

    def _by_hand(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        self._draft.leave(
            node.id,
            "a task without a kind: somebody says when it is done"
            if node.tag == "task"
            else "work by hand: somebody says when it is done",
        )
        return self._review(node, identity, None)

    def _review(self, node: FlowNode, identity: str, assignee: str | None) -> dict[str, Any]:
        review: dict[str, Any] = {"title": as_text(node.name or node.id), "outcomes": DONE}
        who = assignee or node.lane
        if who and not re.search(r"[$#{}=]", who):
            review["assignTo"] = one_line(who.split(",")[0], 100)
        elif who:
            self._draft.leave(node.id, f"who does it is worked out (`{one_line(who, 60)}`): write it in `assignTo`")
        return {"id": identity, "title": as_title(node.name or node.id), "review": review}

    # Machines.

    def _call(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        found = tools.address(node.element, self._used)
        if found is None:
            found = ("POST", f"{PLACEHOLDER}{identity}")
            self._draft.leave(
                node.id, f"where it calls is not carried over: put the address in the place of {found[1]}"
            )
        method, url = found
        return {"id": identity, "title": as_title(node.name or node.id), "http": {"method": method, "url": url}}

    def _script(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        script = next((one.text for one in children(node.element, "script") if one.text), "")
        if script:
            self._draft.comments.setdefault(identity, []).append(f"script: {one_line(script, 160)}")
        self._draft.leave(node.id, "scripts are not carried over: write in `set` what it computes")
        return {"id": identity, "title": as_title(node.name or node.id), "set": {"done": True}}

    def _workflow(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        called = node.element.get("calledElement") or next(
            (one.get("processId") for one in node.element.iter() if tag(one) == "calledElement"), None
        )
        name = definition_name(called or node.name or node.id)
        self._draft.leave(
            node.id, f"it runs the definition `{name}`, which has to be there; its parameters are not carried over"
        )
        return {"id": identity, "title": as_title(node.name or node.id), "workflow": {"definition": name}}

    # Waiting.

    def _caught(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        if node.event == "timer":
            return {"id": identity, "title": as_title(node.name or "Wait"), "wait": self._wait(node)}
        return self._event(node, identity, inner)

    def _event(self, node: FlowNode, identity: str, inner: bool) -> dict[str, Any]:
        reference = node.element.get("messageRef") or next(
            (
                one.get("messageRef") or one.get("signalRef")
                for one in node.element
                if tag(one).endswith("EventDefinition")
            ),
            None,
        )
        if node.event not in (None, "message", "signal"):
            self._draft.leave(
                node.id, f"what it waits for (`{node.event}`) is not carried over: send the event by the API"
            )
        name = identifier(self._messages.get(reference or "") or node.name or node.id, "event")
        return {"id": identity, "title": as_title(node.name or node.id), "event": {"name": name}}

    def _wait(self, node: FlowNode) -> dict[str, Any]:
        kind, text = timer_of(node.element)
        if kind == "timeDuration" and (length := duration(text)) is not None:
            if re.search(r"\dY|P[^T]*\dM", text):
                self._draft.leave(node.id, f"`{one_line(text, 40)}`: a month counts as 30 days, a year as 365")
            return {"for": length}
        if kind == "timeDate" and re.fullmatch(
            r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(\.\d+)?(Z|[+-]\d{2}:\d{2}))?", text
        ):
            return {"until": text}
        self._draft.leave(
            node.id, f"its timer (`{one_line(text or 'empty', 60)}`) is not carried over: it waits for a day"
        )
        return {"for": "1d"}

    # Around a step.

    def _repeated(self, node: FlowNode, step: dict[str, Any]) -> dict[str, Any]:
        """An activity with several instances: its step for each item of a list."""
        if children(node.element, "standardLoopCharacteristics"):
            self._draft.leave(node.id, "its loop is not carried over: it runs once; lead back to it by a `switch`")
        several = children(node.element, "multiInstanceLoopCharacteristics")
        if not several:
            return step
        if "form" in step:
            self._draft.leave(node.id, "several instances of a page are not carried over: it is asked once")
            return step
        items = self.parameter(f"{step['id']}Items", "list", f"One item for each time that {node.name or node.id} runs")
        self._draft.leave(node.id, f"it runs for each item of the parameter `{items}`")
        at_once = {"atOnce": 1} if several[0].get("isSequential") == "true" else {}
        outer = self.id_for(f"{step['id']}Each")
        return {
            "id": outer,
            "title": step["title"],
            "each": {"in": f"${{parameters.{items}}}", **at_once, "steps": [step]},
        }

    def limited(self, node: FlowNode, step: dict[str, Any], kind: str, text: str, goto: str) -> None:
        """An activity with a boundary event: how long it may take, and where it leads then."""
        if kind == "timer":
            timer, written = timer_of(next(one.element for one in node.boundaries if one.kind == "timer"))
            length = duration(written) if timer == "timeDuration" else None
            if length is None:
                self._draft.leave(
                    text, f"its timer (`{one_line(written or 'empty', 60)}`) is not carried over: a day is the limit"
                )
            for waiting in ("review", "event"):
                if waiting in step:
                    step[waiting]["within"] = length or "1d"
            if not step.keys() & {"review", "event"}:
                step["timeout"] = length or "1d"
        step["onError"] = {"goto": goto}

    def length(self, node: FlowNode) -> str:
        """How long a timer waits."""
        waits = self._wait(node)
        if "for" in waits:
            return str(waits["for"])
        self._draft.leave(node.id, f"until `{waits['until']}`: a limit is a length of time, so it is a day")
        return "1d"

    @staticmethod
    def can_be_limited(node: FlowNode, step: Mapping[str, Any]) -> bool:
        """Whether a limit means something for the step that was made."""
        return node.tag in CALLS | ASKS and "form" not in step and "each" not in step


def timer_of(element: Element) -> tuple[str, str]:
    """How a timer is given (`timeDuration`, `timeDate`, `timeCycle`), and what it says."""
    for definition in element:
        if tag(definition) == "timerEventDefinition":
            for one in definition:
                if tag(one).startswith("time"):
                    return tag(one), (one.text or "").strip()
    return "", ""


def duration(text: str) -> str | None:
    """A length of time of ISO 8601 as the language writes it; None for what is none, no time at all, or
    more than ten years."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    seconds = sum(int(part or 0) * each for part, each in zip(found.groups(), _SECONDS, strict=True))
    if not 0 < seconds <= 3650 * 86400:
        return None
    for unit, each in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % each == 0:
            return f"{seconds // each}{unit}"
    return f"{seconds}s"
