"""Whoever waits in vain for a connection is told that, and holds up nobody after."""

from __future__ import annotations

import pytest

from passerelle.kit import database as database_module
from passerelle.kit.database import Database, NoConnectionFreeError


async def test_whoever_waits_too_long_for_a_connection_is_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "WAITING", 0.2)
    database = await Database.open(database_url, size=2)
    try:
        async with database.shared(), database.shared():
            with pytest.raises(NoConnectionFreeError):
                async with database.shared():
                    pass
        async with database.shared() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.close()
