"""Collects the personal values that an execution has met, to be masked wherever its steps are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from passerelle.definitions.kinds import Path
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import MASK
from passerelle.engine.lanes import split_path
from passerelle.engine.steps.form import FormConfig
from passerelle.executions.masking import Masking, personal_parameters
from passerelle.executions.repository import ExecutionView, StepRunView
from passerelle.kit.ids import parse_id
from passerelle.kit.json import Json, JsonObject
from passerelle.records.parts import RecordParts

_ACTIONS = ("create", "update", "upsert", "find")


async def masking_of(
    records: RecordParts, view: ExecutionView, definition: Definition, runs: Sequence[StepRunView]
) -> Masking:
    """Masks the values of parameters, form fields and fields of records that have a `pii` class."""
    values = [*personal_parameters(definition, view.parameters), *_answers(definition, runs)]
    ids = {view.record_id} if view.record_id is not None else set()
    for run in runs:
        if run.kind == "record":
            ids |= set(_records_in(run.output))
            values += await _given(records, view.workspace_id, run.input)
    values += await records.personal.of_records(view.workspace_id, ids)
    return Masking(values)


async def _given(records: RecordParts, workspace_id: UUID, described: Json) -> list[Json]:
    """The personal ones of the values that a record step was to write or to find, also if it failed."""
    if not isinstance(described, dict):
        return []
    fields: JsonObject = next((described[action] for action in _ACTIONS if action in described), {})
    return await records.personal.of_values(workspace_id, str(described.get("table")), fields)


def _records_in(output: Json) -> Iterator[UUID]:
    found = output.get("records", [output]) if isinstance(output, dict) else []
    for record in found:
        if isinstance(record, dict) and (record_id := parse_id(str(record.get("id")))) is not None:
            yield record_id


def _answers(definition: Definition, runs: Iterable[StepRunView]) -> Iterator[Json]:
    """What people typed into fields of forms that have a class."""
    for run in runs:
        step = definition.by_id.get(split_path(run.step)[1])
        if step is not None and isinstance(step.config, FormConfig):
            for path in step.config.form.pii:
                yield from _at(run.output, path)


def _at(value: Json, path: Path) -> Iterator[Json]:
    """What stands in `value` where `path` leads to in its JSON Schema."""
    if not path:
        yield value
    elif path[0] == "properties" and len(path) > 1:
        if isinstance(value, dict) and path[1] in value:
            yield from _at(value[path[1]], path[2:])
    elif path[0] in ("items", "prefixItems", "contains"):
        rest = path[2:] if path[0] == "prefixItems" else path[1:]
        for item in value if isinstance(value, list) else []:
            yield from _at(item, rest)
    elif path[0] in ("allOf", "anyOf", "oneOf", "$defs", "dependentSchemas", "patternProperties"):
        yield from _at(value, path[2:])
    else:
        yield from _at(value, path[1:])


def masked_changes(fields: Iterable[JsonObject], personal: frozenset[str], mask: Masking) -> list[JsonObject]:
    """Changes of fields with personal values masked: those of personal fields, and what is known from elsewhere."""
    return [
        {
            "field": change["field"],
            "old": _shown(change["old"], change["field"] in personal, mask),
            "new": _shown(change["new"], change["field"] in personal, mask),
        }
        for change in fields
    ]


def _shown(value: Json, personal: bool, mask: Masking) -> Json:
    return MASK if personal and value is not None else mask.value(value)
