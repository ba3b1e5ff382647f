"""Collects the personal values that an execution has met, to be masked wherever its steps are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from passerelle.definitions.form_answers import FormCheck
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import MASK
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
    forms = _forms(definition)
    typed = [value for run in runs if run.step in forms for value in forms[run.step].personal(run.output)]
    values = [*personal_parameters(definition, view.parameters), *typed]
    ids = {view.record_id} if view.record_id is not None else set()
    for run in runs:
        if run.kind == "record":
            ids |= set(_records_in(run.output))
            values += await _given(records, view.workspace_id, run.input)
    values += await records.personal.of_records(view.workspace_id, ids)
    return Masking(values, {step: form.masked for step, form in forms.items()})


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


def _forms(definition: Definition) -> dict[str, FormCheck]:
    """The checks of forms by their steps."""
    return {step.id: step.config.check for step in definition.steps if isinstance(step.config, FormConfig)}


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
