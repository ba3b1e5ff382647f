"""`record`: creates, changes or finds records. Its output is the record, or `{records}` for `find`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.kinds import Path, StepContext
from passerelle.definitions.parts import part
from passerelle.definitions.readings import members
from passerelle.engine.kinds import RecordingKind, RecordWork
from passerelle.kit.json import JsonObject, KnownJson

Action = Literal["create", "update", "upsert", "find"]
ACTIONS: Final[tuple[Action, ...]] = ("create", "update", "upsert", "find")


def _fields(description: str, least: int) -> JsonObject:
    return {
        "type": "object",
        "description": description,
        "minProperties": least,
        "additionalProperties": {"$ref": "#/$defs/template"},
    }


@dataclass(frozen=True, slots=True)
class RecordConfig:
    """What is done, in which table, with which values."""

    action: Action
    table: str | None
    fields: Template
    id: Template | None
    by: str | None
    limit: int


class RecordKind(RecordingKind[RecordConfig]):
    """Works on one table of the workspace: by default that of the definition's `record` block."""

    name = "record"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Creates, updates, upserts or finds records.",
        "additionalProperties": False,
        "oneOf": [{"required": [action]} for action in ACTIONS],
        "properties": {
            "table": {
                "type": "string",
                "minLength": 1,
                "description": "The table's name; that of the definition's `record` block by default.",
            },
            "create": _fields("The new record's fields.", 0),
            "update": _fields("The fields to change: of the execution's record, or of the one that `id` names.", 1),
            "upsert": _fields("The fields of the record that `by` finds; it is created where there is none.", 1),
            "find": _fields("The fields and the values that they must have.", 0),
            "id": part("textTemplate", "With `update`: the record's id."),
            "by": {"type": "string", "minLength": 1, "description": "With `upsert`: the unique field to find it by."},
            "limit": {
                "type": "integer",
                "minimum": 1,
                "maximum": 500,
                "default": 25,
                "description": "With `find`: the most records.",
            },
        },
        "examples": [{"update": {"status": "approved"}}, {"table": "companies", "find": {"country": "PL"}}],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> RecordConfig:
        action = next(action for action in ACTIONS if action in value)
        table = compiling.table(value.get("table"), (*path, "table") if "table" in value else path)
        for problem in _misplaced(value, action):
            compiling.problem((*path, problem[0]) if problem[0] in value else path, problem[1])
        for name, item in value[action].items():
            compiling.field(table, name, (*path, action, name))
            compiling.value(table, name, item, (*path, action, name))
        if action == "update" and "id" not in value and table not in (None, compiling.bound_table):
            compiling.problem(path, f"say which record of `{table}` is meant: add `id`")
        if "by" in value:
            compiling.field(table, value["by"], (*path, "by"))
        return RecordConfig(
            action=action,
            table=table,
            fields=compiling.template(value[action], (*path, action)),
            id=compiling.template(value["id"], (*path, "id")) if "id" in value else None,
            by=value.get("by"),
            limit=int(value.get("limit", 25)),
        )

    def output_shape(self, config: RecordConfig) -> JsonObject | None:
        return members({"records": {"type": "array"}}) if config.action == "find" else None

    def work(self, config: RecordConfig, scope: Scope) -> RecordWork:
        return RecordWork(
            config.action,
            config.table or "",
            config.fields.render(scope),
            config.id.render(scope) if config.id is not None else None,
            config.by,
            config.limit,
        )


def _misplaced(value: JsonObject, action: str) -> list[tuple[str, str]]:
    """Keys that do not go with the action, and keys that it needs: (key, what is wrong)."""
    belongs = {"id": "update", "by": "upsert", "limit": "find"}
    wrong = [
        (key, f"goes with `{other}` only; remove it")
        for key, other in belongs.items()
        if key in value and action != other
    ]
    if action == "upsert" and "by" not in value:
        wrong.append(("by", "the key `by` is missing: `upsert` needs the unique field that finds the record"))
    elif action == "upsert" and value["by"] not in value["upsert"]:
        wrong.append(("by", f"must be one of the fields under `upsert`, is `{value['by']}`"))
    return wrong
