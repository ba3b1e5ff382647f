"""Executions in PostgreSQL. Every commit is one statement, fenced by `seq`.

The statement carries everything that must become true together: the execution's row, the finished attempts, the
events that others must hear, and the job that makes a runnable execution go on.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from passerelle.definitions.model import Definition
from passerelle.engine.figures import count
from passerelle.engine.lanes import split_path
from passerelle.engine.model import (
    OPEN,
    Identity,
    Notice,
    Parent,
    Received,
    Renaming,
    State,
    Status,
    Transition,
    path_now,
)
from passerelle.engine.positions import LanePosition
from passerelle.kit.clock import iso
from passerelle.kit.database import Connection, Database, DatabaseRow
from passerelle.kit.event_log import NEW_EVENT
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import DROP_JOB, NEW_JOB, NEXT_JOB_ID, traced
from passerelle.kit.json import Json, JsonObject, KnownJson, dumps

ENTRYPOINT: Final = "execution.continue"
"""The queue's name for: look at this execution and do what is to be done."""
NOTICE: Final = "execution.notice"
"""The queue's name for: send a message to those that a step waits for."""
CHILD_ENDED: Final = "execution.child_ended"
"""The queue's name for: tell the parent of this execution how it ended."""
ABANDONED: Final = "execution.abandoned"
"""The queue's name for: nobody waits for this execution any more; end it."""


class AlreadyStarted(Exception):  # noqa: N818 - an answer, not a fault
    """An execution with this id exists: the same request came before."""


class Gone(Exception):  # noqa: N818
    """This workspace has no such execution."""


class Unstorable(Exception):  # noqa: N818
    """PostgreSQL cannot hold one of the values, such as a NUL character in a text."""


@dataclass(frozen=True, slots=True)
class LoadedExecution:
    """A state, and what the next commit has to name."""

    state: State
    seq: int
    job_id: int | None
    beside: KnownJson = None
    """What was read along with it."""


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What becomes of the execution's job with this commit."""

    keep: int | None = None
    """Go on under this job."""
    delay: timedelta | None = None
    """Write a new job that falls due after so long."""
    drop: int | None = None
    """Delete this one, if nobody has taken it."""


