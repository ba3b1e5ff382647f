"""Executions that steps start: a worker dies between a child's end and its parent's wake-up, and nobody is stranded."""

from __future__ import annotations

import asyncio
import signal
import time

import asyncpg
import pytest

from tests.crash.harness import Client, Cluster, cluster
from tests.crash.servers import Postgres
from tests.crash.test_crash import ROUNDS

PARENTS = 30
WITHIN = 30.0

CHILD = """
name: child
parameters:
  number: {{type: number, required: true}}
steps:
  - id: ask
    http: {{url: "{url}/child"}}
result: "${{parameters.number * 2}}"
"""
PARENT = """
name: parent
parameters:
  number: {type: number, required: true}
steps:
  - id: both
    each:
      in: [1, 2]
      steps:
        - id: sub
          workflow: {definition: child, parameters: {number: "${parameters.number + item}"}}
  - id: last
    workflow: {definition: child, parameters: {number: "${parameters.number}"}}
result:
  both: "${steps.both.items.map(item, item.sub.result)}"
  last: "${steps.last.result}"
"""


@pytest.mark.parametrize("seed", ROUNDS)
async def test_a_worker_dies_while_children_end(postgres: Postgres, seed: int) -> None:
    with cluster(postgres.url, delay=0.1) as system:
        _, url = system.serve()
        doomed = system.worker()
        client = Client(system)
        client.push(url, CHILD.format(url=system.register.url))
        client.push(url, PARENT)
        await client.start_many([url], PARENTS, None)
        await asyncio.to_thread(_until_children_end, system, 5 + 4 * seed)
        doomed.send_signal(signal.SIGKILL)
        system.worker()
        assert len(client.acknowledged) == PARENTS
        await _all_end(postgres.url, client.acknowledged)


def _until_children_end(system: Cluster, count: int) -> None:
    """Until so many calls have come back, so that children end all the time."""
    deadline = time.monotonic() + 15
    while len(system.register.asked) < count + 10 and time.monotonic() < deadline:
        time.sleep(0.02)


async def _all_end(url: str, parents: list[str]) -> None:
    connection = await asyncpg.connect(url)
    try:
        deadline = time.monotonic() + WITHIN
        while await connection.fetchval(
            "SELECT count(*) FROM execution WHERE id = ANY($1::uuid[]) AND status <> 'COMPLETED'", parents
        ):
            assert time.monotonic() < deadline, await connection.fetch(
                "SELECT depth, status, error, state FROM execution WHERE status <> 'COMPLETED'"
            )
            await asyncio.sleep(0.1)
        children = await connection.fetch(
            "SELECT parent_id, parent_step, status FROM execution WHERE parent_id = ANY($1::uuid[])", parents
        )
        assert len(children) == 3 * len(parents), "a start that was repeated made another child"
        assert {child["status"] for child in children} == {"COMPLETED"}
        wrong = await connection.fetch(
            "SELECT parameters, result FROM execution WHERE id = ANY($1::uuid[]) AND NOT result = jsonb_build_object("
            "'both', jsonb_build_array(((parameters->>'number')::int + 1) * 2, ((parameters->>'number')::int + 2) * 2),"
            "'last', (parameters->>'number')::int * 2)",
            parents,
        )
        assert wrong == []
        assert await connection.fetch("SELECT * FROM stranded_executions('0 seconds', 10)") == []
        assert await connection.fetch("SELECT * FROM stranded_children('10 seconds', 10)") == []
    finally:
        await connection.close()
