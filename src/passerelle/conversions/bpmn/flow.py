"""From a graph to a list of steps: nodes in the order in which ways lead, jumps where they do not lead on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from passerelle.conversions.bpmn.conditions import NotUnderstoodError, condition
from passerelle.conversions.bpmn.graph import Region, reached, region, taken_boundary
from passerelle.conversions.bpmn.listing import Behind, Placed
from passerelle.conversions.bpmn.reading import FlowNode, Level, Way, level_of
from passerelle.conversions.bpmn.steps import StepMaker
from passerelle.conversions.models import ConversionError, Sketch
from passerelle.conversions.names import as_text, identifier, one_line
from passerelle.kit.json import dumps

DEEPEST: Final = 8
"""Branches and sub-processes within each other."""
SUBS: Final = frozenset({"subProcess", "transaction", "adHocSubProcess"})
CHOICES: Final = frozenset({"exclusiveGateway", "inclusiveGateway", "complexGateway"})


class FlowWriter:
    """Writes one level of a process as a list of steps.

    asking   whether people decide at every gateway, whatever its conditions say
    """

    def __init__(
        self,
        draft: Sketch,
        maker: StepMaker,
        level: Level,
        *,
        inner: bool,
        asking: bool,
        depth: int = 0,
        within: Sequence[tuple[Level, str]] = (),
    ) -> None:
        if depth > DEEPEST:
            raise ConversionError(f"branches and sub-processes lie more than {DEEPEST} deep in each other")
        self._draft = draft
        self._maker = maker
        self._level = level
        self._inner = inner
        self._asking = asking
        self._depth = depth
        self._within = within
        """The levels around it, with the node that each is in."""
        self.seen: set[str] = set()
        """The nodes that were written."""

    def steps(self, begin: str, stop: str | None, *, whole: bool) -> list[dict[str, Any]]:
        """The steps from a node on, up to `stop`.

        whole   whether the list is the definition's own: what ends in it ends the execution
        """
        order: dict[str, Placed] = {}
        todo = [begin]
        while todo:
            identity = todo.pop()
            if identity == stop or identity in order:
                continue
            placed = order[identity] = self._placed(self._level.nodes[identity])
            todo.extend(reversed(self._after(placed)))
        return Behind(self._maker, order, stop, whole=whole).written()

    @staticmethod
    def _after(placed: Placed) -> list[str]:
        cases = [target for _, target in placed.choice[1]] if placed.choice is not None else []
        limit = [placed.limit[1]] if placed.limit is not None else []
        return [*cases, *([placed.next] if placed.next is not None else []), *limit]

    def _placed(self, node: FlowNode) -> Placed:
        self.seen.add(node.id)
        placed = Placed(node)
        if node.tag == "endEvent":
            self._end(placed)
            return placed
        if node.tag in SUBS:
            placed.steps = self._sub(node)
        elif node.tag == "eventBasedGateway":
            self._first_event(placed)
            return placed
        elif (
            node.tag != "parallelGateway"
            and node.tag not in CHOICES
            and (step := self._maker.made(node, inner=self._inner)) is not None
        ):
            placed.steps = [step]
            self._limit(placed, step)
        self._onward(placed)
        for step in placed.steps[:1]:
            self._maker.comment(step["id"], node)
        return placed

    def _onward(self, placed: Placed) -> None:
        """Where the ways out of a node lead."""
        node = placed.node
        if node.event == "link" and node.tag == "intermediateThrowEvent":
            placed.next = self._linked(node)
            return
        if node.tag == "intermediateThrowEvent" and node.event is not None:
            self._draft.leave(
                node.id, f"what it sends (`{node.event}`) is not carried over: send it by an `http` or `email` step"
            )
        ways = node.out
        if len(ways) < 2:
            placed.next = ways[0].target if ways else None
            if ways and ways[0].condition and node.tag in CHOICES:
                self._draft.leave(ways[0].id, "a condition at the only way on is left out")
            return
        chooses = node.tag in CHOICES or any(way.condition for way in ways) or node.default is not None
        if chooses:
            self._choose(placed)
        else:
            self._branch(placed)

    def _end(self, placed: Placed) -> None:
        node = placed.node
        for way in node.out:
            self._draft.leave(way.id or node.id, "it leads on from an end")
        if node.event == "error":
            code = (
                "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in (node.name or node.id))
                .upper()
                .strip("_0123456789")
            )
            step = {
                "id": self._maker.id_for(node.name or node.id),
                "fail": {
                    "code": code[:60] or "ERROR",
                    "message": as_text(node.name or "The process ended with an error."),
                },
            }
            placed.steps = [step]
        elif node.event not in (None, "terminate"):
            self._draft.leave(
                node.id,
                f"what it sends at the end (`{node.event}`) is not carried over: send it by an `http` or `email` step",
            )
        elif node.event == "terminate" and self._inner:
            self._draft.leave(node.id, "it ends its own branch only, not the others")

    def _linked(self, node: FlowNode) -> str | None:
        for one in self._level.nodes.values():
            if one.tag == "intermediateCatchEvent" and one.event == "link" and _link_name(one) == _link_name(node):
                return one.id
        self._draft.leave(node.id, "its link leads to nothing")
        return None

    def _limit(self, placed: Placed, step: dict[str, Any]) -> None:
        taken = taken_boundary(placed.node)
        for boundary in placed.node.boundaries:
            if boundary is not taken or not self._maker.can_be_limited(placed.node, step):
                what = boundary.kind if boundary.interrupting else f"{boundary.kind}, not interrupting"
                self._draft.leave(boundary.id, f"an event at the edge ({what}) that its step cannot have")
            else:
                placed.limit = (boundary.kind, boundary.out[0].target)

    # Gateways.

    def _choose(self, placed: Placed) -> None:
        node = placed.node
        if node.tag in ("inclusiveGateway", "complexGateway"):
            self._draft.leave(node.id, "of several ways only the first that fits is taken, not all that fit")
        default = next((way for way in node.out if way.id == node.default), None)
        rest = [way for way in node.out if way is not default]
        bare = [way for way in rest if way.condition is None]
        if default is None and len(bare) == 1 and len(rest) > 1:
            default, rest = bare[0], [way for way in rest if way is not bare[0]]
        written = self._conditions(rest)
        switch = self._maker.id_for(f"{node.name or node.id} way", "choice")
        if written is None:
            self._ask(placed, switch)
            return
        cases: list[tuple[str | None, str]] = [(when, way.target) for when, way in zip(written, rest, strict=True)]
        if default is not None:
            cases.append((None, default.target))
        placed.choice = (switch, cases)

    def _conditions(self, ways: Sequence[Way]) -> list[str] | None:
        """The conditions as expressions; None where one cannot be carried over."""
        if self._asking or any(way.condition is None for way in ways):
            return None
        kinds: dict[str, str] = {}
        before = dict(self._draft.document.get("parameters", {}))
        try:
            return [condition(way.condition or "", partial(self._read, kinds, way)) for way in ways]
        except NotUnderstoodError:
            self._draft.document["parameters"] = before
            return None

    def _read(self, kinds: dict[str, str], way: Way, name: str, kind: str) -> tuple[str, bool]:
        """A variable: a field of a form that was asked before, else a parameter."""
        if kinds.setdefault(name, kind) != kind:
            raise NotUnderstoodError(name)
        asked = self._maker.fields.get(identifier(name.rpartition(".")[2], "field"))
        if asked is not None and asked.type == kind and self._came_by(asked.node, way.source):
            return f"steps.{asked.step}.{asked.name}", asked.required
        parameters = self._draft.document.get("parameters", {})
        made = identifier(name, "value")
        if made in parameters and parameters[made]["type"] != kind:
            raise NotUnderstoodError(name)
        return f"parameters.{self._maker.parameter(name, kind)}", True

    def _came_by(self, asked: str, gateway: str) -> bool:
        """Whether a node lies before another one, in its level or in one around it."""
        for level, place in ((self._level, gateway), *self._within):
            if asked in level.nodes:
                return place in reached(level, [asked])
        return False

    def _ask(self, placed: Placed, switch: str) -> None:
        """Somebody decides which way is taken."""
        node = placed.node
        identity = self._maker.id_for(node.name or node.id, "choice")
        outcomes: list[str] = []
        for number, way in enumerate(node.out, 1):
            name = one_line(way.name, 80) or f"way {number}"
            outcomes.append(name if name not in outcomes else f"{name} {number}")
        conditions = [f"`{one_line(way.condition, 60)}`" for way in node.out if way.condition]
        why = (
            f"conditions such as {conditions[0]} are not carried over" if conditions else "its ways have no conditions"
        )
        self._draft.leave(node.id, f"{why}: somebody decides which way is taken")
        placed.steps.append({"id": identity, "review": {"title": as_text(node.name or node.id), "outcomes": outcomes}})
        placed.choice = (
            switch,
            [
                (f"steps.{identity}.outcome == {_quoted(name)}", way.target)
                for name, way in zip(outcomes, node.out, strict=True)
            ],
        )

    def _first_event(self, placed: Placed) -> None:
        """Of several events the first that comes: one that is sent and a timer are an `event` with a limit."""
        node = placed.node
        events = [self._level.nodes[way.target] for way in node.out]
        caught = [one for one in events if one.tag == "intermediateCatchEvent"]
        sent = [
            one for one in events if one.tag == "receiveTask" or (one in caught and one.event not in ("timer", None))
        ]
        timers = [one for one in caught if one.event == "timer"]
        taken = (sent or timers)[:1]
        for one in events:
            if one not in taken and one not in (timers[:1] if sent else ()):
                self._draft.leave(one.id, f"of the events after `{node.id}` only one and a timer can be waited for")
        if not taken:
            placed.next = node.out[0].target if node.out else None
            return
        step = self._maker.made(taken[0], inner=self._inner)
        assert step is not None
        self.seen.add(taken[0].id)
        placed.steps = [step]
        placed.next = taken[0].out[0].target if taken[0].out else None
        if sent and timers and timers[0].out and "event" in step:
            self.seen.add(timers[0].id)
            length = self._maker.length(timers[0])
            step["event"]["within"] = length
            placed.limit = ("waited", timers[0].out[0].target)

    def _branch(self, placed: Placed) -> None:
        node = placed.node
        found = region(self._level, node)
        if found is None:
            self._draft.leave(
                node.id, "its branches do not meet again in one join of their own: only the first is carried over"
            )
            placed.next = node.out[0].target
            return
        steps = self._branches(node, found)
        placed.steps.extend(steps)
        placed.next = found.join

    def _branches(self, node: FlowNode, found: Region) -> list[dict[str, Any]]:
        branches: dict[str, list[dict[str, Any]]] = {}
        for way, nodes in zip(node.out, found.branches, strict=True):
            if not nodes:
                continue
            writer = self._deeper(self._level, inner=True, within=self._within)
            steps = writer.steps(way.target, found.join, whole=False)
            self.seen |= writer.seen
            if steps:
                wanted = identifier(way.name or self._level.nodes[way.target].name or way.target, "branch")
                branches[wanted if wanted not in branches else f"{wanted}{len(branches) + 1}"] = steps
        if len(branches) < 2:
            return [step for steps in branches.values() for step in steps]
        return [{"id": self._maker.id_for(node.name or node.id, "together"), "parallel": {"branches": branches}}]

    def _sub(self, node: FlowNode) -> list[dict[str, Any]]:
        """The steps of a sub-process, in the list of what is around it."""
        level = level_of(node.element)
        for boundary in node.boundaries:
            self._draft.leave(boundary.id, "an event at the edge of a sub-process cannot be carried over")
        if node.tag == "adHocSubProcess":
            self._draft.leave(node.id, "its activities have no order: they run as their ways lead")
        if node.element.get("triggeredByEvent") == "true" or not level.nodes:
            self._draft.leave(
                node.id, "a sub-process that an event starts cannot be carried over" if level.nodes else "it is empty"
            )
            return []
        writer = self._deeper(level, inner=self._inner, within=((self._level, node.id), *self._within))
        return writer.level_steps(node.id, whole=False)

    def _deeper(self, level: Level, *, inner: bool, within: Sequence[tuple[Level, str]]) -> FlowWriter:
        return FlowWriter(
            self._draft, self._maker, level, inner=inner, asking=self._asking, depth=self._depth + 1, within=within
        )

    def level_steps(self, place: str, *, whole: bool) -> list[dict[str, Any]]:
        """The steps of the whole level, from its beginning; what is not reached is told."""
        starts = self._level.starts
        if not starts:
            raise ConversionError(f"`{place}` has no beginning: no start event, and nothing that no way leads to")
        for other in starts[1:]:
            self._draft.leave(other.id, f"another beginning than `{starts[0].id}`: make it a definition of its own")
        if starts[0].event is not None:
            self._draft.leave(
                starts[0].id, f"it starts by a `{starts[0].event}`: start executions by a link or the API"
            )
        steps = self.steps(starts[0].id, None, whole=whole)
        for one in self._level.nodes.values():
            if one.id not in self.seen and one not in starts[1:]:
                self._draft.leave(one.id, f"`{one.name or one.tag}`: no way that was carried over leads to it")
        for way in self._level.loose:
            self._draft.leave(way.id or "sequenceFlow", "it does not lead from one node to another of its level")
        return steps


def _link_name(node: FlowNode) -> str | None:
    return next((one.get("name") for one in node.element if str(one.tag).endswith("linkEventDefinition")), None)


def _quoted(text: str) -> str:
    return dumps(text)