class Store:
    """Reads and writes executions."""

    def __init__(self, database: Database, new_id: NewId) -> None:
        self._database = database
        self._new_id = new_id

    async def create(
        self, definition: Definition, transition: Transition, now: datetime, plan: JobPlan
    ) -> LoadedExecution | None:
        """Write a new execution. None if its revision is not the published one (any more), or its parent does not
        wait for it (any more): nothing was written.

        Raises `AlreadyStarted` if there is one with this id, `Unstorable` for values that cannot be kept.
        """
        state = transition.state
        identity = state.identity
        values = self._values(definition, transition, now, plan) | {
            "created_at": identity.created_at,
            "execution_type": identity.execution_type,
            "parameters": identity.parameters,
            "record_id": identity.record_id,
            "locale": identity.locale,
            "origin": identity.origin,
            "expires_at": identity.expires_at,
            "started_by": identity.started_by,
            **_parent_values(identity),
        }
        try:
            row = await self._run(_create(_shape(transition, plan), identity.parent is not None), values)
        except asyncpg.UniqueViolationError as error:
            raise AlreadyStarted(str(identity.id)) from error
        if row is None:
            return None
        count(None, transition)
        return LoadedExecution(state, 1, row["job_id"])

    async def commit(
        self, definition: Definition, loaded: LoadedExecution, transition: Transition, now: datetime, plan: JobPlan,
        came: Received | None = None, connection: Connection | None = None,
    ) -> LoadedExecution | None:  # fmt: skip
        """Write what follows from a signal. None if somebody else was faster: nothing was written.

        connection   whose transaction it is to be part of; without one it commits by itself
        """
        record_id = transition.state.identity.record_id
        values = self._values(definition, transition, now, plan) | {"seq": loaded.seq, "record_id": record_id}
        values["expires_at"] = transition.state.identity.expires_at
        given = transition.state.identity.parameters
        values["parameters"] = given if given is not loaded.state.identity.parameters else None
        if not transition.runs and transition.state.status is loaded.state.status:
            values["completed_at"] = None
        tell = _tells(loaded.state, transition.state)
        if came is not None:
            values |= {"came_id": came.id, "came_name": came.name, "came_body": came.body}
        row = await self._run(_update(_shape(transition, plan, tell=tell), came is not None), values, connection)
        if row is None:
            return None
        count(loaded.state.status, transition)
        return LoadedExecution(transition.state, loaded.seq + 1, row["job_id"])

    @asynccontextmanager
    async def transaction(self, workspace_id: UUID) -> AsyncIterator[Connection]:
        """For commits that become true together with something else."""
        async with self._database.transaction(workspace_id) as connection:
            yield connection

    async def load(self, workspace_id: UUID, execution_id: UUID, beside: str | None = None) -> LoadedExecution | None:
        """An execution as it stands now, or None if this workspace has none with that id.

        beside   an SQL expression over the execution `e`, whose value comes along
        """
        also = "" if beside is None else f", ({beside}) AS beside "
        sql = _LOAD_COLUMNS + also + _LOAD_FROM + "= $2"
        async with self._database.workspace(workspace_id) as connection:
            row = await connection.fetchrow(sql, workspace_id, execution_id)
        if row is None:
            return None
        return LoadedExecution(_state(row), row["seq"], row["job_id"], None if beside is None else row["beside"])

    async def hold(
        self, workspace_id: UUID, execution_ids: Sequence[UUID], connection: Connection, *, lock: bool = True
    ) -> list[LoadedExecution]:
        """Several executions by their ids, which nobody else commits to until the transaction ends, unless `lock` is
        false. Whoever takes several takes them in this order, so that none waits for another in a circle."""
        if lock:
            await connection.execute(_HOLD, workspace_id, list(execution_ids))
        # A statement of its own: it sees what those that were waited for have written.
        rows = await connection.fetch(
            _LOAD_COLUMNS + _LOAD_FROM + "= ANY($2) ORDER BY e.id", workspace_id, list(execution_ids)
        )
        return [LoadedExecution(_state(row), row["seq"], row["job_id"]) for row in rows]

    async def told(self, workspace_id: UUID, execution_id: UUID, seq: int) -> None:
        """Note that the parent has heard of the end that the execution had come to at `seq`."""
        async with self._database.workspace(workspace_id) as connection:
            await connection.execute(
                "UPDATE execution SET untold = false WHERE workspace_id = $1 AND id = $2 AND seq = $3",
                workspace_id,
                execution_id,
                seq,
            )

    async def stranded_children(self, older_than: timedelta, at_most: int = 100) -> list[tuple[UUID, UUID, bool]]:
        """Children that a job should stand for and none does: workspace, id, and whether the parent is to be told
        (else the child is to be ended). There should never be any."""
        async with self._database.shared() as connection:
            rows = await connection.fetch("SELECT * FROM stranded_children($1, $2)", older_than, at_most)
        return [(row["workspace_id"], row["id"], row["untold"]) for row in rows]

    async def stranded(self, older_than: timedelta, at_most: int = 100) -> list[tuple[UUID, UUID, int]]:
        """Runnable executions that no job stands for: workspace, id and seq. There should never be any."""
        async with self._database.shared() as connection:
            rows = await connection.fetch("SELECT * FROM stranded_executions($1, $2)", older_than, at_most)
        return [(row["workspace_id"], row["id"], row["seq"]) for row in rows]

    async def lost(self, job_id: int, seq: int) -> int:
        """Note that a process died with this job while the execution stood at `seq`; how many have, at the same."""
        async with self._database.shared() as connection:
            times = await connection.fetchval(
                "UPDATE pgqueuer SET lost = CASE WHEN lost_at = $2 THEN lost ELSE 1 END, lost_at = $2 "
                "WHERE id = $1 RETURNING lost",
                job_id,
                seq,
            )
        return int(times or 0)

    async def trace(self, workspace_id: UUID, execution_id: UUID) -> str | None:
        """The trace in which an execution was last written; None where none was being written."""
        async with self._database.workspace(workspace_id) as connection:
            found: str | None = await connection.fetchval(
                "SELECT state ->> 'trace' FROM execution WHERE workspace_id = $1 AND id = $2",
                workspace_id,
                execution_id,
            )
        return found

    async def mend(self, workspace_id: UUID, execution_id: UUID, seq: int) -> bool:
        """Give a stranded execution a job. False if it has moved on meanwhile."""
        values = {
            "workspace_id": workspace_id,
            "id": execution_id,
            "seq": seq,
            "payload": _payload(workspace_id, execution_id),
            "delay": timedelta(0),
        }
        return await self._run(_MEND, values) is not None

    async def _run(self, template: str, values: dict[str, Any], connection: Connection | None = None) -> Any:
        sql, names = _numbered(template)
        arguments = [values[name] for name in names]
        try:
            if connection is not None:
                return await connection.fetchrow(sql, *arguments)
            async with self._database.workspace(values["workspace_id"]) as own:
                return await own.fetchrow(sql, *arguments)
        except (asyncpg.UntranslatableCharacterError, asyncpg.CharacterNotInRepertoireError) as error:
            raise Unstorable("a text holds a NUL character, which cannot be stored") from error

    def _values(self, definition: Definition, transition: Transition, now: datetime, plan: JobPlan) -> dict[str, Any]:
        state = transition.state
        identity = state.identity
        ended = state.status not in (Status.RUNNING, Status.AWAITING)
        return {
            "workspace_id": identity.workspace_id,
            "id": identity.id,
            "definition_id": identity.definition_id,
            "revision_id": state.revision_id,
            "status": state.status.value,
            "state": traced(state.cursor()),
            "waiting_for": state.waiting_for(definition) or None,
            "result": state.result,
            "error": state.error,
            "wake_at": state.wake_at,
            "now": now,
            "completed_at": now if ended else None,
            "runs": [run.to_json() for run in transition.runs],
            "events": self._events(definition, transition),
            "notices": [_notice(identity, notice) for notice in transition.notices],
            "consumed": list(transition.consumed),
            "payload": _payload(identity.workspace_id, identity.id),
            "abandoned": [_payload(identity.workspace_id, child) for child in transition.abandoned],
            "delay": plan.delay,
            "keep": plan.keep,
            "drop": plan.drop,
        }

    def _events(self, definition: Definition, transition: Transition) -> list[JsonObject]:
        state = transition.state
        data = {
            "workflowId": str(state.identity.id),
            "workflowDefinitionId": str(state.identity.definition_id),
            "name": definition.name,
            "status": state.status.value,
            "recordId": str(state.identity.record_id) if state.identity.record_id else None,
        }
        return [
            {"id": str(self._new_id()), "type": event.type, "data": data if event.data is None else event.data}
            for event in transition.events
        ]


