"""The ways through a sequence of steps: what can follow what, what is never reached, which loops have no way out.

Sets of steps are bits of an integer (step number `i` is `1 << i`), so a definition of 500 steps takes a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passerelle.definitions.model import Step


@dataclass(frozen=True)
class Flow:
    """`following[i]` are the numbers of the steps that may come right after step `i`; the number after the last
    step is the end of the sequence."""

    following: tuple[tuple[int, ...], ...]

    @property
    def end(self) -> int:
        return len(self.following)

    @cached_property
    def _after(self) -> tuple[int, ...]:
        """For each step, all that may come at any time after it, itself only if a loop leads back."""
        after = [0] * (self.end + 1)
        changed = True
        while changed:  # Once for forward jumps; once more for every level of loops.
            changed = False
            for number in range(self.end - 1, -1, -1):
                reach = 0
                for successor in self.following[number]:
                    reach |= (1 << successor) | after[successor]
                changed = changed or reach != after[number]
                after[number] = reach
        return tuple(after)

    def leads_to(self, first: int, later: int) -> bool:
        """Whether step `later` may run after step `first` has."""
        return bool(self._after[first] >> later & 1)

    def reachable(self, number: int) -> bool:
        """Whether the step can be reached at all."""
        return number == 0 or self.leads_to(0, number)

    def unreachable(self) -> Iterator[int]:
        """The steps that nothing leads to."""
        return (number for number in range(self.end) if not self.reachable(number))

    def endless(self) -> Iterator[tuple[int, ...]]:
        """The steps of every reachable loop that no path leaves."""
        seen: set[int] = set()
        for number in range(self.end):
            looping = self.leads_to(number, number) and not self.leads_to(number, self.end)
            if number in seen or not looping or not self.reachable(number):
                continue
            loop = tuple(
                other for other in range(self.end) if self.leads_to(number, other) and self.leads_to(other, number)
            )
            seen.update(loop)
            yield loop


def flow_of(steps: Sequence[Step]) -> Flow:
    """The flow of a sequence. A jump to a step that it does not have leads nowhere."""
    numbers = {step.id: number for number, step in enumerate(steps)}
    return Flow(tuple(tuple(_following(step, number, numbers, len(steps))) for number, step in enumerate(steps)))


def _following(step: Step, number: int, numbers: dict[str, int], end: int) -> Iterator[int]:
    jumps = [*step.kind.jumps(step.config)]
    targets = [*jumps, step.on_error.goto] if step.on_error.goto is not None else jumps
    yield from (numbers[target] for target in targets if target in numbers)
    # A step with a `when` may be skipped, and one that may fail goes on where its `onError` says so.
    goes_on = step.kind.falls_through(step.config) or step.when is not None or step.on_error.action == "continue"
    if goes_on:
        yield number + 1
    elif not jumps:
        yield end
