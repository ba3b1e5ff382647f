"""The role of the application: made where we may, asked for where not, and never shared by two installations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from passerelle.kit.database import Database
from passerelle.kit.ids import new_id
from passerelle.migrations.applied import SchemaError
from passerelle.migrations.schema import migrate


@dataclass(frozen=True)
class Managed:
    """An empty database that belongs to a login which may make no roles, as managed PostgreSQL gives it."""

    url: str
    login: str
    administrator: asyncpg.Connection


@pytest_asyncio.fixture(loop_scope="session")
async def managed(server_url: str) -> AsyncIterator[Managed]:
    name = f"managed_{uuid4().hex[:12]}"
    administrator = await asyncpg.connect(server_url)
    await administrator.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'managed'")
    await administrator.execute(f"GRANT {name} TO CURRENT_USER")
    await administrator.execute(f"CREATE DATABASE {name} OWNER {name}")
    parts = urlsplit(server_url)
    host = parts.netloc.rpartition("@")[2]
    yield Managed(parts._replace(netloc=f"{name}:managed@{host}", path=f"/{name}").geturl(), name, administrator)
    await administrator.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await administrator.close()


async def test_without_the_right_to_make_roles_one_line_for_the_administrator_is_enough(managed: Managed) -> None:
    with pytest.raises(SchemaError) as raised:
        await migrate(managed.url)
    line = str(raised.value).partition("Have an administrator run: ")[2]
    assert line == f'CREATE ROLE {managed.login}_app NOLOGIN; GRANT {managed.login}_app TO "{managed.login}";'
    await managed.administrator.execute(line)
    assert await migrate(managed.url) != []
    assert await migrate(managed.url) == []
    database = await Database.open(managed.url, size=2)
    workspace_id = new_id()
    async with database.workspace(workspace_id) as connection:
        assert await connection.fetchval("SELECT current_user") == f"{managed.login}_app"
        await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", workspace_id)
    async with database.workspace(new_id()) as connection:
        assert await connection.fetchval("SELECT count(*) FROM workspace") == 0
    await database.close()


async def test_a_role_that_the_administrator_made_is_taken_by_its_name(managed: Managed) -> None:
    role = f"made_{uuid4().hex[:12]}"
    await managed.administrator.execute(f"CREATE ROLE {role} NOLOGIN; GRANT {role} TO {managed.login}")
    await migrate(managed.url, role=role)
    database = await Database.open(managed.url, size=2)
    async with database.shared() as connection:
        assert await connection.fetchval("SELECT current_user") == role
    await database.close()
    with pytest.raises(SchemaError, match=f"tables were given to {role}"):
        await migrate(managed.url, role="another")