def _payload(workspace_id: UUID, execution_id: UUID) -> bytes:
    return dumps(traced({"workspaceId": str(workspace_id), "executionId": str(execution_id)})).encode()


def _notice(identity: Identity, notice: Notice) -> JsonObject:
    facts: JsonObject = {
        "workspaceId": str(identity.workspace_id),
        "executionId": str(identity.id),
        "lane": notice.lane,
        "step": notice.step,
        "visit": notice.visit,
        "attempt": notice.attempt,
        "at": iso(notice.at),
        "reminder": notice.reminder,
    }
    return traced(facts)


def _tells(before: State, after: State) -> bool:
    """Whether a parent is to hear of what has come."""
    return after.identity.parent is not None and before.status in OPEN and after.status not in OPEN


def _parent_values(identity: Identity) -> dict[str, Any]:
    parent = identity.parent
    if parent is None:
        return {"parent_id": None, "parent_step": None, "depth": 0}
    return {
        "parent_id": parent.id,
        "parent_step": parent.step,
        "depth": parent.depth,
        "parent_lane": split_path(parent.step)[0],
        "child": str(identity.id),
    }


def _state(row: DatabaseRow) -> State:
    cursor = row["state"]
    renamings = tuple(Renaming(before, names) for before, names in cursor.get("renamings", ()))
    parent = Parent(row["parent_id"], row["parent_step"], row["depth"]) if row["parent_id"] is not None else None
    return State(
        identity=Identity(
            row["id"], row["workspace_id"], row["definition_id"], row["execution_type"], row["parameters"],
            row["created_at"], row["origin"], row["record_id"], row["locale"], row["expires_at"], parent,
            row["started_by"],
        ),
        revision_id=row["revision_id"],
        status=Status(row["status"]),
        lanes={name: LanePosition.from_json(facts) for name, facts in cursor["lanes"].items()},
        visits=cursor["visits"],
        values=_values(row["outputs"] or (), cursor.get("undone", {}), renamings, cursor["lanes"]),
        read=cursor.get("read", {}),
        inbox=tuple(Received(UUID(item["id"]), item["name"], item["body"]) for item in row["inbox"] or ()),
        trail=tuple(cursor.get("trail", ())),
        undone=cursor.get("undone", {}),
        language=cursor.get("language"),
        sealed=cursor.get("sealed", {}),
        renamings=renamings,
        ordinal=cursor["ordinal"],
        spent=cursor.get("spent", 0),
        kept=cursor.get("kept", 0),
        result=row["result"],
        error=row["error"],
    )  # fmt: skip


