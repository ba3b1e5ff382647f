"""Endpoints that declare everything: what is read, chosen and told follows from their signatures."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from starlette.responses import StreamingResponse

from passerelle.kit.http import errors, openapi, stack
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Authentication, Principal
from passerelle.kit.http.bodies import BODY_LIMIT, AnyJsonBody, Body, JsonBody, TextBody
from passerelle.kit.http.context import RequestContext
from passerelle.kit.http.leniency import AsMeant
from passerelle.kit.http.permissions import Public, Requires
from passerelle.kit.http.versions import version
from passerelle.kit.secrets import SecretBox

OLD = {"Accept": "application/json;version=1"}
NEW = {"Accept": "application/json;version=2"}


class Keys:
    """Lets everybody in; whoever says `new` has a key that is pinned to version 2."""

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        pinned = 2 if authorization == b"new" else 1
        return Principal(UUID(int=1), UUID(int=2), "tester", pinned, permissions=frozenset({"can_run"}))


class RunBodyV1(Body):
    case_id: UUID


class RunBody(Body):
    record_id: UUID
    count: int = 1


class RunAnswerV1(Answer):
    case_id: UUID


class RunAnswer(Answer):
    record_id: UUID
    count: int


class NoteBody(Body):
    text: str


Caller = Annotated[Principal, Requires("can_run")]


def routes() -> APIRouter:
    made = APIRouter(route_class=ApiRoute)

    @made.post("/run", status_code=201)
    @version(1, successor="/run")
    async def run_case(caller: Caller, body: JsonBody[RunBodyV1]) -> RunAnswerV1:
        """Run for a case."""
        return RunAnswerV1(case_id=body.case_id)

    @made.post("/run", status_code=201)
    @version(2)
    async def run(
        caller: Caller, body: JsonBody[RunBody], wait: Annotated[int, Query(ge=0)] = 0, dry: bool = False
    ) -> RunAnswer:
        """Run."""
        return RunAnswer(record_id=body.record_id, count=body.count)

    @made.post("/notes")
    async def note(caller: Caller, body: JsonBody[NoteBody | None] = None) -> str:
        """Note something, or nothing."""
        return "" if body is None else body.text

    @made.post("/any")
    async def take_any(caller: Caller, body: AnyJsonBody = None) -> dict[str, Any]:
        """Take any JSON."""
        return {"taken": body}

    @made.put("/text")
    async def take_text(caller: Caller, text: Annotated[str, TextBody("text/csv", description="Rows")]) -> int:
        """Take a text."""
        return len(text)

    @made.get("/values/records/by/{name}/{value:path}", dependencies=[Public])
    async def value(name: str, value: str) -> str:
        """A value, to the last character."""
        return value

    @made.get("/stream", dependencies=[Public])
    async def stream(request: Request) -> StreamingResponse:
        """Many bytes."""

        async def parts() -> AsyncIterator[bytes]:
            for _ in range(1_000):
                yield b"x" * 1_000
            request.app.state.ended = True

        return StreamingResponse(parts())

    return made


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(title="Test", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    stack.serve(made, routes())
    errors.install(made)
    made.add_middleware(Authentication, authenticator=Keys())
    made.add_middleware(AsMeant)
    made.add_middleware(errors.ErrorBoundary)
    made.add_middleware(RequestContext)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://passerelle.test") as made:
        yield made


ID = str(UUID(int=7))


async def problems(answer: httpx.Response) -> list[tuple[str, str | None]]:
    return [(one["code"], one.get("pointer")) for one in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("headers", "number"),
    [({}, 1), (OLD, 1), (NEW, 2), ({"Authorization": "new"}, 2), ({"Authorization": "new"} | OLD, 1)],
)
async def test_each_version_has_its_own_body_and_answer(
    client: httpx.AsyncClient, headers: dict[str, str], number: int
) -> None:
    sent, expected = (
        ({"caseId": ID}, {"caseId": ID}) if number == 1 else ({"recordId": ID}, {"recordId": ID, "count": 1})
    )

    answer = await client.post("/run", json=sent, headers=headers)

    assert (answer.status_code, answer.json()) == (201, expected)
    assert answer.headers["content-type"] == f"application/json;version={number}"


async def test_a_version_that_there_is_not_is_refused_with_those_that_there_are(client: httpx.AsyncClient) -> None:
    answer = await client.post("/run", json={}, headers={"Accept": "application/json;version=3"})

    assert answer.status_code == 406
    assert "version=1" in answer.json()["errors"][0]["message"]
    assert "version=2" in answer.json()["errors"][0]["message"]


async def test_all_that_is_wrong_with_address_and_body_is_told_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/run?wait=-1&dri=1", json={"count": "x", "zzz": 1}, headers=NEW)

    assert answer.status_code == 400
    assert await problems(answer) == [
        ("QUERY_INVALID", None),
        ("QUERY_INVALID", None),
        ("FIELD_REQUIRED", "/recordId"),
        ("FIELD_TYPE", "/count"),
        ("FIELD_UNKNOWN", "/zzz"),
    ]


async def test_a_right_body_beside_an_unknown_parameter_does_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.post("/run?dri=1", json={"recordId": ID}, headers=NEW)

    assert (answer.status_code, await problems(answer)) == (400, [("QUERY_INVALID", None)])


async def test_an_optional_body_may_be_absent_but_not_wrong(client: httpx.AsyncClient) -> None:
    assert (await client.post("/notes")).json() == ""
    assert (await client.post("/notes", json={"text": "x"})).json() == "x"
    assert await problems(await client.post("/notes", json={"texd": "x"})) == [
        ("FIELD_REQUIRED", "/text"),
        ("FIELD_UNKNOWN", "/texd"),
    ]


@pytest.mark.parametrize("sent", [b"[1,null]", b"null", b"", b'{"a":{"b":"c"}}'])
async def test_any_json_is_taken_where_any_is_declared(client: httpx.AsyncClient, sent: bytes) -> None:
    import json

    assert (await client.post("/any", content=sent)).json() == {"taken": json.loads(sent or b"null")}


async def test_a_text_is_taken_in_its_media_type(client: httpx.AsyncClient) -> None:
    assert (await client.put("/text", content="ż;1", headers={"Content-Type": "text/csv"})).json() == 3
    assert (await client.put("/text", json={})).status_code == 415


async def test_a_gzipped_body_is_unpacked(client: httpx.AsyncClient) -> None:
    packed = gzip.compress(b'{"text": "' + b"x" * 10_000 + b'"}')

    answer = await client.post("/notes", content=packed, headers={"Content-Encoding": "gzip"})

    assert answer.json() == "x" * 10_000


@pytest.mark.parametrize(
    ("sent", "encoding", "status", "code"),
    [
        (gzip.compress(b" " * (BODY_LIMIT + 1), mtime=0), "gzip", 413, "BODY_TOO_LARGE"),
        (gzip.compress(b" " * 20_000_000, mtime=0), "gzip", 413, "BODY_TOO_LARGE"),
        (b"{}", "gzip", 400, "BODY_NOT_COMPRESSED"),
        (gzip.compress(b'{"text": "x"}', mtime=0)[:-12], "gzip", 400, "BODY_NOT_COMPRESSED"),
        (zlib.compress(b"{}"), "deflate", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"{}", "br", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_what_cannot_be_unpacked_is_refused(
    client: httpx.AsyncClient, sent: bytes, encoding: str, status: int, code: str
) -> None:
    answer = await client.post("/notes", content=sent, headers={"Content-Encoding": encoding})

    assert (answer.status_code, await problems(answer)) == (status, [(code, None)])


@pytest.mark.parametrize("path", ["//notes", "/notes/", "///notes//"])
async def test_a_slash_too_many_is_passed_over_without_a_redirect(client: httpx.AsyncClient, path: str) -> None:
    # The client would clean the path: it is set as it is sent.
    url = httpx.URL("http://passerelle.test").copy_with(raw_path=path.encode())

    assert (await client.post(url, json={"text": "x"})).json() == "x"


async def test_a_value_in_an_address_keeps_its_slashes(client: httpx.AsyncClient) -> None:
    answer = await client.get("/values/records/by/url/https://passerelle.test/a/")

    assert answer.json() == "https://passerelle.test/a/"


async def test_head_is_answered_as_get_without_its_body(app: FastAPI, client: httpx.AsyncClient) -> None:
    asked = await client.head("/values/records/by/name/abc")
    got = await client.get("/values/records/by/name/abc")

    assert (asked.status_code, asked.content) == (200, b"")
    assert asked.headers["content-length"] == got.headers["content-length"]
    assert (await client.head("/stream")).content == b""
    assert not hasattr(app.state, "ended")
    assert (await client.head("/notes")).status_code == 405


def test_the_document_has_both_versions_or_one(app: FastAPI) -> None:
    both, second = openapi.describe(app)["paths"]["/run"]["post"], openapi.describe(app, 2)["paths"]["/run"]["post"]

    assert set(both["responses"]["201"]["content"]) == {"application/json;version=1", "application/json;version=2"}
    assert both["requestBody"]["content"]["application/json"]["schema"] == {
        "anyOf": [{"$ref": "#/components/schemas/RunBody"}, {"$ref": "#/components/schemas/RunBodyV1"}]
    }
    assert second["operationId"] == "run"
    assert set(second["responses"]["201"]["content"]) == {"application/json"}
    schema = second["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/RunBody"}
    assert "RunBodyV1" not in openapi.describe(app, 2)["components"]["schemas"]


@pytest.mark.parametrize(
    "path", ["/values/records/by/k/%00", "/values/records/by/k/a%00b", "/values/records/by/k/a%FF"]
)
async def test_an_address_that_is_no_text_is_the_address_of_nothing(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert (answer.status_code, await problems(answer)) == (404, [("NOT_FOUND", None)])


@pytest.mark.parametrize("query", ["wait=%00", "wait=%ED%A0%80", "w%FFt=1"])
async def test_a_parameter_that_is_no_text_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.post(f"/run?{query}", json={"recordId": ID}, headers=NEW)

    assert (answer.status_code, await problems(answer)) == (400, [("QUERY_INVALID", None)])


async def test_options_tells_the_methods_of_an_address(client: httpx.AsyncClient) -> None:
    answer = await client.options("/run")

    assert (answer.status_code, answer.headers["allow"], answer.content) == (204, "POST", b"")


async def test_scripts_of_the_sites_that_are_named_may_call() -> None:
    made = FastAPI(openapi_url=None)
    nothing: Any = None
    box = SecretBox(["a-key-for-tests-of-thirty-two-characters"])
    stack.install(made, authenticator=Keys(), database=nothing, box=box, origins=["https://app.example.com"])
    stack.serve(made, routes())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://passerelle.test") as client:
        asked = await client.options(
            "/run",
            headers={
                "Origin": "https://app.example.com",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization, content-type",
            },
        )
        called = await client.post("/notes", headers={"Origin": "https://app.example.com"})
        other = await client.post("/notes", headers={"Origin": "https://evil.example.com"})

    assert asked.status_code == 200
    assert "authorization" in asked.headers["access-control-allow-headers"]
    assert called.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "access-control-allow-credentials" not in called.headers
    assert "access-control-allow-origin" not in other.headers
