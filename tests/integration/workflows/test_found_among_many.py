"""What few executions have is found without reading those that have it not, however often others were asked for before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest_asyncio

from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.workflows.models import ExecutionFilters
from passerelle.workflows.repository import ExecutionRepository

OF_MANY, OF_ONE = new_id(), new_id()
TIMES = 8
"""After five times PostgreSQL may keep a plan that does not know the values."""
PAGE = 50
LITTLE = 2 * PAGE

_MANY = """
    INSERT INTO execution (workspace_id, id, definition_id, revision_id, status, execution_type, seq, state, parameters,
                           origin, waiting_for, error, created_at, updated_at)
    SELECT $1, gen_random_uuid(), CASE WHEN n = 1 THEN $3::uuid ELSE $2::uuid END, $2, s.status, 'BACKGROUND', 1, '{}',
           '{}', 'API',
           CASE s.status WHEN 'AWAITING' THEN jsonb_build_array(jsonb_build_object(
               'step', CASE WHEN n = 1 THEN 'signed' ELSE 'paid' END,
               'kind', CASE WHEN n = 1 THEN 'review' ELSE 'event' END)) END,
           CASE s.status WHEN 'FAILED' THEN jsonb_build_object(
               'code', CASE WHEN n = 1 THEN 'RARE' ELSE 'REFUSED' END,
               'step', CASE WHEN n = 1 THEN 'asked' ELSE 'checked' END) END,
           now(), now()
    FROM (VALUES ('COMPLETED', 4000), ('AWAITING', 2000), ('FAILED', 2000)) s(status, many), generate_series(1, s.many) n
"""


@pytest_asyncio.fixture(loop_scope="session")
async def alone(database_url: str, workspace_id: UUID) -> AsyncIterator[Database]:
    """One connection, so that all is asked where the plans are kept, among 8,000 executions."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(_MANY, workspace_id, OF_MANY, OF_ONE)
    await connection.execute("VACUUM ANALYZE execution")
    await connection.close()
    database = await Database.open(database_url, size=1)
    yield database
    await database.close()


async def rows_read(database: Database, database_url: str) -> int:
    """Rows of executions that were read so far."""
    async with database.shared() as connection:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await connection.execute("SELECT 1")  # at the end of which it is told
    owner = await asyncpg.connect(database_url)
    try:
        return int(
            await owner.fetchval(
                "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables "
                "WHERE relname = 'execution'"
            )
        )
    finally:
        await owner.close()


COMMON_AND_RARE = [
    (ExecutionFilters(definition_id=OF_MANY), ExecutionFilters(definition_id=OF_ONE)),
    (
        ExecutionFilters(definition_id=OF_MANY, status="COMPLETED"),
        ExecutionFilters(definition_id=OF_ONE, status="COMPLETED"),
    ),
    (ExecutionFilters(definitions=(OF_MANY,)), ExecutionFilters(definitions=(OF_ONE,))),
    (ExecutionFilters(step="paid"), ExecutionFilters(step="signed")),
    (ExecutionFilters(step="checked"), ExecutionFilters(step="asked")),
    (ExecutionFilters(step="paid"), ExecutionFilters(step="nowhere")),
    (ExecutionFilters(waiting_for="event"), ExecutionFilters(waiting_for="review")),
    (ExecutionFilters(waiting_for="event"), ExecutionFilters(waiting_for="form")),
    (ExecutionFilters(error_code="REFUSED"), ExecutionFilters(error_code="RARE")),
    (ExecutionFilters(error_code="REFUSED"), ExecutionFilters(error_code="NONE")),
]
"""Filters that many executions fit, and the same ones with values that one fits, or none."""


async def test_what_few_have_is_found_at_once(alone: Database, database_url: str, workspace_id: UUID) -> None:
    executions = ExecutionRepository(alone, new_id)
    for common, rare in COMMON_AND_RARE:
        for _ in range(TIMES):
            await executions.page(workspace_id, common, None, PAGE)
        before = await rows_read(alone, database_url)
        for _ in range(TIMES):
            await executions.page(workspace_id, rare, None, PAGE)
        assert await rows_read(alone, database_url) - before < TIMES * LITTLE, rare
