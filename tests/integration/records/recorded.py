"""A client that speaks for one workspace, and the routes under test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI

CUSTOMERS: dict[str, Any] = {
    "name": "customers",
    "fields": [
        {"name": "name", "type": "text", "required": True},
        {"name": "number", "type": "text", "unique": True},
        {"name": "age", "type": "integer", "indexed": True},
        {"name": "status", "type": "singleSelect", "options": ["new", "approved"], "default": "new", "indexed": True},
    ],
}


@dataclass(frozen=True)
class Api:
    """What a client of one workspace does, in one call each; a refusal that was not expected fails the test."""

    client: httpx.AsyncClient
    workspace_id: UUID

    @classmethod
    @asynccontextmanager
    async def opened(cls, app: FastAPI, name: str) -> AsyncIterator[Api]:
        workspace = await app.state.accounts.create_workspace(name)
        token = (await app.state.accounts.create_token(workspace.id, name)).secret
        transport = httpx.ASGITransport(app)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://passerelle.test", headers=headers) as client:
            yield cls(client, workspace.id)

    async def call(self, method: str, path: str, body: Any = None, status: int | None = None, **more: Any) -> Any:
        """The answer's JSON. `status` is the one expected; any success without it."""
        answer = await self.client.request(method, path, json=body, **more)
        expected = answer.status_code == status if status is not None else answer.is_success
        assert expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, status: int = 400, **more: Any) -> list[Any]:
        """The errors of a call that must be refused: code and pointer, or code alone."""
        answer = await self.call(method, path, body, status, **more)
        return [(error["code"], error.get("pointer")) for error in answer["errors"]]

    async def table(self, **changes: Any) -> Any:
        return await self.call("POST", "/tables", CUSTOMERS | changes, 201)

    async def add(self, values: Any, table: str = "customers") -> Any:
        return await self.call("POST", f"/tables/{table}/records", values, 201)
