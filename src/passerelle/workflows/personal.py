"""Collects the personal values that an execution has met, to be masked wherever its steps are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import UUID

from passerelle.definitions.form_answers import FormCheck
from passerelle.definitions.model import Definition
from passerelle.engine.kinds import MASK
from passerelle.engine.steps.form import FormConfig
from passerelle.kit.ids import parse_id
from passerelle.kit.json import Json, JsonObject
from passerelle.records.parts import RecordServices
from passerelle.workflows.masking import RunMasking, personal_parameters
from passerelle.workflows.models import ExecutionView, StepRunView

_ACTIONS = ("create", "update", "upsert", "find")


async def masking_of(
    records: RecordServices, view: ExecutionView, definitions: Sequence[Definition], runs: Sequence[StepRunView]
) -> tuple[RunMasking, RunMasking]:
    """Masks the values of parameters, form fields and fields of records that have a `pii` class.

    definitions   every revision that the execution has been on: what one of them calls personal is masked
    The second one masks only what whoever asks does not see of records; the first one that, too.
    """
    forms = _forms(definitions)
    typed = [value for run in runs for form in forms.get(run.step, ()) for value in form.personal(run.output)]
    given = [value for definition in definitions for value in personal_parameters(definition, view.parameters)]
    values = [*given, *typed]
    ids = {view.record_id} if view.record_id is not None else set()
    for run in runs:
        if run.kind == "record":
            ids |= set(_records_in(run.output))
            values += await _given(records, view.workspace_id, run.input)
    values += await records.personal.of_records(view.workspace_id, ids)
    hidden = await records.personal.hidden_of(view.workspace_id, ids)
    by_place = {step: _masked_by_all(checks) for step, checks in forms.items()}
    return RunMasking([*values, *hidden], by_place), RunMasking(hidden)


async def _given(records: RecordServices, workspace_id: UUID, described: Json) -> list[Json]:
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


def _forms(definitions: Iterable[Definition]) -> dict[str, list[FormCheck]]:
    """The checks of forms by their steps."""
    forms: dict[str, list[FormCheck]] = {}
    for definition in definitions:
        for step in definition.steps:
            if isinstance(step.config, FormConfig):
                forms.setdefault(step.id, []).append(step.config.check)
    return forms


def _masked_by_all(checks: Sequence[FormCheck]) -> Callable[[Json], Json]:
    def masked(output: Json) -> Json:
        for check in checks:
            output = check.masked(output)
        return output

    return masked


def masked_changes(fields: Iterable[JsonObject], personal: frozenset[str], mask: RunMasking) -> list[JsonObject]:
    """Changes of fields with personal values masked: those of personal fields, and what is known from elsewhere."""
    return [
        {
            "field": change["field"],
            "old": _shown(change["old"], change["field"] in personal, mask),
            "new": _shown(change["new"], change["field"] in personal, mask),
        }
        for change in fields
    ]


def _shown(value: Json, personal: bool, mask: RunMasking) -> Json:
    return MASK if personal and value is not None else mask.value(value)
