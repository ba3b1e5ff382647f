"""Values of secrets in memory: few seconds, never older than a change made here, never without their owner."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import cast
from uuid import UUID

import pytest

from passerelle.engine.kinds import StepFailure
from passerelle.kit.errors import PasserelleError
from passerelle.kit.memory import AGE, Memory
from passerelle.kit.secrets import SecretBox, generate_key
from passerelle.secrets.repository import SecretRepository
from passerelle.secrets.service import Secrets

MINE, THEIRS = UUID(int=1), UUID(int=2)


class Rows:
    """The table, in memory; `gate` holds reads back."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UUID, str], bytes] = {}
        self.reads = 0
        self.reading = asyncio.Event()
        self.gate: asyncio.Event | None = None

    async def put(self, workspace_id: UUID, name: str, encrypted: bytes, now: datetime, by: str) -> None:
        self.rows[workspace_id, name] = encrypted

    async def delete(self, workspace_id: UUID, name: str) -> bool:
        return self.rows.pop((workspace_id, name), None) is not None

    async def encrypted(self, workspace_id: UUID) -> dict[str, bytes]:
        self.reads += 1
        self.reading.set()
        found = {name: value for (owner, name), value in self.rows.items() if owner == workspace_id}
        if self.gate is not None:
            await self.gate.wait()
        return found


class Timer:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def secrets(rows: Rows, timer: Timer) -> Secrets:
    return Secrets(cast("SecretRepository", rows), SecretBox([generate_key()]), memory=Memory(timer))


async def test_values_are_read_once_in_a_few_seconds(secrets: Secrets, rows: Rows, timer: Timer) -> None:
    await secrets.put(MINE, "KEY", "value", "me")
    assert await secrets.values(MINE) == await secrets.values(MINE) == {"KEY": "value"}
    assert rows.reads == 1
    timer.now += AGE
    await secrets.values(MINE)
    assert rows.reads == 2


async def test_a_change_made_here_is_seen_at_once(secrets: Secrets) -> None:
    await secrets.put(MINE, "KEY", "old", "me")
    await secrets.values(MINE)
    await secrets.put(MINE, "KEY", "new", "me")
    assert await secrets.values(MINE) == {"KEY": "new"}
    await secrets.delete(MINE, "KEY")
    assert await secrets.values(MINE) == {}


async def test_a_read_that_a_change_overtakes_is_not_kept(secrets: Secrets, rows: Rows) -> None:
    """The read begins before the change and ends after it: what it found is old."""
    await secrets.put(MINE, "KEY", "old", "me")
    rows.gate = asyncio.Event()
    reading = asyncio.create_task(secrets.values(MINE))
    await rows.reading.wait()
    await secrets.put(MINE, "KEY", "new", "me")
    rows.gate.set()
    await reading
    assert await secrets.values(MINE) == {"KEY": "new"}


async def test_nothing_of_another_workspace_is_given(secrets: Secrets) -> None:
    await secrets.put(MINE, "KEY", "mine", "me")
    assert await secrets.values(THEIRS) == {}
    assert await secrets.values(MINE) == {"KEY": "mine"}


async def test_what_is_stored_is_not_the_value(secrets: Secrets, rows: Rows) -> None:
    await secrets.put(MINE, "KEY", "plain-value", "me")
    assert b"plain-value" not in rows.rows[MINE, "KEY"]


async def test_a_value_that_no_key_decrypts_fails_the_step_and_says_what_to_do(rows: Rows) -> None:
    await Secrets(cast("SecretRepository", rows), SecretBox([generate_key()])).put(MINE, "KEY", "value", "me")
    other = Secrets(cast("SecretRepository", rows), SecretBox([generate_key()]))
    with pytest.raises(StepFailure, match="put the key that it was encrypted with back into the list") as failed:
        await other.values(MINE)
    assert (failed.value.code, failed.value.reason) == ("SECRET_UNREADABLE", None)


async def test_kept_values_do_not_show_where_objects_are_printed(secrets: Secrets) -> None:
    await secrets.put(MINE, "KEY", "plain-value", "me")
    await secrets.values(MINE)
    assert "plain-value" not in repr(vars(secrets))


@pytest.mark.parametrize("name", ["", "key", "1KEY", "_KEY", "MY-KEY", "K" * 65, "KEY ", "KEY\n", "ÄKEY", "K/Y"])
async def test_a_name_that_is_none_is_refused(secrets: Secrets, rows: Rows, name: str) -> None:
    for attempt in (secrets.put(MINE, name, "value", "me"), secrets.delete(MINE, name)):
        with pytest.raises(PasserelleError, match="1 to 64 capital letters, digits and `_`"):
            await attempt
    assert rows.rows == {}
