"""The statements that write executions. `:name` stands for a value; each commit holds only the parts that it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from passerelle.engine.model import Transition
from passerelle.kit.event_log import NEW_EVENT
from passerelle.kit.jobs import DROP_JOB, NEW_JOB, NEXT_JOB_ID

ENTRYPOINT: Final = "execution.continue"
"""The queue's name for: look at this execution and do what is to be done."""
NOTICE: Final = "execution.notice"
"""The queue's name for: send a message to those that a step waits for."""
CHILD_ENDED: Final = "execution.child_ended"
"""The queue's name for: tell the parent of this execution how it ended."""
ABANDONED: Final = "execution.abandoned"
"""The queue's name for: nobody waits for this execution any more; end it."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What becomes of the execution's job with this commit."""

    keep: int | None = None
    """Go on under this job."""
    delay: timedelta | None = None
    """Write a new job that falls due after so long."""
    drop: int | None = None
    """Delete this one, if nobody has taken it."""


class Shape(NamedTuple):
    """Which parts a commit has."""

    runs: bool
    events: bool
    consumed: bool
    new_job: bool
    drop: bool
    notices: bool
    abandoned: bool
    tell: bool


def shape_of(transition: Transition, plan: JobPlan, *, tell: bool = False) -> Shape:
    """The parts that a commit needs. `tell`: a parent is to hear of the end."""
    return Shape(
        bool(transition.runs),
        bool(transition.events),
        bool(transition.consumed),
        plan.delay is not None,
        plan.drop is not None,
        bool(transition.notices),
        bool(transition.abandoned),
        tell,
    )


