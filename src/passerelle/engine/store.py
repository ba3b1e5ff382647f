"""Executions in PostgreSQL. Every commit is one statement, fenced by `seq`.

The statement carries everything that must become true together: the execution's row, the finished attempts, the
events that others must hear, and the job that makes a runnable execution go on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from passerelle.definitions.model import Definition
from passerelle.engine import statements
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
from passerelle.engine.statements import JobPlan, shape_of
from passerelle.kit.clock import iso
from passerelle.kit.database import Connection, Database, DatabaseRow
from passerelle.kit.ids import NewId
from passerelle.kit.jobs import traced
from passerelle.kit.json import Json, JsonObject, KnownJson, dumps


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
            row = await self._run(statements.create(shape_of(transition, plan), identity.parent is not None), values)
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
        row = await self._run(
            statements.update(shape_of(transition, plan, tell=tell), came is not None), values, connection
        )
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
        sql = statements.LOAD_COLUMNS + also + statements.LOAD_FROM + "= $2"
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
            await connection.execute(statements.HOLD, workspace_id, list(execution_ids))
        # A statement of its own: it sees what those that were waited for have written.
        rows = await connection.fetch(
            statements.LOAD_COLUMNS + statements.LOAD_FROM + "= ANY($2) ORDER BY e.id",
            workspace_id,
            list(execution_ids),
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
        return await self._run(statements.MEND, values) is not None

    async def _run(self, template: str, values: dict[str, Any], connection: Connection | None = None) -> Any:
        sql, names = statements.numbered(template)
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
