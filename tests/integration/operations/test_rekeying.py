"""What an older key had encrypted is encrypted with the first one, wherever it is; nothing else changes."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import asyncpg

from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox
from passerelle.operations.rekeying import rekey

OLD, NEW = "o" * 32, "n" * 32
STATE = {"sealed": {"main": {"asked": {"Set-Cookie": ""}}}, "lanes": {"main": 1}}


async def kept(url: str, workspace_id: UUID, box: SecretBox, execution_id: UUID) -> None:
    """A secret, a consent and a credential of a running execution, encrypted with the box's first key."""
    consent = {"hash": "h", "sealed": base64.b64encode(box.encrypt(b"the terms" * 40)).decode()}
    state = {**STATE, "sealed": {"main": {"asked": {"Set-Cookie": box.encrypt(b"session=1").decode()}}}}
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(
            "INSERT INTO workspace_secret (workspace_id, name, value, updated_at, updated_by)"
            " VALUES ($1, 'KEY', $2, now(), 'test')",
            workspace_id, box.encrypt(b"of the register"),
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO execution (workspace_id, id, definition_id, revision_id, status, execution_type, seq, state,"
            " parameters, origin, created_at, updated_at)"
            " VALUES ($1, $2, $3, $3, 'RUNNING', 'BACKGROUND', 1, $4, '{}', 'API', now(), now())",
            workspace_id, execution_id, new_id(), json.dumps(state),
        )  # fmt: skip
        for kind, visit in (("consent", 1), ("set", 2)):
            await connection.execute(
                "INSERT INTO step_run (workspace_id, execution_id, step, visit, attempt, ordinal, kind, status, input,"
                " started_at, ended_at) VALUES ($1, $2, 'terms', $3, 1, $3, $4, 'COMPLETED', $5, now(), now())",
                workspace_id, execution_id, visit, kind, json.dumps(consent),
            )  # fmt: skip
    finally:
        await connection.close()


async def test_the_old_key_can_go(database: Database, database_url: str, workspace_id: UUID) -> None:
    old, both, new = SecretBox([OLD]), SecretBox([NEW, OLD]), SecretBox([NEW])
    execution_id = new_id()
    await kept(database_url, workspace_id, old, execution_id)

    done = await rekey(database_url, both)
    counts = {"workspace_secret.value", "what people agreed to", "credentials that running executions hold"}
    assert {name: done.places[name] for name in counts} == dict.fromkeys(counts, (1, 0, 0))
    again = await rekey(database_url, new)
    assert {name: again.places[name] for name in counts} == dict.fromkeys(counts, (0, 1, 0))

    async with database.workspace(workspace_id) as connection:
        state = json.loads(await connection.fetchval("SELECT state::text FROM execution WHERE id = $1", execution_id))
        inputs = await connection.fetch(
            "SELECT input ->> 'sealed' AS sealed, input ->> 'hash' AS hash FROM step_run ORDER BY visit"
        )
    assert new.decrypt(state["sealed"]["main"]["asked"]["Set-Cookie"].encode()) == b"session=1"
    assert state["lanes"] == STATE["lanes"]
    assert new.decrypt(base64.b64decode(inputs[0]["sealed"])) == b"the terms" * 40
    assert [row["hash"] for row in inputs] == ["h", "h"]
    assert old.decrypt(base64.b64decode(inputs[1]["sealed"])), "what only looks like it is somebody's own text"


async def test_what_no_key_opens_is_told_and_left(database: Database, database_url: str, workspace_id: UUID) -> None:
    await kept(database_url, workspace_id, SecretBox([OLD]), new_id())
    done = await rekey(database_url, SecretBox([NEW]))
    assert done.places["workspace_secret.value"] == (0, 0, 1)
    assert done.closed.total() == 3
    async with database.workspace(workspace_id) as connection:
        value = await connection.fetchval("SELECT value FROM workspace_secret WHERE workspace_id = $1", workspace_id)
    assert SecretBox([OLD]).decrypt(value) == b"of the register"
