"""`PASSERELLE_SECRET_KEY` is changed under load, process by process: nobody is signed out, and nothing cannot be read."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator

import asyncpg
import httpx
import pytest

from passerelle.kit.secrets import SecretBox
from tests.crash.harness import SECRET_KEY, Client, Cluster, all_end, cluster

NEW_KEY = "n" * 40
KEYS = (SECRET_KEY, f"{SECRET_KEY},{NEW_KEY}", f"{NEW_KEY},{SECRET_KEY}", NEW_KEY)
"""First all know the new one, then it signs and encrypts, then the old one goes."""


@pytest.fixture
def processes(database_url: str) -> Iterator[Cluster]:
    with cluster(database_url, delay=0.05) as made:
        yield made


def definition(url: str) -> str:
    """Four steps, as the harness counts them, with a secret in the call."""
    return f"""
name: rotated
parameters:
  number: {{type: number, required: true}}
steps:
  - {{id: before, set: {{double: "${{parameters.number * 2}}"}}}}
  - {{id: first, http: {{url: "{url}/first", headers: {{X-Key: "${{secrets.REGISTER_TOKEN}}"}}}}}}
  - {{id: between, set: {{key: "${{steps.first.body.key}}"}}}}
  - {{id: second, http: {{url: "{url}/second", headers: {{X-Key: "${{secrets.REGISTER_TOKEN}}"}}}}}}
"""


@pytest.mark.timeout(400)
async def test_the_key_changes_and_nothing_is_lost(processes: Cluster, database_url: str) -> None:
    url, server, worker = await asyncio.to_thread(started, processes, KEYS[0])
    client = await asyncio.to_thread(Client, processes)
    await asyncio.to_thread(keep_secret, url, client)
    await asyncio.to_thread(client.push, url, definition(processes.register.url))
    access = await asyncio.to_thread(signed_in, processes, url)

    for keys in KEYS[1:]:
        running = asyncio.create_task(client.start_many([url], 30))
        again, next_server, next_worker = await asyncio.to_thread(started, processes, keys)
        for old in (server, worker):
            old.send_signal(signal.SIGTERM)
        await running
        url, server, worker = again, next_server, next_worker
        answer = await asyncio.to_thread(listed, url, access)
        # What the old key signed ends with it.
        assert answer.status_code == (401 if keys == NEW_KEY else 200), answer.text
        await asyncio.to_thread(processes.command, "rekey", environment={"PASSERELLE_SECRET_KEY": keys})

    await all_end(database_url, client.acknowledged, 60)
    assert set(processes.register.keys) == {"of-the-register"}
    found = await encrypted(database_url)
    assert found, "there is something that is encrypted"
    box = SecretBox.from_setting(NEW_KEY)
    assert {place for place, value in found if box.renewed(value) is not None} == set()


async def encrypted(url: str) -> list[tuple[str, bytes]]:
    """Everything in the database that begins as what is encrypted does, with the place where it is."""
    connection = await asyncpg.connect(url)
    try:
        columns = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'bytea'"
        )
        found = []
        for table, column in columns:
            values = await connection.fetch(
                f"SELECT {column} FROM {table} WHERE encode(substr({column}, 1, 5), 'escape') = 'gAAAA'"
            )
            found += [(f"{table}.{column}", row[0]) for row in values]
        return found
    finally:
        await connection.close()


def keep_secret(url: str, client: Client) -> None:
    answer = httpx.put(f"{url}/secrets/REGISTER_TOKEN", json={"value": "of-the-register"}, headers=client.headers)
    assert answer.is_success, answer.text


def listed(url: str, access: str) -> httpx.Response:
    return httpx.get(f"{url}/workflows", headers={"Authorization": f"Bearer {access}"})


def started(processes: Cluster, keys: str) -> tuple[str, subprocess.Popen[str], subprocess.Popen[str]]:
    """A server and a worker with these keys."""
    environment = {"PASSERELLE_SECRET_KEY": keys, "PASSERELLE_PUBLIC_URL": "https://passerelle.example"}
    server, url = processes.serve(environment=environment)
    return url, server, processes.worker(environment=environment)


def signed_in(processes: Cluster, url: str) -> str:
    """An access token, signed with the key of now."""
    workspace = processes.command("workspace", "create", "other")
    made = json.loads(processes.command("key", "create", workspace))
    answer = httpx.post(f"{url}/auth/authorize", json={"key": made["key"], "secret": made["secret"]})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["accessToken"])
