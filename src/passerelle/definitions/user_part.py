"""Which part of a definition is the end user's: the steps that ask something, and those that only say goodbye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from passerelle.definitions.flow import Flow, flow_of

if TYPE_CHECKING:
    from passerelle.definitions.model import Step


@dataclass(frozen=True, slots=True)
class UserPart:
    """The end user's part, by the ways through a definition's own steps.

    asked      the user-facing steps that the execution rests at, in the definition's order
    end_pages  the user-facing steps that it passes by: the end user has nothing left to do there
    needing    the steps at which, or after which, the end user is still to be asked
    ahead      how many of `asked` may come after each step, on the longest way without a loop
    """

    asked: tuple[str, ...]
    end_pages: frozenset[str]
    needing: frozenset[str]
    ahead: Mapping[str, int]


def user_part_of(steps: Sequence[Step]) -> UserPart:
    """Find it. A page that only says something is an end page where no path leads to another user-facing step."""
    flow = flow_of(steps)
    facing = [number for number, step in enumerate(steps) if step.kind.user_facing]
    ends = {
        number
        for number in facing
        if steps[number].kind.may_end and not any(flow.leads_to(number, later) for later in facing)
    }
    asked = [number for number in facing if number not in ends]
    needing = {
        steps[number].id
        for number in range(len(steps))
        if number in asked or any(flow.leads_to(number, later) for later in asked)
    }
    return UserPart(
        tuple(steps[number].id for number in asked),
        frozenset(steps[n].id for n in ends),
        frozenset(needing),
        _ahead(steps, flow, frozenset(asked)),
    )


def _ahead(steps: Sequence[Step], flow: Flow, asked: frozenset[int]) -> dict[str, int]:
    most = [0] * (len(steps) + 1)
    for number in range(len(steps) - 1, -1, -1):
        later = (one for one in flow.following[number] if one > number)
        most[number] = max(((one in asked) + most[one] for one in later), default=0)
    return {step.id: most[number] for number, step in enumerate(steps)}
