"""Saved views: one's own are one's own, shared ones are everybody's to see and their maker's to change."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from passerelle.accounts.permissions import EVERYTHING
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.http import stack
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox
from passerelle.views import service
from passerelle.views.endpoints import router
from passerelle.views.repository import ViewRepository
from passerelle.views.service import Views

WORKSPACES = {"anna": UUID(int=1), "ben": UUID(int=1), "keeper": UUID(int=1), "stranger": UUID(int=2)}
VIEW = {"page": "/records/customers", "name": "New ones", "search": {"where": [{"field": "status"}], "kind": "board"}}


class ByName:
    """Takes the header for the person's name."""

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        name = (authorization or b"").decode()
        allowed = EVERYTHING if name == "keeper" else EVERYTHING - {"can_manage_tables"}
        return Principal(WORKSPACES[name], UUID(int=len(name)), name, permissions=allowed)


@pytest.fixture
async def app(database: Database) -> FastAPI:
    app, box = FastAPI(), SecretBox(["a-key-for-tests-of-thirty-two-characters"])
    stack.install(app, authenticator=ByName(), database=database, box=box)
    app.include_router(router(Views(ViewRepository(database), MovedClock())))
    return app


async def call(app: FastAPI, who: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://passerelle.test", headers={"Authorization": who, **headers}
    ) as client:
        answer = await client.request(method, path, json=body)
        return answer.status_code, answer.json() if answer.content else None


async def names(app: FastAPI, who: str) -> list[str]:
    _, found = await call(app, who, "GET", "/views?page=/records/customers")
    return [view["name"] for view in found["data"]]


async def test_own_views_are_seen_by_their_maker_and_shared_ones_by_the_workspace(app: FastAPI) -> None:
    status, own = await call(app, "anna", "POST", "/views", VIEW)
    assert (status, own["mine"], own["owner"], own["search"]) == (201, True, "anna", VIEW["search"])
    await call(app, "anna", "POST", "/views", VIEW | {"name": "Of all", "shared": True})
    assert await names(app, "anna") == ["New ones", "Of all"]
    assert await names(app, "ben") == ["Of all"]
    assert await names(app, "stranger") == []
    for who in ("ben", "stranger"):
        assert (await call(app, who, "GET", f"/views/{own['id']}"))[0] == 404
        assert (await call(app, who, "DELETE", f"/views/{own['id']}"))[0] == 404


async def test_a_shared_view_is_changed_by_its_maker_and_by_who_manages_tables(app: FastAPI) -> None:
    _, shared = await call(app, "anna", "POST", "/views", VIEW | {"shared": True})
    address = f"/views/{shared['id']}"
    assert (await call(app, "ben", "PATCH", address, {"name": "x"}))[1]["errors"][0]["code"] == "VIEW_NOT_YOURS"
    assert (await call(app, "ben", "DELETE", address))[0] == 403
    assert (await call(app, "keeper", "PATCH", address, {"shared": False}))[0] == 403
    status, renamed = await call(app, "keeper", "PATCH", address, {"name": "Kept"}, **{"If-Match": '"1"'})
    assert (status, renamed["name"], renamed["owner"], renamed["version"]) == (200, "Kept", "anna", 2)
    status, refused = await call(app, "anna", "PATCH", address, {"name": "Old"}, **{"If-Match": '"1"'})
    assert (status, refused["errors"][0]["code"]) == (412, "VIEW_VERSION_CONFLICT")
    assert (await call(app, "anna", "DELETE", address))[0] == 204
    assert await names(app, "ben") == []


async def test_views_are_bounded_in_number_and_size(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_VIEWS", 2)
    for number in range(2):
        assert (await call(app, "anna", "POST", "/views", VIEW | {"name": str(number)}))[0] == 201
    status, refused = await call(app, "anna", "POST", "/views", VIEW)
    assert (status, refused["errors"][0]["code"]) == (409, "VIEWS_TOO_MANY")
    assert (await call(app, "ben", "POST", "/views", VIEW))[0] == 201
    large = VIEW | {"name": "large", "shared": True, "search": {"text": "x" * 20_000}}
    assert (await call(app, "anna", "POST", "/views", large))[1]["errors"][0]["code"] == "VIEW_TOO_LARGE"
    for page in ("records", "https://evil.example", "/records/ü", "/a?b=c"):
        assert (await call(app, "anna", "POST", "/views", VIEW | {"page": page}))[0] == 400


async def test_sent_again_with_its_key_a_view_is_one(app: FastAPI) -> None:
    again = {"Idempotency-Key": str(new_id())}
    made = [await call(app, "anna", "POST", "/views", VIEW, **again) for _ in range(2)]
    assert made[0][1]["id"] == made[1][1]["id"]
    assert await names(app, "anna") == ["New ones"]
