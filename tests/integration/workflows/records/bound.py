"""Definitions that concern records, in one call each; a refusal that was not expected fails the test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.integration.secrets.product import Product

CUSTOMERS: dict[str, Any] = {
    "name": "customers",
    "fields": [
        {"name": "number", "type": "text", "required": True, "unique": True},
        {"name": "email", "type": "email", "pii": "contact"},
        {"name": "age", "type": "integer"},
        {"name": "status", "type": "singleSelect", "options": ["new", "approved"], "default": "new"},
        {"name": "owner", "type": "assignee"},
    ],
}


@dataclass(frozen=True)
class Bound:
    """A workspace whose definitions and records a test writes."""

    product: Product

    async def call(self, method: str, path: str, body: Any = None, status: int | None = None, **more: Any) -> Any:
        answer = await self.product.api.request(method, path, json=body, **more)
        expected = answer.status_code == status if status is not None else answer.is_success
        assert expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, status: int = 400, **more: Any) -> list[Any]:
        answer = await self.call(method, path, body, status, **more)
        return [(error["code"], error.get("pointer")) for error in answer["errors"]]

    async def table(self, **changes: Any) -> Any:
        return await self.call("POST", "/tables", CUSTOMERS | changes, 201)

    async def add(self, table: str = "customers", **values: Any) -> Any:
        return await self.call("POST", f"/tables/{table}/records", values, 201)

    async def read(self, record_id: str, table: str = "customers") -> Any:
        return await self.call("GET", f"/tables/{table}/records/{record_id}")

    async def records(self, table: str = "customers") -> list[Any]:
        listed: list[Any] = (await self.call("GET", f"/tables/{table}/records"))["data"]
        return listed

    async def push(self, text: str) -> str:
        pushed = await self.product.push(text)
        assert pushed.status_code in (200, 201), pushed.text
        name: str = pushed.json()["id"]
        return name

    async def run(self, text: str, record_id: str | None = None, **parameters: Any) -> Any:
        """Push a definition, run it, and read its execution."""
        body: dict[str, Any] = {"workflowDefinitionId": await self.push(text), "parameters": parameters}
        if record_id is not None:
            body["recordId"] = record_id
        answer = await self.call("POST", "/workflows/run", body)
        return await self.call("GET", f"/workflows/{answer['id']}")

    async def result(self, execution: Any) -> Any:
        return (await self.call("GET", f"/workflows/{execution['id']}/result"))["result"]

    async def timeline(self, execution: Any) -> Any:
        return await self.call("GET", f"/workflows/{execution['id']}/timeline")

    async def failure(self, execution: Any) -> tuple[str, str]:
        assert execution["status"] == "FAILED", execution
        return execution["error"]["code"], execution["error"]["message"]
