"""`passerelle size`: every table is in one kind, and a workspace's part is about what it has."""

from __future__ import annotations

import asyncpg
import pytest

from passerelle.cli import size
from passerelle.operations.sizes import KINDS, sizes
from tests.integration.retention.test_retention import product
from tests.integration.secrets.product import Product

__all__ = ["product"]


async def test_a_workspaces_part_is_about_what_it_has(product: Product) -> None:
    connection = await asyncpg.connect(product.database_url)
    stranger = await connection.fetchval(
        "SELECT workspace_id FROM workspace WHERE workspace_id <> $1 LIMIT 1", product.workspace_id
    )
    for owner, count in ((product.workspace_id, 3000), (stranger, 1000)):
        await connection.execute(
            "INSERT INTO event (workspace_id, id, type, data, created_at) "
            "SELECT $1, gen_random_uuid(), 'workflow.completed', '{}', now() FROM generate_series(1, $2)",
            owner,
            count,
        )
        await connection.execute(
            "INSERT INTO resource (workspace_id, id, name, type, size, sha256, created_at, created_by) "
            "VALUES ($1, gen_random_uuid(), 'a.pdf', 'application/pdf', $2, '', now(), 'test')",
            owner,
            count,
        )
    await connection.execute("ANALYZE event, resource")
    await connection.close()
    found = await sizes(product.services.shared.database)
    parts = {one.workspace_id: one.kinds for one in found.workspaces}
    mine, theirs = parts[product.workspace_id], parts[stranger]
    assert mine["events"] == pytest.approx(3 * theirs["events"], rel=0.1)
    assert mine["events"] + theirs["events"] == pytest.approx(found.kinds["events"].bytes, rel=0.1)
    assert (mine["files"], theirs["files"], found.kinds["files"].bytes) == (3000, 1000, 4000)
    assert found.kinds["events"].rows == pytest.approx(4000, rel=0.1)
    shown = "\n".join(" ".join(row) for rows in size.tables(found, product.workspace_id) for row in rows)
    assert "files 3.0 kB" in shown


async def test_every_table_is_counted_once(product: Product) -> None:
    connection = await asyncpg.connect(product.database_url)
    whole = await connection.fetchval(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    known = {row["relname"] for row in await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r'")}
    await connection.close()
    found = await sizes(product.services.shared.database)
    assert sum(one.bytes for kind, one in found.kinds.items() if kind != "files") == whole
    named = [table for tables in KINDS.values() for table in tables]
    assert (set(named) <= known, len(named)) == (True, len(set(named)))


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (15_000, "15 kB"), (2.5e12, "2.5 TB"), (5e15, "5000 TB")],
)
def test_sizes_are_told_in_a_unit_that_people_read(bytes_: float, text: str) -> None:
    assert size.shown(bytes_) == text
