"""Quotas in PostgreSQL, and what of them is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from passerelle.kit.database import Connection
from passerelle.quotas.models import OwnTerms, Quota, WorkspaceTurns

_FIND: Final = "SELECT quotas, weight, jobs FROM workspace_quota WHERE workspace_id = $1"
_WRITE: Final = """
    INSERT INTO workspace_quota (workspace_id, quotas, weight, jobs, updated_at)
    SELECT workspace_id, $2, $3, $4, now() FROM workspace WHERE workspace_id = $1
    ON CONFLICT (workspace_id) DO UPDATE
    SET quotas = excluded.quotas, weight = excluded.weight, jobs = excluded.jobs, updated_at = excluded.updated_at
    RETURNING true
"""
_USED: Final[Mapping[Quota, str]] = {
    "executions": "SELECT count(*) FROM execution WHERE workspace_id = $1 AND status IN ('RUNNING', 'AWAITING')",
    "records": "SELECT count(*) FROM record WHERE workspace_id = $1 AND deleted_at IS NULL",
    "storage": "SELECT coalesce(sum(size), 0)::bigint FROM resource WHERE workspace_id = $1",
}


async def find(connection: Connection, workspace_id: UUID) -> OwnTerms:
    """What was said of a workspace."""
    row = await connection.fetchrow(_FIND, workspace_id)
    return (
        OwnTerms({}, WorkspaceTurns())
        if row is None
        else OwnTerms(row["quotas"], WorkspaceTurns(row["weight"], row["jobs"]))
    )


async def write(connection: Connection, workspace_id: UUID, terms: OwnTerms) -> bool:
    """Say it. False where there is no such workspace."""
    turns = terms.turns
    return bool(await connection.fetchval(_WRITE, workspace_id, dict(terms.quotas), turns.weight, turns.jobs))


async def used(connection: Connection, workspace_id: UUID, quota: Quota) -> int:
    """How much of it a workspace has now."""
    count: int = await connection.fetchval(_USED[quota], workspace_id)
    return count
