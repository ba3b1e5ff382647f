"""What endpoints require: declared in their signature, checked before they run, told in the document."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI

from passerelle.kit.http import errors, openapi
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Authentication, Principal
from passerelle.kit.http.context import RequestContext
from passerelle.kit.http.permissions import Public, Requires, is_public, required_permission


class Reader:
    """Everybody may read, and nothing else."""

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        return Principal(UUID(int=1), UUID(int=2), "reader", permissions=frozenset({"can_read"}))


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(openapi_url=None)
    errors.install(made)
    made.add_middleware(Authentication, authenticator=Reader())
    made.add_middleware(RequestContext)
    routes = APIRouter(route_class=ApiRoute)

    @routes.get("/things")
    async def list_things(caller: Annotated[Principal, Requires("can_read")]) -> str:
        """Things."""
        return caller.name

    @routes.post("/things")
    async def make_thing(caller: Annotated[Principal, Requires("can_write")]) -> str:
        """Make one."""
        raise AssertionError("it was not allowed")

    @routes.get("/open", dependencies=[Public])
    async def read_openly() -> str:
        """Nothing."""
        return "nothing"

    made.include_router(routes)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://passerelle.test") as made:
        yield made


async def test_who_has_the_permission_is_handed_over(client: httpx.AsyncClient) -> None:
    answer = await client.get("/things")

    assert (answer.status_code, answer.json()) == (200, "reader")


async def test_who_has_it_not_is_told_its_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/things")

    assert answer.status_code == 403
    (problem,) = answer.json()["errors"]
    assert problem["code"] == "PERMISSION_DENIED"
    assert "`can_write`" in problem["message"]


def test_the_document_tells_what_each_needs(app: FastAPI) -> None:
    paths = openapi.describe(app)["paths"]

    needed = paths["/things"]["post"]
    assert needed["x-permission"] == "can_write"
    assert needed["description"].endswith("Requires `can_write`.")
    assert needed["security"] == [{"bearer": ["can_write"]}]
    assert paths["/open"]["get"]["security"] == []
    assert "x-permission" not in paths["/open"]["get"]


def test_an_endpoint_without_a_declaration_is_told_apart() -> None:
    async def forgotten() -> None:
        """Nothing."""

    assert required_permission(forgotten, []) is None
    assert not is_public(forgotten, [])
    assert not is_public(forgotten, [Depends(forgotten)])
