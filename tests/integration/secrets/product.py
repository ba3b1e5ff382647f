"""The whole product in this process: its parts on a database of their own, and clients of two workspaces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

from passerelle.app.application import create_app
from passerelle.app.services import Services, open_services
from passerelle.app.settings import Settings
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox, generate_key
from tests.databases import scratch

BASE_URL = "http://passerelle.test"


@dataclass
class Product:
    """A workspace's client, a stranger's, and what is behind them."""

    services: Services
    app: FastAPI
    database_url: str
    workspace_id: UUID
    api: httpx.AsyncClient
    stranger: httpx.AsyncClient

    async def push(self, text: str, **query: str) -> httpx.Response:
        """Push a definition."""
        headers = {"Content-Type": "application/yaml"}
        return await self.api.post("/definitions", content=text.encode(), params=query, headers=headers)

    async def run(self, text: str, **parameters: Any) -> dict[str, Any]:
        """Push a definition that must be good, and run it."""
        pushed = await self.push(text)
        assert pushed.status_code in (200, 201), pushed.text
        body = {"workflowDefinitionId": pushed.json()["id"], "parameters": parameters}
        answer = await self.api.post("/workflows/run", json=body)
        assert answer.status_code == 200, answer.text
        started: dict[str, Any] = answer.json()
        return started


@asynccontextmanager
async def opened(
    server_url: str, template: str, way: Callable[[str], str] = str, **settings: Any
) -> AsyncIterator[tuple[Services, str]]:
    """The parts, and the database that they work on. `way`: the address by which the parts get there."""
    given = Settings(egress_allow="127.0.0.1", database_connections=4, **settings)
    async with (
        scratch(server_url, template, "product") as url,
        open_services(given, way(url), SecretBox([generate_key()])) as services,
    ):
        yield services, url


@lru_cache(maxsize=1)
def application(services: Services) -> FastAPI:
    """The application over them: to make one takes as long as a hundred requests, so tests of the same parts share it."""
    return create_app(services, BASE_URL)


@asynccontextmanager
async def joined(services: Services, database_url: str) -> AsyncIterator[Product]:
    """Two new workspaces."""
    app = application(services)
    owners = (new_id(), new_id())
    async with AsyncExitStack() as stack:
        clients = []
        for owner in owners:
            async with services.shared.database.workspace(owner) as connection:
                await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'test')", owner)
            token = (await services.accounts.create_token(owner, "ops", 2)).secret
            headers = {"Authorization": f"Bearer {token}"}
            client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE_URL, headers=headers)
            clients.append(await stack.enter_async_context(client))
        yield Product(services, app, database_url, owners[0], *clients)
