"""`each`: its steps for every item of a list. Its output is `{items: […]}`, in the list's order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from passerelle.definitions.expressions import ROOTS, Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.model import Step
from passerelle.definitions.parts import part
from passerelle.definitions.words import is_a
from passerelle.engine.kinds import BranchingKind, StepFailure
from passerelle.engine.lanes import Key
from passerelle.kit.json import Json, JsonObject, KnownJson

ITEM = "item"

MOST_ITEMS: Final = 100_000
"""A longer list is not gone through within one execution: start one execution for each part of it."""


@dataclass(frozen=True, slots=True)
class EachConfig:
    """The list, the name of its items, and what is done with each."""

    items: Template
    name: str
    steps: tuple[Step, ...]
    at_once: int
    on_item_error: Literal["fail", "continue"]


class EachKind(BranchingKind[EachConfig]):
    """Runs its steps for every item, several items at once."""

    name = "each"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Runs its steps for every item of a list. No step may be user-facing.",
        "additionalProperties": False,
        "required": ["in", "steps"],
        "properties": {
            "in": {
                "type": ["string", "array"],
                "description": "The list: one `${…}`, or the items themselves.",
                "examples": ["${steps.company.owners}"],
            },
            "as": part("stepId", "The name by which the steps read the item; `item` by default."),
            "steps": part("steps", "What is done with every item."),
            "atOnce": {
                "type": "integer",
                "minimum": 1,
                "maximum": 100,
                "default": 10,
                "description": "How many items are worked on at the same time.",
            },
            "onItemError": {
                "enum": ["fail", "continue"],
                "default": "fail",
                "description": "When an item fails: the step fails, or goes on with the others.",
            },
        },
        "examples": [
            {"in": "${steps.company.owners}", "steps": [{"id": "owner", "set": {"name": "${item.firstName}"}}]},
        ],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> EachConfig:
        name = value.get("as", ITEM)
        if "as" in value:
            compiling.identifier(name, (*path, "as"))
        if name in ROOTS - {ITEM}:
            compiling.problem((*path, "as"), f"expressions read `{name}` already; use another name, such as `owner`")
        source = value["in"]
        if isinstance(source, str) and not (source.startswith("${") and source.endswith("}")):
            compiling.problem((*path, "in"), f"must be one `${{…}}` that gives a list, is `{source}`")
        return EachConfig(
            items=compiling.template(source, (*path, "in")),
            name=name,
            steps=compiling.steps(value["steps"], (*path, "steps"), extra=frozenset({name})),
            at_once=int(value.get("atOnce", 10)),
            on_item_error=value.get("onItemError", "fail"),
        )

    def nested(self, config: EachConfig) -> Iterator[tuple[str, tuple[Step, ...]]]:
        yield "steps", config.steps

    def open(self, config: EachConfig, scope: Scope) -> Sequence[Key]:
        return range(len(_items(config, scope)))

    def steps(self, config: EachConfig, key: Key) -> tuple[Step, ...]:
        return config.steps

    def at_once(self, config: EachConfig) -> int:
        return config.at_once

    def when_one_fails(self, config: EachConfig) -> Literal["cancel", "continue"]:
        return "continue" if config.on_item_error == "continue" else "cancel"

    def same(self, before: EachConfig, scope_before: Scope, after: EachConfig, scope_after: Scope) -> bool:
        return _items(before, scope_before) == _items(after, scope_after)

    def names(self, config: EachConfig, scope: Scope, key: Key) -> JsonObject:
        return {config.name: _items(config, scope)[int(key)]}

    def join(self, config: EachConfig, outputs: Mapping[Key, JsonObject]) -> Json:
        return {"items": list(outputs.values())}


def _items(config: EachConfig, scope: Scope) -> Sequence[Json]:
    items = config.items.render(scope)
    if not isinstance(items, list):
        raise StepFailure("EACH_NOT_A_LIST", f"`in` must give a list: it gives {is_a(items)}")
    if len(items) > MOST_ITEMS:
        raise StepFailure(
            "EACH_TOO_LONG", f"the list has {len(items):,} items, {MOST_ITEMS:,} are the most: start several executions"
        )
    return items
