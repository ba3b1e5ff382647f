"""`switch`: goes to a later or an earlier step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passerelle.definitions.expressions import Expression, ExpressionError, Scope
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.parts import part
from passerelle.definitions.words import is_a
from passerelle.engine.kinds import Done, PureKind
from passerelle.kit.json import Json, JsonObject, KnownJson


@dataclass(frozen=True, slots=True)
class SwitchCase:
    """A jump, and the condition under which it is taken; None: always."""

    when: Expression | None
    goto: str


Cases = tuple[SwitchCase, ...]


class SwitchKind(PureKind[Cases]):
    """Takes the first case that is true. Where none is, the next step follows."""

    name = "switch"
    schema: ClassVar[JsonObject] = {
        "type": "array",
        "description": "Cases, in order: the first whose `when` is true is taken; the next step where none is.",
        "minItems": 1,
        "items": {
            "type": "object",
            "description": "A jump; without `when` it is always taken, so only the last case may lack it.",
            "additionalProperties": False,
            "required": ["goto"],
            "properties": {
                "when": part("expression", "The jump is taken where this is true."),
                "goto": part("stepId", "The step that follows; it may stand before or after this one."),
            },
        },
        "examples": [[{"when": "steps.risk.score >= 70", "goto": "review"}, {"goto": "save"}]],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> Cases:
        for number, case in enumerate(value[:-1]):
            if "when" not in case:
                compiling.problem(
                    (*path, number), "without `when` this case is always taken, so no later one is; move it to the end"
                )
        return tuple(_case(case, (*path, number), compiling) for number, case in enumerate(value))

    def jumps(self, config: Cases) -> Iterator[str]:
        return (case.goto for case in config)

    def falls_through(self, config: Cases) -> bool:
        return config[-1].when is not None

    def run(self, config: Cases, scope: Scope) -> Done:
        taken = next((case for case in config if case.when is None or _holds(case.when, scope)), None)
        return Done(goto=taken.goto if taken else None, input=_shown(taken))


def _case(case: JsonObject, path: Path, compiling: StepContext) -> SwitchCase:
    when = compiling.expression(case["when"], (*path, "when")) if "when" in case else None
    return SwitchCase(when, compiling.goto(case["goto"], (*path, "goto")))


def _shown(taken: SwitchCase | None) -> Json:
    """What the timeline tells: the case that was taken."""
    if taken is None:
        return {"goto": None}
    return {"goto": taken.goto} if taken.when is None else {"when": taken.when.source, "goto": taken.goto}


def _holds(when: Expression, scope: Scope) -> bool:
    value = when.evaluate(scope)
    if not isinstance(value, bool):
        raise ExpressionError(when.source, f"must give true or false, gave {is_a(value)}")
    return value
