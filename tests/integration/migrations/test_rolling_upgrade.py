"""An installation is upgraded while it answers: processes of two releases work side by side, and no request fails.

The processes are of this release; the newer release is this one with migrations and a trigger more. So it is this
release's code that runs on a schema which it does not know, as the code of each release does while the next one comes.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest

from passerelle.events.restored import bring_back_numbers
from passerelle.migrations.schema import migrate
from passerelle.migrations.tenancy import isolation
from tests.integration.migrations import releases
from tests.integration.migrations.releases import migration, newest, restore, with_more

PASSERELLE = [str(Path(sys.executable).with_name("passerelle"))]
MORE = (
    "ALTER TABLE execution ADD COLUMN priority integer NOT NULL DEFAULT 0, ADD COLUMN note text",
    "CREATE TABLE announcement (workspace_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (workspace_id, id))",
    *isolation("announcement"),
)
TRIGGER = """
CREATE OR REPLACE FUNCTION note_execution() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := 'seen';
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER note_execution BEFORE UPDATE OF status ON execution FOR EACH ROW
EXECUTE FUNCTION note_execution();
"""


@dataclass
class Traffic:
    """Requests to one process, one after the other until it is told to stop."""

    base_url: str
    failed: list[str] = field(default_factory=list)
    rounds: int = 0
    answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        headers = {"Authorization": f"Bearer {releases.TOKEN}", "Accept": "application/json;version=2"}
        async with httpx.AsyncClient(base_url=self.base_url, headers=headers, timeout=60) as client:
            while True:
                for method, path, body in self._requests():
                    try:
                        answer = await client.request(method, path, json=body)
                    except httpx.HTTPError as error:
                        self.failed.append(f"{method} {path}: {error!r}")
                    else:
                        if answer.status_code >= 400:
                            self.failed.append(f"{method} {path}: {answer.status_code} {answer.text}")
                async with self.answered:
                    self.rounds += 1
                    self.answered.notify_all()

    def _requests(self) -> list[tuple[str, str, object]]:
        port = self.base_url.rsplit(":", 1)[-1]
        supplier = {"name": "Acme", "vat": f"{port}-{self.rounds}", "score": self.rounds}
        onboarding = {"firstName": "Ada", "email": "ada@example.com"}
        return [
            ("POST", "/workflows", {"workflowDefinitionId": releases.CHECK, "parameters": {"nip": "1111111111"}}),
            ("POST", "/tables/suppliers/records", supplier),
            ("POST", "/link", {"workflowDefinitionId": releases.ONBOARDING, "parameters": onboarding}),
            ("GET", "/workflows", None),
            ("GET", "/webhooks/deliveries", None),
            ("GET", "/deprecations", None),
        ]

    async def until(self, rounds: int) -> None:
        """Wait until so many further rounds have been answered."""
        wanted = self.rounds + rounds
        async with asyncio.timeout(60), self.answered:
            await self.answered.wait_for(lambda: self.rounds >= wanted)


class Installation:
    """Processes on one database."""

    def __init__(self, url: str, folder: Path, newer: Path) -> None:
        self._environment = {
            **os.environ,
            "PASSERELLE_DATABASE_URL": url,
            "PASSERELLE_SECRET_KEY": releases.SECRET_KEY,
            "PASSERELLE_FILES_URL": str(folder / "files"),
        }
        self._newer = [sys.executable, "-m", "tests.integration.migrations.releases", str(newer)]
        self._log = folder / "log"
        self._started: list[subprocess.Popen[str]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.traffic: list[Traffic] = []

    async def start(self, command: str, *options: str, newer: bool = False) -> str:
        """Start a process and wait until it says that it runs. Returns what it said."""
        process = self._process(command, *options, newer=newer)
        assert process.stdout is not None
        return await asyncio.to_thread(process.stdout.readline)

    def _process(self, command: str, *options: str, newer: bool) -> subprocess.Popen[str]:
        with self._log.open("a") as log:
            process = subprocess.Popen(
                [*(self._newer if newer else PASSERELLE), command, *options],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._started.append(process)
        return process

    async def serve(self, *, newer: bool = False) -> Traffic:
        """A process that answers, under traffic from now on."""
        said = await self.start("serve", "--port=0", newer=newer)
        assert "answers at" in said, self._log.read_text()[-2000:]
        traffic = Traffic(said.split()[-1])
        self.traffic.append(traffic)
        self._tasks.append(asyncio.create_task(traffic.run()))
        return traffic

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for process in self._started:
            process.terminate()
        for process in self._started:
            await asyncio.to_thread(process.wait, 30)
            assert process.stdout is not None
            process.stdout.close()


@pytest.mark.timeout(400)
async def test_no_request_fails_while_two_releases_run_side_by_side(empty_url: str, tmp_path: Path) -> None:
    await restore(empty_url)
    await migrate(empty_url)
    await bring_back_numbers(empty_url)
    newer = with_more(
        tmp_path / "newer",
        migration("0900_more", newest(), *MORE),
        migration("0901_index", "0900_more", online="index('execution_by_priority', 'execution (workspace_id, priority)')"),
        functions={"note": TRIGGER},
    )  # fmt: skip
    installation = Installation(empty_url, tmp_path, tmp_path / "newer")
    try:
        old = await installation.serve()
        assert "worker runs" in await installation.start("worker")
        await old.until(2)
        await migrate(empty_url, newer)
        await old.until(2)
        new = await installation.serve(newer=True)
        assert "worker runs" in await installation.start("worker", newer=True)
        restarted = await installation.serve()
        assert "worker runs" in await installation.start("worker")
        for traffic in (old, new, restarted):
            await traffic.until(2)
        assert [failure for traffic in installation.traffic for failure in traffic.failed] == []
    finally:
        await installation.close()
    connection = await asyncpg.connect(empty_url)
    noted = await connection.fetchval("SELECT count(*) FROM execution WHERE note = 'seen'")
    await connection.close()
    assert noted > 0, "the newer release's trigger works for executions of both"


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
async def test_a_process_that_would_break_says_so_and_does_not_start(
    database_url: str, tmp_path: Path, command: str
) -> None:
    newer = with_more(
        tmp_path / "newer",
        migration("0900_gone", newest(), "ALTER TABLE record_comment DROP COLUMN text", breaks="themes are elsewhere"),
    )
    await migrate(database_url, newer)
    environment = {**os.environ, "PASSERELLE_DATABASE_URL": database_url, "PASSERELLE_SECRET_KEY": releases.SECRET_KEY}
    options = ["--port=0"] if command == "serve" else []
    ended = await asyncio.to_thread(
        subprocess.run,
        [*PASSERELLE, command, *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "since 0900_gone themes are elsewhere. Install at least release 9.0.0" in ended.stderr
