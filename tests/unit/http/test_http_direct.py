"""The short way to an endpoint gives what the framework's way gives, and is taken only where both are the same."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response

from passerelle.errors import Code
from passerelle.kit.http import errors
from passerelle.kit.http.answers import json_answer
from passerelle.kit.http.direct import DirectRoutes

TEAPOT = Code("TEST_TEAPOT", 418, "For a test.")


def seen(request: Request, name: str) -> Response:
    template = getattr(request.scope["route"], "path", None)
    return json_answer({"name": name, "path": template, **request.path_params})


def application(*, direct: bool) -> FastAPI:
    app = FastAPI()
    routes = APIRouter()

    @routes.get("/things/special")
    async def special(request: Request, colour: str = "red") -> Response:
        return seen(request, f"special {colour}")

    @routes.get("/things/{thing_id}")
    async def one(request: Request) -> Response:
        return seen(request, "one")

    @routes.get("/things/{thing_id}/all/{rest:path}")
    async def below(request: Request) -> Response:
        return seen(request, "below")

    @routes.get("/things/{thing_id}/teapot")
    async def teapot(request: Request) -> Response:
        raise TEAPOT.error("short and stout")

    @routes.get("/things/{thing_id}/guarded", dependencies=[Depends(guard)])
    async def guarded(request: Request) -> Response:
        return seen(request, "guarded")

    @routes.post("/things/{thing_id}")
    async def body(request: Request) -> Response:
        return json_answer({"name": "body", "bytes": len(await request.body())})

    @routes.get("/things/{thing_id}/number")
    async def number(request: Request) -> Any:
        return 3

    app.include_router(routes)
    errors.install(app)
    if direct:
        app.add_middleware(DirectRoutes, application=app)
    return app


async def guard() -> None:
    raise TEAPOT.error("guarded")


REQUESTS = [
    ("GET", "/things/special"),
    ("GET", "/things/special?colour=blue"),
    ("GET", "/things/7"),
    ("GET", "/things/a%20b%2Fc"),
    ("GET", "/things/7/all/of/them"),
    ("GET", "/things/7/teapot"),
    ("GET", "/things/7/guarded"),
    ("GET", "/things/7/number"),
    ("POST", "/things/7"),
    ("DELETE", "/things/7"),
    ("GET", "/things/7/"),
    ("GET", "/nothing"),
    ("GET", "/"),
    ("HEAD", "/things/7"),
]


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_both_ways_answer_the_same(method: str, path: str) -> None:
    answers = []
    for direct in (False, True):
        transport = httpx.ASGITransport(application(direct=direct))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            answer = await client.request(method, path, content=b"x" if method == "POST" else None)
        shown = answer.json() if answer.content else None
        if isinstance(shown, dict):
            shown.pop("fingerprint", None)
        answers.append((answer.status_code, shown, answer.headers.get("allow")))
    assert answers[0] == answers[1]


async def test_an_endpoint_that_takes_only_the_request_never_reaches_the_framework() -> None:
    passed: list[str] = []

    async def framework(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])
        await Response()(scope, receive, send)

    direct = DirectRoutes(framework, application=application(direct=False))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(direct), base_url="http://test") as client:
        for method, path in REQUESTS:
            await client.request(method, path)
    assert "/things/7/all/of/them" not in passed
    # What needs more than the request goes the framework's way, also where a later pattern would match.
    assert {"/things/special", "/things/7/guarded", "/things/7/number", "/nothing"} <= set(passed)
