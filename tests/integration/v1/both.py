"""A client written for version 1 and one written for version 2, in one workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from passerelle.dev.mailcatcher.catcher import MailCatcher
from tests.integration.secrets.product import Product

CHECK = """
name: check
parameters: {amount: {type: number, default: 1}}
steps: [{id: sum, set: {double: "${parameters.amount * 2}"}}]
result: {double: "${steps.sum.double}"}
"""
FORM = """
name: sign-up
steps: [{id: company, form: {title: {en: Company}, schema: {type: object, properties: {name: {type: string}}}}}]
"""
PERSON: dict[str, Any] = {
    "firstName": "Anna",
    "lastName": "Nowak",
    "personalNumber": 44051401359,
    "email": "anna@example.com",
    "phone": {"countryCode": 48, "number": 600100200},
    "companyName": "Nowak sp. z o.o.",
    "companyNumber": "5252248481",
    "companyAddress": "Prosta 1, Warszawa",
}


@dataclass(frozen=True)
class Caller:
    """One client. Version 1's sends no `Accept` of its own, as old clients do."""

    api: httpx.AsyncClient
    headers: dict[str, str]

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = self.headers | more.pop("headers", {})
        return await self.api.request(method, path, json=body, headers=headers, **more)

    async def call(self, method: str, path: str, body: Any = None, status: int | None = None, **more: Any) -> Any:
        answer = await self.send(method, path, body, **more)
        expected = answer.status_code == status if status is not None else answer.is_success
        assert expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, body: Any = None, status: int = 400) -> list[Any]:
        answer = await self.call(method, path, body, status)
        return [(error["code"], error.get("pointer")) for error in answer["errors"]]


@dataclass(frozen=True)
class Both:
    """The workspace, its two clients, and the mail that it sends."""

    product: Product
    catcher: MailCatcher
    old_token: str

    @property
    def old(self) -> Caller:
        return Caller(self.product.api, {"Accept": "*/*", "Authorization": f"Bearer {self.old_token}"})

    @property
    def new(self) -> Caller:
        return Caller(self.product.api, {"Accept": "application/json;version=2"})

    async def push(self, text: str) -> str:
        pushed = await self.product.push(text)
        assert pushed.status_code in (200, 201), pushed.text
        name: str = pushed.json()["id"]
        return name

    async def case(self, **values: Any) -> Any:
        return await self.old.call("POST", "/cases", values, 201)

    async def file(self, name: str = "extract.txt", content: bytes = b"plain text") -> Any:
        answer = await self.product.api.post("/resources", files={"file": (name, content)})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def run(self, case_id: str, text: str = CHECK) -> Any:
        body = {"caseId": case_id, "workflowDefinitionId": await self.push(text)}
        return await self.old.call("POST", "/workflows/run", body, 200)
