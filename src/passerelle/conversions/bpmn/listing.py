"""The steps of one list, put behind each other: jumps stand where the next step is not the one that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passerelle.conversions.bpmn.reading import FlowNode
from passerelle.conversions.bpmn.steps import StepMaker
from passerelle.conversions.names import as_text


@dataclass(slots=True)
class Placed:
    """A node in its list: its steps, and where it leads.

    After the steps comes `next`; None ends the list, or the execution.
    """

    node: FlowNode
    steps: list[dict[str, Any]] = field(default_factory=list)
    next: str | None = None
    choice: tuple[str, list[tuple[str | None, str]]] | None = None
    """The id of a `switch`, and its cases: when, and the node that follows."""
    limit: tuple[str, str] | None = None
    """The boundary event: its kind, and the node that follows."""


class Behind:
    """The steps of one list, put behind each other."""

    def __init__(self, maker: StepMaker, order: Mapping[str, Placed], stop: str | None, *, whole: bool) -> None:
        self._maker = maker
        self._placed = [one for one in order.values() if one.steps or one.choice or (whole and one.next is None)]
        self._order = order
        self._stop = stop
        self._whole = whole
        self._closing: str | None = None
        self._entries = {one.node.id: self._entry_of(one) for one in self._placed}

    def _entry_of(self, one: Placed) -> str:
        """The id of the first step of a node; of one that does nothing but end, of the step that ends."""
        if one.steps:
            return str(one.steps[0]["id"])
        if one.choice is not None:
            return one.choice[0]
        return self._maker.id_for(one.node.name or "end", "end")

    def written(self) -> list[dict[str, Any]]:
        """All steps, with the jumps between them."""
        steps: list[dict[str, Any]] = []
        for number, one in enumerate(self._placed):
            following = self._placed[number + 1] if number + 1 < len(self._placed) else None
            own = list(one.steps)
            if one.limit is not None and own:
                self._limited(one, own[0])
            own += self._leading_on(one, following)
            steps += own
        if self._closing is not None:
            steps.append({"id": self._closing, "set": {"done": True}})
        return steps

    def _limited(self, one: Placed, step: dict[str, Any]) -> None:
        assert one.limit is not None
        kind, target = one.limit
        if kind == "waited":
            step["onError"] = {"goto": self._entry(target)}
        else:
            self._maker.limited(one.node, step, kind, one.node.id, self._entry(target))

    def _leading_on(self, one: Placed, following: Placed | None) -> list[dict[str, Any]]:
        """What stands behind a node's own steps: a choice, an end, or a jump where another step follows."""
        if one.choice is not None:
            return self._choice(one)
        target = self._target(one.next)
        if target is None:
            if any("fail" in step for step in one.steps):
                return []
            if self._whole:
                end = self._maker.id_for("end") if one.steps else self._entries[one.node.id]
                return [{"id": end, "end": {}}]
            return [] if following is None else self._jump(self._close(), one)
        if following is not None and target is following:
            return []
        return self._jump(self._entries[target.node.id], one)

    def _choice(self, one: Placed) -> list[dict[str, Any]]:
        assert one.choice is not None
        identity, cases = one.choice
        written = [
            {"when": when, "goto": self._entry(target)} if when is not None else {"goto": self._entry(target)}
            for when, target in cases
        ]
        steps: list[dict[str, Any]] = [{"id": identity, "switch": written}]
        asked = bool(one.steps) and "review" in one.steps[-1] and str(cases[-1][0]).startswith("steps.")
        if cases[-1][0] is not None and asked:
            del written[-1]["when"]
        elif cases[-1][0] is not None:
            steps.append(
                {
                    "id": self._maker.id_for("noWay"),
                    "fail": {
                        "code": "NO_WAY",
                        "message": as_text(f"No condition at {one.node.name or one.node.id} is met."),
                    },
                }
            )
        return steps

    def _jump(self, goto: str, one: Placed) -> list[dict[str, Any]]:
        return [
            {"id": self._maker.id_for(f"after {one.node.name or one.node.id}", "after"), "switch": [{"goto": goto}]}
        ]

    def _entry(self, identity: str) -> str:
        """The step that a way to a node leads to."""
        found = self._target(identity)
        return self._close() if found is None else self._entries[found.node.id]

    def _target(self, identity: str | None) -> Placed | None:
        """The node that a way leads to, over those that do nothing; None where the list ends there."""
        passed: set[str] = set()
        while identity is not None and identity != self._stop and identity not in passed:
            one = self._order[identity]
            if one.node.id in self._entries:
                return one
            passed.add(identity)
            identity = one.next
        return None

    def _close(self) -> str:
        """The step at the end of the list, which does nothing."""
        if self._closing is None:
            self._closing = self._maker.id_for("finished")
        return self._closing
