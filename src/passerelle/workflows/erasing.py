"""What goes of executions when the record that they concern is erased, and what stays: which steps ran, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from passerelle.kit.database import Connection, DatabaseRow
from passerelle.kit.ids import parse_id
from passerelle.kit.json import JsonObject, KnownJson
from passerelle.records.erasing import Erased, Subject, rows_of
from passerelle.records.errors import RECORD_IN_USE
from passerelle.records.masking import Masking

_CONCERNED: Final = "SELECT id, status FROM execution WHERE workspace_id = $1 AND record_id = ANY($2) ORDER BY id"
_GOING_ON: Final = frozenset({"RUNNING", "AWAITING", "FAILED"})
_FILES: Final = """
    SELECT DISTINCT jsonb_path_query(output, 'lax $.**.resourceId') #>> '{}' AS id FROM step_run
    WHERE workspace_id = $1 AND execution_id = ANY($2)
    UNION SELECT resource_id::text FROM visitor_file WHERE workspace_id = $1 AND execution_id = ANY($2)
"""
_PARAMETERS: Final = """
    DELETE FROM stored_parameters s USING execution e
    WHERE s.workspace_id = $1 AND e.workspace_id = $1 AND e.id = ANY($2)
      AND s.parameters <> '{}' AND s.parameters <@ e.parameters
"""
_EXECUTIONS: Final = """
    UPDATE execution SET seq = seq + 1, parameters = '{}', result = NULL, waiting_for = NULL,
        state = jsonb_build_object('lanes', '{}'::jsonb, 'visits', '{}'::jsonb, 'ordinal', state->'ordinal'),
        error = CASE WHEN error IS NULL THEN NULL ELSE
            jsonb_build_object('code', error->'code', 'message', 'erased') END
    WHERE workspace_id = $1 AND id = ANY($2)
"""
_STEPS: Final = """
    UPDATE step_run SET input = NULL, output = NULL, error = CASE WHEN error IS NULL THEN NULL ELSE
        jsonb_build_object('code', error->'code', 'message', 'erased') END
    WHERE workspace_id = $1 AND execution_id = ANY($2)
"""
_EVENTS: Final = "UPDATE received_event SET body = NULL WHERE workspace_id = $1 AND execution_id = ANY($2)"
_DRAFTS: Final = "DELETE FROM visitor_draft WHERE workspace_id = $1 AND execution_id = ANY($2)"
_COMMENTS: Final = (
    "UPDATE execution_comment SET text = '' WHERE workspace_id = $1 AND execution_id = ANY($2) AND text <> ''"
)
_UPLOADS: Final = "DELETE FROM visitor_file WHERE workspace_id = $1 AND execution_id = ANY($2)"
_OTHERS: Final = """
    SELECT DISTINCT execution_id FROM record_change
    WHERE workspace_id = $1 AND record_id = ANY($2) AND execution_id IS NOT NULL AND NOT execution_id = ANY($3)
"""
_OF_EXECUTION: Final = ("parameters", "result", "error")
_OF_STEP: Final = ("input", "output", "error")
"""Where values of others than those whom an execution concerns are masked."""
_READ: Final = """
    SELECT step, visit, attempt, input, output, error FROM step_run WHERE workspace_id = $1 AND execution_id = $2
"""
_WRITE: Final = """
    UPDATE step_run SET input = $6, output = $7, error = $8
    WHERE workspace_id = $1 AND execution_id = $2 AND step = $3 AND visit = $4 AND attempt = $5
