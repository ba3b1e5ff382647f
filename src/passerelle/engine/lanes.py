"""Names of lanes. The root lane is ""; `checks.tax` is the branch `tax` of the step `checks`, `owners[3]` the fourth
item of the step `owners`; lanes inside of lanes are joined by dots. A step that is gone through again opens new
lanes: `owners#2-1[3]` belongs to its second visit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

ROOT: Final = ""

_LANE: Final = re.compile(r"(?:(?P<parent>.+)\.)?(?P<step>\w+)(?:#\d+-\d+)?(?:\[(?P<index>\d+)\]|\.(?P<branch>\w+))")

Key = str | int
"""What a lane is called within its step: a branch's name, or an item's place in the list."""


class LanePlace(NamedTuple):
    """Where a lane hangs."""

    parent: str
    step: str
    key: Key


def inner_lane(parent: str, step: str, visit: int, attempt: int, key: Key) -> str:
    """The lane of one branch or item of a step."""
    owner = step if (visit, attempt) == (1, 1) else f"{step}#{visit}-{attempt}"
    name = f"{owner}[{key}]" if isinstance(key, int) else f"{owner}.{key}"
    return path_of(parent, name)


@lru_cache(maxsize=65_536)
def place_of_lane(lane: str) -> LanePlace:
    """The parent, the step and the key of an inner lane."""
    match = _LANE.fullmatch(lane)
    if match is None:
        raise ValueError(f"{lane!r} is no inner lane")
    index = match["index"]
    return LanePlace(match["parent"] or ROOT, match["step"], match["branch"] if index is None else int(index))


def path_of(lane: str, step: str) -> str:
    """How the timeline names a step of a lane."""
    return f"{lane}.{step}" if lane else step


def renamed_lane(lane: str, names: Mapping[str, str]) -> str:
    """The same lane where steps have other names: `names` gives the new ones by the old ones."""
    if lane == ROOT:
        return ROOT
    match = _LANE.fullmatch(lane)
    if match is None:
        raise ValueError(f"{lane!r} is no inner lane")
    step = match["step"]
    return path_of(renamed_lane(match["parent"] or ROOT, names), names.get(step, step) + lane[match.end("step") :])


def renamed_path(path: str, names: Mapping[str, str]) -> str:
    """The same step of a lane where steps have other names."""
    lane, step = split_path(path)
    return path_of(renamed_lane(lane, names), names.get(step, step))


def split_path(path: str) -> tuple[str, str]:
    """The lane and the step of a path."""
    lane, _, step = path.rpartition(".")
    return lane, step