def _values(
    outputs: Iterable[JsonObject],
    undone: Mapping[str, int],
    renamings: Sequence[Renaming] = (),
    under_way: Collection[str] = (),
) -> dict[str, dict[str, Json]]:
    """The outputs of the steps by lane; of a step that ran several times, the last. What was undone is left out.

    An inner lane that is over, and whose last run failed, has only the error: the items after it went on.
    """
    values: dict[str, dict[str, Json]] = {}
    failed: dict[str, Json] = {}
    for item in outputs:
        path = path_now(item["step"], item["ordinal"], renamings) if renamings else item["step"]
        if undone and item["ordinal"] < undone.get(path, 0):
            continue
        lane, step = split_path(path)
        failed.pop(lane, None)
        if item["output"] is not None:
            values.setdefault(lane, {})[step] = item["output"]
        elif item.get("error") is not None:
            failed[lane] = item["error"]
    return values | {lane: {"error": error} for lane, error in failed.items() if lane not in under_way}


# The statements. `:name` stands for a value; each shape of a commit holds only the parts that it needs.


class _Shape(NamedTuple):
    """Which parts a commit has."""

    runs: bool
    events: bool
    consumed: bool
    new_job: bool
    drop: bool
    notices: bool
    abandoned: bool
    tell: bool


def _shape(transition: Transition, plan: JobPlan, *, tell: bool = False) -> _Shape:
    return _Shape(
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
def _numbered(template: str) -> tuple[str, tuple[str, ...]]:
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


def _parts(shape: _Shape) -> str:
    parts = (_RUNS, _EVENTS, _CONSUMED, _NEW_JOB, _DROP_JOB, _NOTICES, _ABANDONED, _TELL)
    return "".join(part for part, wanted in zip(parts, shape, strict=True) if wanted)


def _job_id(new_job: bool) -> str:
    return "(SELECT id FROM next_job)" if new_job else ":keep::bigint"


def _next_job(new_job: bool) -> str:
    return f"next_job AS MATERIALIZED ({NEXT_JOB_ID})," if new_job else ""


@lru_cache(maxsize=64)
def _create(shape: _Shape, child: bool) -> str:
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
def _update(shape: _Shape, came: bool) -> str:
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


_MEND: Final = f"""
    WITH next_job AS MATERIALIZED ({NEXT_JOB_ID}), e AS (
        UPDATE execution SET job_id = (SELECT id FROM next_job), seq = seq + 1
        WHERE workspace_id = :workspace_id AND id = :id AND seq = :seq
        RETURNING id, job_id
    ){_NEW_JOB}
    SELECT job_id FROM e
"""

_LOAD_COLUMNS: Final = """
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
_LOAD_FROM: Final = "FROM execution e WHERE e.workspace_id = $1 AND e.id "

_HOLD: Final = "SELECT FROM execution WHERE workspace_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE"
