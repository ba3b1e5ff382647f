"""What is wrong with the order of a list of steps: never reached, never left, the end user asked too late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from passerelle.definitions.flow import Flow
from passerelle.definitions.json_schema import Finding
from passerelle.definitions.kinds import Path
from passerelle.definitions.model import Step
from passerelle.definitions.uses import Spot, StepList
from passerelle.definitions.words import quoted, suggest


def judge(path: Path, steps: Sequence[Step], flow: Flow) -> Iterator[Finding]:
    """Everything that is wrong with the order of the list at `path`."""
    for number in flow.unreachable():
        yield (*path, number), "nothing leads to this step; jump to it with a `goto`, or remove it"
    for loop in flow.endless():
        names = quoted(steps[number].id for number in loop)
        yield (
            (*path, loop[0]),
            f"the loop of {names} has no way out; let a `switch` in it go on under some condition",
        )
    yield from _too_late(path, steps, flow)


def _too_late(path: Path, steps: Sequence[Step], flow: Flow) -> Iterator[Finding]:
    marked = [number for number, step in enumerate(steps) if step.background]
    for number, step in enumerate(steps):
        before = next((mark for mark in marked if mark == number or flow.leads_to(mark, number)), None)
        if step.kind.user_facing and before is not None:
            mark = steps[before].id
            yield (
                (*path, number, step.kind.name),
                f"needs the end user, who is done from `{mark}` on (`background: true`);"
                f" move the step before `{mark}`, or remove the mark",
            )


def lost_jumps(steps: StepList, spots: Mapping[str, Spot]) -> Iterator[Finding]:
    """Every `goto` to a step that the list does not have."""
    for path, target in steps.jumps:
        if target in steps.ids:
            continue
        if target in spots:
            yield path, f"the step `{target}` is in another list of steps; a jump stays within its own list"
        else:
            yield path, f"there is no step `{target}`; {suggest(target, steps.ids, 'the steps are')}"
