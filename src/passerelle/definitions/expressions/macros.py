"""CEL's macros: a body that runs for each item of a list, or for the name of each member of an object.

An item whose body fails ends the macro.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from passerelle.definitions.expressions.errors import Failure
from passerelle.definitions.expressions.running import ROUND, Evaluation, Operation, handled
from passerelle.definitions.expressions.values import named


@dataclass(frozen=True)
class Rounds:
    """One use of a macro in one evaluation."""

    outer: Evaluation
    variable: str
    items: list[Any]
    cost: int
    """Steps of each round."""

    def __iter__(self) -> Iterator[tuple[Any, Callable[[Operation], Any]]]:
        """Each item, with what gives the value that a body has for it."""
        names, meter = dict(self.outer.names), self.outer.meter
        run = Evaluation(names, meter)
        for item in self.items:
            meter.spend(self.cost)
            names[self.variable] = item
            yield item, lambda body: body(run)


def _all(rounds: Rounds, condition: Operation) -> bool:
    return all(value_of(condition) for _, value_of in rounds)


def _exists(rounds: Rounds, condition: Operation) -> bool:
    return any(value_of(condition) for _, value_of in rounds)


def _exists_one(rounds: Rounds, condition: Operation) -> bool:
    return [value_of(condition) for _, value_of in rounds].count(True) == 1


def _filter(rounds: Rounds, condition: Operation) -> list[Any]:
    return [item for item, value_of in rounds if value_of(condition)]


def _map(rounds: Rounds, *bodies: Operation) -> list[Any]:
    *conditions, body = bodies
    collected = []
    for _, value_of in rounds:
        if all(map(value_of, conditions)):
            value = value_of(body)
            handled(value)
            collected.append(value)
    return collected


@dataclass(frozen=True)
class Macro:
    """One macro: what it does with its bodies, of which the last `results` are no conditions."""

    name: str
    work: Callable[..., Any]
    results: int = 0
    most_bodies: int = 1
    is_condition: bool = False

    def operation(self, variable: str, target: Operation, bodies: tuple[Operation, ...], nodes: int) -> Operation:
        """A use of it: `target` is the list, or the object; `nodes` is how many the bodies are made of."""

        def run_macro(run: Evaluation) -> Any:
            range_ = target(run)
            if not isinstance(range_, list | Mapping):
                raise Failure(f"{self.name}(…) needs a list or an object before the dot, not {named(range_)}")
            return self.work(Rounds(run, variable, list(range_), ROUND + nodes), *bodies)

        return run_macro


MACROS: Final[dict[str, Macro]] = {
    "all": Macro("all", _all, is_condition=True),
    "exists": Macro("exists", _exists, is_condition=True),
    "exists_one": Macro("exists_one", _exists_one, is_condition=True),
    "existsOne": Macro("existsOne", _exists_one, is_condition=True),
    "filter": Macro("filter", _filter),
    "map": Macro("map", _map, results=1, most_bodies=2),
}
