"""Parameters of an address: none is dropped in silence, and all that is wrong is told at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response

from passerelle.kit.http import errors
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.pages import DEFAULT_LIMIT, After, Limit


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    routes = APIRouter(route_class=ApiRoute)

    @routes.get("/things")
    async def things(
        request: Request,
        status: Literal["OPEN", "DONE"] | None = None,
        created_from: Annotated[str | None, Query(alias="createdFrom")] = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Response:
        return json_answer({"limit": limit, "status": status})

    @routes.get("/things/{thing_id}")
    async def thing(request: Request, thing_id: str) -> Response:
        return json_answer({"id": thing_id})

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    errors.install(app)
    app.include_router(routes)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://passerelle.test") as opened:
        yield opened


async def problems(client: httpx.AsyncClient, address: str) -> list[tuple[str, str]]:
    answer = await client.get(address)
    assert answer.status_code == 400
    found: list[dict[str, Any]] = answer.json()["errors"]
    return [(one["code"], one["message"]) for one in found]


async def test_a_misspelt_filter_is_refused_with_its_nearest_neighbour(client: httpx.AsyncClient) -> None:
    assert await problems(client, "/things?statsu=OPEN") == [
        ("QUERY_INVALID", "`statsu`: there is no such parameter here; did you mean `status`?")
    ]


async def test_a_parameter_that_resembles_none_is_refused_with_those_that_there_are(client: httpx.AsyncClient) -> None:
    assert await problems(client, "/things?zzz=1") == [
        (
            "QUERY_INVALID",
            "`zzz`: there is no such parameter here; there are `after`, `createdFrom`, `limit`, `status`",
        )
    ]


async def test_all_that_is_wrong_is_told_at_once(client: httpx.AsyncClient) -> None:
    found = await problems(client, "/things?zzz=1&status=NOPE&limit=501")

    assert [code for code, _ in found] == ["QUERY_INVALID", "LIMIT_INVALID", "QUERY_INVALID"]
    assert found[1][1] == "`limit` must be a whole number from 1 to 500, not `501`"


async def test_known_parameters_pass_and_a_limit_is_a_number(client: httpx.AsyncClient) -> None:
    assert (await client.get("/things?limit=7&createdFrom=x")).json() == {"limit": 7, "status": None}
    assert (await client.get("/things")).json() == {"limit": 25, "status": None}


async def test_an_endpoint_without_parameters_takes_what_old_clients_append(client: httpx.AsyncClient) -> None:
    assert (await client.get("/things/1?_=1700000000")).status_code == 200


async def test_of_a_parameter_that_comes_twice_one_value_counts_everywhere_and_is_validated(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/things?limit=7&limit=9")).json() == {"limit": 9, "status": None}
    assert [code for code, _ in await problems(client, "/things?limit=7&limit=501")] == ["LIMIT_INVALID"]
