"""A worker is killed while it moves executions to another revision: what comes of it equals an undisturbed move."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from typing import Any

import asyncpg
import httpx
import pytest

from tests.crash.harness import Client, cluster
from tests.crash.servers import Postgres
from tests.crash.test_crash import ROUNDS

EXECUTIONS = 160
WITHIN = 60.0
"""Seconds, on a machine that has much else to do."""

BEFORE = """
name: {name}
parameters: {{number: {{type: number, required: true}}}}
steps:
  - {{id: paid, event: {{name: paid}}}}
  - {{id: done, set: {{sum: "${{parameters.number + steps.paid.amount}}"}}}}
"""
AFTER = """
name: {name}
parameters: {{number: {{type: number, required: true}}}}
steps:
  - {{id: payment, event: {{name: paid}}}}
  - {{id: thanks, set: {{sum: "${{parameters.number + steps.payment.amount}}", thanks: true}}}}
"""
WISH = {"from": 1, "to": 2, "mapping": {"paid": "payment", "done": "thanks"}}
ROWS = """
SELECT e.parameters, e.status, e.seq, e.waiting_for, r.number AS revision, m.verdict, m.reasons, m.moved_seq,
       m.moved_at IS NOT NULL AS moved, m.undone_at IS NOT NULL AS undone, m.kept,
       (SELECT count(*) FROM event WHERE event.execution_id = e.id) AS events
FROM execution e JOIN revision r ON r.id = e.revision_id LEFT JOIN execution_move m ON m.execution_id = e.id
WHERE e.definition_id = $1 ORDER BY (e.parameters ->> 'number')::int
"""


async def _resting(client: Client, url: str, name: str) -> list[str]:
    """Executions that wait in revision 1, of which revision 2 is out."""
    client.acknowledged.clear()
    client.push(url, BEFORE.format(name=name))
    await client.start_many([url], EXECUTIONS)
    client.push(url, AFTER.format(name=name))
    return list(client.acknowledged)


async def _killed_after(connection: asyncpg.Connection[Any], process: subprocess.Popen[str], moved: int) -> None:
    """Kill the process as soon as so many executions have been moved."""
    deadline = time.monotonic() + WITHIN
    while await connection.fetchval("SELECT count(*) FROM execution_move WHERE moved_at IS NOT NULL") < moved:
        assert time.monotonic() < deadline, "the move does not go on"
        await asyncio.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


async def _done(client: httpx.AsyncClient, where: str, status: str) -> dict[str, Any]:
    deadline = time.monotonic() + WITHIN
    while (found := (await client.get(where)).raise_for_status().json())["status"] != status:
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.1)
    return {name: found[name] for name in ("verdicts", "moved", "undone", "kept")}


async def _rows(connection: asyncpg.Connection[Any], definition: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(ROWS, definition)]


@pytest.mark.parametrize("seed", ROUNDS)
async def test_a_worker_dies_while_it_moves_executions(postgres: Postgres, seed: int) -> None:
    """Nobody is moved twice, forgotten or left between the revisions; undone, and gone on with, it is the same too."""
    with cluster(postgres.url) as system:
        _, url = system.serve()
        doomed = system.worker()
        client = Client(system)
        connection = await asyncpg.connect(postgres.url)
        async with httpx.AsyncClient(base_url=url, headers=client.headers, timeout=WITHIN) as http:
            ids = await _resting(client, url, "disturbed")
            moves = f"/definitions/{client.definition_id}/migrations"
            asked = asyncio.create_task(http.post(moves, json=WISH))
            await _killed_after(connection, doomed, 1 + 11 * seed)
            at_death = await connection.fetchval("SELECT count(*) FROM execution_move WHERE moved_at IS NOT NULL")
            assert at_death < EXECUTIONS, "it was killed too late to prove anything"
            system.worker()
            disturbed, where = client.definition_id, f"{moves}/{(await asked).raise_for_status().json()['id']}"
            came_to = await _done(http, where, "DONE")

            await _resting(client, url, "undisturbed")
            moves = f"/definitions/{client.definition_id}/migrations"
            other = f"{moves}/{(await http.post(moves, json=WISH)).raise_for_status().json()['id']}"
            assert await _done(http, other, "DONE") == came_to
            assert came_to["moved"] == EXECUTIONS
            assert await _rows(connection, disturbed) == await _rows(connection, client.definition_id)

            went_on = (await http.post(f"/workflows/{ids[0]}/events/paid", json={"amount": 5})).json()
            assert went_on["status"] == "COMPLETED"
            (await http.post(f"{where}/undo", json={})).raise_for_status()
            undone = await _done(http, where, "UNDONE")
            assert (undone["undone"], undone["kept"]) == (EXECUTIONS - 1, 1)
        revisions = await connection.fetch(
            "SELECT r.number, count(*) FROM execution e JOIN revision r ON r.id = e.revision_id "
            "WHERE e.definition_id = $1 GROUP BY r.number ORDER BY r.number",
            disturbed,
        )
        assert [tuple(row) for row in revisions] == [(1, EXECUTIONS - 1), (2, 1)]
        await connection.close()
