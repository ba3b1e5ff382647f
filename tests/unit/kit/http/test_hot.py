"""A hot endpoint answers as the same endpoint does that is not marked, whatever it is sent."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from passerelle.kit.http import errors, stack
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Authentication, Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.context import RequestContext
from passerelle.kit.http.hot import hot
from passerelle.kit.http.idempotency import IdempotentId
from passerelle.kit.http.permissions import Requires

PERMITTED = Principal(uuid4(), uuid4(), "key", 2, permissions=frozenset({"can_run"}))
ID = "4b7ead88-50a5-465e-878d-030630b364f3"


class Wanted(Body):
    """What is sent."""

    some_id: UUID
    """An id."""
    values: dict[str, object] | None = None
    """Whatever."""


class Given(Answer):
    """What is answered."""

    some_id: UUID
    """The id that was sent."""
    values: dict[str, object] | None
    """What was sent."""


class _Everybody:
    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        return PERMITTED


def _application() -> FastAPI:
    routes = APIRouter(route_class=ApiRoute)

    async def answered(
        caller: Annotated[Principal, Requires("can_run")], body: JsonBody[Wanted], new_id: IdempotentId
    ) -> Given:
        return Given(some_id=body.some_id, values=body.values)

    async def plain(
        caller: Annotated[Principal, Requires("can_run")], body: JsonBody[Wanted], new_id: IdempotentId
    ) -> Given:
        return await answered(caller, body, new_id)

    routes.post("/plain")(plain)
    routes.post("/hot")(hot(answered))
    app = FastAPI()
    stack.serve(app, routes)
    errors.install(app)
    app.add_middleware(Authentication, authenticator=_Everybody())
    app.add_middleware(errors.ErrorBoundary)
    app.add_middleware(RequestContext)
    return app


@pytest.mark.parametrize(
    "content",
    [
        f'{{"someId":"{ID}"}}',
        f'{{"someId":"{ID}","values":{{"a":[1,2.5,null,"ż"]}}}}',
        f'{{"someId":"{ID}","values":null}}',
        f'{{"someId":"{ID}","other":1}}',
        f'{{"someId":"{ID}","values":{{"a":1,"a":2}}}}',
        f'{{"someId":"{ID}","values":{{"a":12345678901234567890123}}}}',
        f'{{"someId":"{ID}","values":{{"a":9223372036854775807}}}}',
        f'{{"someId":"{ID}","values":{{"a":9223372036854775808}}}}',
        f'{{"someId":"{ID}","values":{{"a":-9223372036854775809}}}}',
        f'{{"someId":"{ID}","values":{{"a":1e300}}}}',
        f'{{"someId":"{ID}","values":{{"a":"\\u0000"}}}}',
        '{"someId":"x","values":3}',
        "{}",
        "[]",
        "",
        "{",
        '{"someId":' + "[" * 3000,
    ],
)
async def test_both_ways_give_the_same_answer(content: str) -> None:
    transport = httpx.ASGITransport(_application())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answers = [
            await client.post(
                path, content=content, headers={"Content-Type": "application/json", "X-Request-Id": "one"}
            )
            for path in ("/plain", "/hot")
        ]
    plain, straight = answers
    assert straight.status_code == plain.status_code
    # Each error has a fingerprint of its own.
    assert {**straight.json(), "fingerprint": None} == {**plain.json(), "fingerprint": None}
    assert straight.headers["content-type"] == plain.headers["content-type"]


def test_an_endpoint_that_declares_more_cannot_be_hot() -> None:
    async def more(caller: Annotated[Principal, Requires("can_run")], body: JsonBody[Wanted], q: int = 0) -> Given:
        raise NotImplementedError

    with pytest.raises(TypeError, match="`more` is hot"):
        APIRouter(route_class=ApiRoute).post("/more")(hot(more))
