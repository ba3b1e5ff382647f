"""Where ways lead: what can be reached, and which branches of a gateway meet again."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from passerelle.conversions.bpmn.reading import Boundary, FlowNode, Level, Way

CALLS = frozenset({"serviceTask", "sendTask", "businessRuleTask", "callActivity"})
ASKS = frozenset({"task", "manualTask", "userTask", "receiveTask"})


MOST_TRIES: Final = 300
"""Joins of one level that are tried; a process that needs more has no branches that belong together."""


@dataclass(frozen=True, slots=True)
class Region:
    """Branches that begin at a gateway and meet at `join`, or end; each by its nodes."""

    join: str | None
    branches: tuple[frozenset[str], ...]


def taken_boundary(node: FlowNode) -> Boundary | None:
    """The boundary event of an activity that is carried over: the first that interrupts and that its step can have."""
    kinds = {"timer", "error"} if node.tag in CALLS else {"timer"} if node.tag in ASKS else set()
    return next((one for one in node.boundaries if one.interrupting and one.kind in kinds and one.out), None)


def following(node: FlowNode) -> list[str]:
    """The nodes that follow one, whatever the way."""
    boundary = taken_boundary(node)
    ways = [*node.out, *(boundary.out[:1] if boundary is not None else ())]
    return list(dict.fromkeys(way.target for way in ways))


def reached(level: Level, begin: Iterable[str], without: str | None = None) -> set[str]:
    """The nodes that can be reached, those at the beginning included; not beyond `without`."""
    found: set[str] = set()
    todo = list(begin)
    while todo:
        identity = todo.pop()
        if identity not in found and identity != without and identity in level.nodes:
            found.add(identity)
            todo.extend(following(level.nodes[identity]))
    return found


def region(level: Level, split: FlowNode) -> Region | None:
    """The branches of a gateway, where they are apart from each other and from all else; None where they are not."""
    begins = [way.target for way in split.out]
    joins = [
        one
        for one in _in_order(level, begins[0])
        if level.nodes[one].tag in ("parallelGateway", "inclusiveGateway") and len(level.nodes[one].into) > 1
    ]
    for join in [*joins, None]:
        level.tries += 1
        if level.tries > MOST_TRIES:
            return None
        branches = tuple(frozenset(reached(level, [begin], join)) for begin in begins)
        if _apart(level, split, branches, join):
            return Region(join, branches)
    return None


def _apart(level: Level, split: FlowNode, branches: tuple[frozenset[str], ...], join: str | None) -> bool:
    together = frozenset().union(*branches)
    if split.id in together or sum(map(len, branches)) != len(together):
        return False
    if join is not None and not {_source(level, way) for way in level.nodes[join].into} <= together | {split.id, None}:
        return False
    if join is not None and sum(1 for branch in branches if _leads_to(level, branch, join)) != sum(
        1 for branch in branches if branch
    ):
        return False
    sources = {one: {_source(level, way) for way in level.nodes[one].into} - {None, split.id} for one in together}
    return all(sources[one] <= branch for branch in branches for one in branch)


def _source(level: Level, way: Way) -> str | None:
    """The node that a way comes from; None for that of a boundary event that is not carried over."""
    host = level.hosts.get(way.source)
    if host is None:
        return way.source
    boundary = taken_boundary(level.nodes[host])
    return host if boundary is not None and way in boundary.out[:1] else None


def _leads_to(level: Level, branch: frozenset[str], join: str) -> bool:
    return any(join in following(level.nodes[one]) for one in branch)


def _in_order(level: Level, begin: str) -> list[str]:
    """What can be reached, the nearest first."""
    order, todo = {begin: None}, deque([begin])
    while todo:
        new = [one for one in following(level.nodes[todo.popleft()]) if one not in order]
        order.update(dict.fromkeys(new))
        todo.extend(new)
    return list(order)