@lru_cache(maxsize=256)
def numbered(template: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1`, `$2` … for its `:name`s, and the names in that order."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return re.sub(r"(?<!:):([a-z_]+)", number, template), tuple(names)


_RUNS = """, runs AS (
    INSERT INTO step_run (workspace_id, execution_id, step, visit, attempt, ordinal, kind, status,
                          input, output, error, started_at, ended_at)
    SELECT :workspace_id, e.id, r.* FROM e, jsonb_to_recordset(:runs) AS r(
        step text, visit integer, attempt integer, ordinal integer, kind text, status text,
        input jsonb, output jsonb, error jsonb, started_at timestamptz, ended_at timestamptz))"""

_EVENTS = f""", events AS (
    {NEW_EVENT}
    SELECT :workspace_id, v.id, v.type, e.id, v.data, :now
    FROM e, jsonb_to_recordset(:events) AS v(id uuid, type text, data jsonb))"""

_CONSUMED = """, consumed AS (
    UPDATE received_event SET consumed_at = :now FROM e
    WHERE received_event.workspace_id = :workspace_id AND received_event.execution_id = e.id
        AND received_event.id = ANY(:consumed))"""

_CAME = """, came AS (
    INSERT INTO received_event (workspace_id, id, execution_id, name, body, received_at, consumed_at)
    SELECT :workspace_id, :came_id, e.id, :came_name, :came_body, :now, {consumed_at} FROM e)"""

_NEW_JOB = f""", job AS (
    {NEW_JOB} SELECT next_job.id, 0, '{ENTRYPOINT}', :payload, now() + :delay, 'queued' FROM e, next_job)"""

_NOTICES = f""", notices AS (
    {NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, '{NOTICE}', convert_to(n.value::text, 'UTF8'), now(), 'queued'
    FROM e, jsonb_array_elements(:notices) AS n(value))"""

_DROP_JOB = f", dropped AS ({DROP_JOB} (SELECT :drop::bigint FROM e))"

_ABANDONED = f""", abandoned AS (
    {NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, '{ABANDONED}', child, now(), 'queued'
    FROM e, unnest(:abandoned::bytea[]) AS child)"""

_TELL = f""", tell AS (
    {NEW_JOB} SELECT nextval('pgqueuer_id_seq'), 0, '{CHILD_ENDED}', :payload, now(), 'queued' FROM e)"""

_PARENT = """, parent AS (
    SELECT FROM execution WHERE workspace_id = :workspace_id AND id = :parent_id
      AND status IN ('RUNNING', 'AWAITING') AND state -> 'lanes' -> :parent_lane::text ->> 'child' = :child
    FOR SHARE)"""
"""Locks the parent, so that it cannot be cancelled, and its children with it, while one more is written."""


def _parts(shape: Shape) -> str:
    parts = (_RUNS, _EVENTS, _CONSUMED, _NEW_JOB, _DROP_JOB, _NOTICES, _ABANDONED, _TELL)
    return "".join(part for part, wanted in zip(parts, shape, strict=True) if wanted)


def _job_id(new_job: bool) -> str:
    return "(SELECT id FROM next_job)" if new_job else ":keep::bigint"


def _next_job(new_job: bool) -> str:
    return f"next_job AS MATERIALIZED ({NEXT_JOB_ID})," if new_job else ""


@lru_cache(maxsize=64)
def create(shape: Shape, child: bool) -> str:
    """Writes a new execution, whose revision must be the published one; of a `child`, its parent must wait."""
    return f"""
    WITH {_next_job(shape.new_job)} published AS (
        SELECT FROM definition
        WHERE workspace_id = :workspace_id AND id = :definition_id AND published_revision = :revision_id
    ){_PARENT if child else ""}, e AS (
        INSERT INTO execution (workspace_id, id, definition_id, revision_id, status, execution_type, seq, state,
            parameters, record_id, locale, origin, waiting_for, result, error, wake_at, job_id, expires_at,
            created_at, updated_at, completed_at, started_by, parent_id, parent_step, depth)
        SELECT :workspace_id, :id, :definition_id, :revision_id, :status, :execution_type, 1, :state,
            :parameters, :record_id, :locale, :origin, :waiting_for, :result, :error, :wake_at,
            {_job_id(shape.new_job)}, :expires_at, :created_at, :now, :completed_at, :started_by,
            :parent_id, :parent_step, :depth
        FROM published{", parent" if child else ""}
        RETURNING id, job_id
    ){_parts(shape)}
    SELECT job_id FROM e
    """


@lru_cache(maxsize=64)
def update(shape: Shape, came: bool) -> str:
    """Writes what follows from a signal, if the execution is still at `seq`; with `came`, an event that came in."""
    taken_at_once = came and shape.consumed
    parts = _parts(shape._replace(consumed=shape.consumed and not taken_at_once))
    if came:
        parts += _CAME.format(consumed_at=":now" if taken_at_once else "NULL")
    return f"""
    WITH {_next_job(shape.new_job)} e AS (
        UPDATE execution SET revision_id = :revision_id, status = :status, seq = seq + 1, state = :state,
            waiting_for = :waiting_for, result = :result, error = :error, wake_at = :wake_at,
            job_id = {_job_id(shape.new_job)}, updated_at = :now, expires_at = :expires_at,
            completed_at = coalesce(:completed_at::timestamptz, CASE WHEN status = :status THEN completed_at END),
            record_id = coalesce(record_id, :record_id::uuid), parameters = coalesce(:parameters::jsonb, parameters),
            untold = {"true" if shape.tell else "untold AND :status::text NOT IN ('RUNNING', 'AWAITING')"}
        WHERE workspace_id = :workspace_id AND id = :id AND seq = :seq
        RETURNING id, job_id
    ){parts}
    SELECT job_id FROM e
    """


MEND: Final = f"""
    WITH next_job AS MATERIALIZED ({NEXT_JOB_ID}), e AS (
        UPDATE execution SET job_id = (SELECT id FROM next_job), seq = seq + 1
        WHERE workspace_id = :workspace_id AND id = :id AND seq = :seq
        RETURNING id, job_id
    ){_NEW_JOB}
    SELECT job_id FROM e
"""

LOAD_COLUMNS: Final = """
    SELECT e.*,
        (SELECT jsonb_agg(jsonb_build_object('step', r.step, 'ordinal', r.ordinal, 'output', r.output)
                          || CASE WHEN r.output IS NULL THEN jsonb_build_object('error', r.error) ELSE '{}' END
                          ORDER BY r.ordinal)
         FROM step_run r
         WHERE r.workspace_id = e.workspace_id AND r.execution_id = e.id
         AND (r.output IS NOT NULL OR strpos(r.step, '.') > 0)) AS outputs,
        (SELECT jsonb_agg(jsonb_build_object('id', v.id, 'name', v.name, 'body', v.body) ORDER BY v.id)
         FROM received_event v
         WHERE v.workspace_id = e.workspace_id AND v.execution_id = e.id AND v.consumed_at IS NULL) AS inbox
    """
LOAD_FROM: Final = "FROM execution e WHERE e.workspace_id = $1 AND e.id "

HOLD: Final = "SELECT FROM execution WHERE workspace_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