"""
_READ_EXECUTION: Final = (
    "SELECT parameters, result, error FROM execution WHERE workspace_id = $1 AND id = $2 FOR UPDATE"
)
_WRITE_EXECUTION: Final = (
    "UPDATE execution SET seq = seq + 1, parameters = $3, result = $4, error = $5 WHERE workspace_id = $1 AND id = $2"
)


async def concerned(connection: Connection, workspace_id: UUID, records: Sequence[UUID]) -> list[UUID]:
    """The executions of the records. Raises RECORD_IN_USE while one of them runs, waits, or can be retried."""
    rows = await connection.fetch(_CONCERNED, workspace_id, list(records))
    open_ones = [f"{row['id']} ({row['status']})" for row in rows if row["status"] in _GOING_ON]
    if open_ones:
        named = ", ".join(open_ones[:10])
        raise RECORD_IN_USE.error(
            f"{len(open_ones)} executions concern the record and have not ended: {named}. "
            "Let them end, or cancel them with POST /workflows/{id}/cancel, and send the request again"
        )
    return [row["id"] for row in rows]


async def erase_executions(connection: Connection, subject: Subject) -> Erased:
    """Empty the executions of the record, and mask its personal values in others that wrote to it."""
    workspace_id, ids = subject.workspace_id, list(subject.executions)
    named = [row["id"] for row in await connection.fetch(_FILES, workspace_id, ids)]
    kept = await connection.execute(_PARAMETERS, workspace_id, ids)
    steps = await connection.execute(_STEPS, workspace_id, ids)
    events = await connection.execute(_EVENTS, workspace_id, ids)
    drafts = await connection.execute(_DRAFTS, workspace_id, ids)
    await connection.execute(_UPLOADS, workspace_id, ids)
    comments = await connection.execute(_COMMENTS, workspace_id, ids)
    executions = await connection.execute(_EXECUTIONS, workspace_id, ids)
    counts = {
        "executions": rows_of(executions),
        "steps": rows_of(steps),
        "receivedEvents": rows_of(events),
        "drafts": rows_of(drafts),
        "executionComments": rows_of(comments),
        "storedParameters": rows_of(kept),
        "maskedExecutions": await _mask_others(connection, subject),
    }
    return Erased(counts, frozenset(found for one in named if one and (found := parse_id(one)) is not None))


def _without_seal(value: KnownJson) -> KnownJson:
    """Without what is encrypted, in which nothing can be masked: the statement behind a consent."""
    sealed = isinstance(value, dict) and isinstance(value.get("sealed"), str) and "hash" in value
    return {name: one for name, one in value.items() if name != "sealed"} if sealed else value


def masked_entry(entry: JsonObject, mask: Masking) -> JsonObject:
    """An archived execution, masked where `_mask_others` masks those that are not archived."""
    known: KnownJson = entry
    steps = [{**step, **_masked_step(step, mask)} for step in known["steps"]]
    return {**known, **_masked_execution(known, mask), "steps": steps}


def _masked_execution(execution: Mapping[str, Any] | DatabaseRow, mask: Masking) -> dict[str, Any]:
    return {name: mask.value(execution[name]) for name in _OF_EXECUTION}


def _masked_step(run: Mapping[str, Any] | DatabaseRow, mask: Masking) -> dict[str, Any]:
    return {name: _without_seal(mask.value(run[name])) for name in _OF_STEP}


async def _mask_others(connection: Connection, subject: Subject) -> int:
    """Executions that concern something else and wrote to the record: only the person's values go.

    Returns in how many there were some. Those that are archived by now are masked there.
    """
    workspace_id, mask = subject.workspace_id, Masking(list(subject.personal))
    rows = await connection.fetch(_OTHERS, workspace_id, list(subject.records), list(subject.executions))
    return sum([await _mask_other(connection, workspace_id, row["execution_id"], mask) for row in rows])


async def _mask_other(connection: Connection, workspace_id: UUID, execution_id: UUID, mask: Masking) -> bool:
    """Whether anything of the execution was masked: then its `seq` is another, by which an archive under way knows."""
    execution = await connection.fetchrow(_READ_EXECUTION, workspace_id, execution_id)
    if execution is None:
        return False
    values = _masked_execution(execution, mask)
    steps = await _mask_steps(connection, workspace_id, execution_id, mask)
    if steps or any(values[name] != execution[name] for name in _OF_EXECUTION):
        await connection.execute(_WRITE_EXECUTION, workspace_id, execution_id, *values.values())
        return True
    return False


async def _mask_steps(connection: Connection, workspace_id: UUID, execution_id: UUID, mask: Masking) -> int:
    """How many of the steps had any."""
    changed = 0
    for run in await connection.fetch(_READ, workspace_id, execution_id):
        shown = _masked_step(run, mask)
        if any(shown[name] != run[name] for name in _OF_STEP):
            key = (run["step"], run["visit"], run["attempt"])
            await connection.execute(_WRITE, workspace_id, execution_id, *key, *shown.values())
            changed += 1
    return changed
