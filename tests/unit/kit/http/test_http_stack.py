"""What every request passes: context, error boundary, authentication. A small application, no database."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from structlog.testing import capture_logs

from passerelle.kit.database import NoConnectionFreeError
from passerelle.kit.errors import Code, PasserelleError
from passerelle.kit.http import errors
from passerelle.kit.http.answers import Answer, json_answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Authentication, Principal, principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.context import RequestContext
from passerelle.kit.http.media_types import DeprecationNotice
from passerelle.kit.http.permissions import Requires
from passerelle.kit.http.versions import version
from passerelle.kit.ids import parse_id
from passerelle.kit.secrets import CannotDecryptError

TEST_REFUSED = Code("TEST_REFUSED", 401, "For these tests.")
TEST_FIRST = Code("TEST_FIRST", 409, "For these tests.")
TEST_SECOND = Code("TEST_SECOND", 409, "For these tests.")

NOTICE = DeprecationNotice(datetime(2026, 1, 1, tzinfo=UTC), "https://passerelle.test/docs")


class Thing(Body):
    name: str


class VersionAnswer(Answer):
    version: int


class OneToken:
    """Lets one token in."""

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        if authorization != b"let me in":
            raise TEST_REFUSED.error("send the right token", headers={"WWW-Authenticate": "Bearer"})
        return Principal(UUID(int=1), UUID(int=2), "tester", permissions=frozenset({"can_read"}))


Endpoint = Callable[[Request], Awaitable[Response]]


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    errors.install(made)
    made.router.route_class = ApiRoute
    made.add_middleware(Authentication, authenticator=OneToken())
    made.add_middleware(errors.ErrorBoundary)
    made.add_middleware(RequestContext, deprecation=NOTICE)
    return made


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "let me in"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://passerelle.test", headers=headers) as made:
        yield made


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def raises(app: FastAPI, error: BaseException) -> None:
    @app.get("/raises/{part}")
    async def endpoint(part: str) -> Response:
        raise error


async def test_an_error_lists_every_problem_under_one_fingerprint(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    raises(
        app,
        PasserelleError(409, [TEST_FIRST.problem("one", "/a"), TEST_SECOND.problem("two")], {"Retry-After": "3"}),
    )

    answer = await client.get("/raises/x", headers={"X-Request-Id": "abc-1"})

    assert answer.status_code == 409
    assert answer.headers["retry-after"] == "3"
    fingerprint = answer.json()["fingerprint"]
    assert answer.json() == {
        "fingerprint": fingerprint,
        "errors": [
            {"code": "TEST_FIRST", "message": "one", "pointer": "/a"},
            {"code": "TEST_SECOND", "message": "two"},
        ],
    }
    found = parse_id(fingerprint)
    assert found is not None
    assert found.version == 7
    refused = next(line for line in logged if line["event"] == "request refused")
    assert refused["fingerprint"] == fingerprint
    assert refused["codes"] == ["TEST_FIRST", "TEST_SECOND"]
    assert (refused["status"], refused["path"]) == (409, "/raises/x")


async def test_what_was_not_expected_shows_nothing_internal_and_is_logged_with_its_traceback(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    raises(app, RuntimeError("password=hunter2"))

    answer = await client.get("/raises/x")

    assert answer.status_code == 500
    assert answer.json()["errors"][0]["code"] == "INTERNAL_ERROR"
    assert "hunter2" not in answer.text
    failed = next(line for line in logged if line["event"] == "request failed")
    assert failed["fingerprint"] == answer.json()["fingerprint"]
    assert isinstance(failed["exc_info"], RuntimeError)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncpg.CannotConnectNowError("the database system is starting up"), "DATABASE_UNAVAILABLE"),
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle"), "DATABASE_UNAVAILABLE"),
        (asyncpg.InterfaceError("connection is closed"), "DATABASE_UNAVAILABLE"),
        (asyncpg.TooManyConnectionsError("too many clients"), "DATABASE_UNAVAILABLE"),
        (asyncpg.OutOfMemoryError("out of shared memory"), "DATABASE_UNAVAILABLE"),
        (asyncpg.PostgresIOError("could not read block"), "DATABASE_UNAVAILABLE"),
        (
            asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"),
            "DATABASE_UNAVAILABLE",
        ),
        (asyncpg.DiskFullError("could not extend file"), "DATABASE_FULL"),
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), "DATABASE_TOO_SLOW"),
        (OSError(errno.ENOSPC, "No space left on device"), "DISK_FULL"),
        (NoConnectionFreeError("all connections were in use"), "DATABASE_BUSY"),
        (asyncpg.DeadlockDetectedError("deadlock detected"), "DATABASE_BUSY"),
        (asyncpg.SerializationError("could not serialize access"), "DATABASE_BUSY"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), "DATABASE_BUSY"),
        (CannotDecryptError("no key opens this"), "SECRET_KEY_MISSING"),
    ],
)
async def test_a_database_that_is_lost_and_a_disk_that_is_full_are_503(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any], error: Exception, code: str
) -> None:
    raises(app, error)

    answer = await client.get("/raises/x")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, code)
    assert int(answer.headers["retry-after"]) > 0


async def test_a_database_that_cannot_be_reached_is_503_and_another_refused_connection_is_not(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    @app.get("/database")
    async def database() -> Response:
        await asyncpg.connect("postgresql://nobody@127.0.0.1:1/none", timeout=5)
        raise AssertionError("nothing listens there")

    raises(app, ConnectionRefusedError("some other program"))

    assert (await client.get("/database")).status_code == 503
    assert (await client.get("/raises/x")).status_code == 500


async def test_a_fault_in_our_use_of_the_database_is_no_lost_database(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    raises(app, asyncpg.InterfaceError("cannot perform operation: another operation is in progress"))

    assert (await client.get("/raises/x")).status_code == 500


async def test_unknown_addresses_and_methods_have_the_same_shape(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    raises(app, RuntimeError())

    unknown = await client.get("/nothing")
    method = await client.delete("/raises/x")

    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (404, "NOT_FOUND")
    assert (method.status_code, method.json()["errors"][0]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert method.headers["allow"] == "GET"


async def test_every_method_of_an_address_is_told(app: FastAPI, client: httpx.AsyncClient, logged: list[Any]) -> None:
    routes = APIRouter()  # as the features contribute them
    for takes in (routes.get, routes.post, routes.delete):

        @takes("/several/{thing}")
        async def several(thing: str) -> Response:
            return json_answer({})

    app.include_router(routes)

    method = await client.put("/several/x")

    assert (method.status_code, method.headers["allow"]) == (405, "DELETE, GET, POST")
    assert method.json()["errors"][0]["message"] == "this address takes only DELETE, GET, POST"


async def test_trace_repeats_no_request(app: FastAPI, client: httpx.AsyncClient, logged: list[Any]) -> None:
    raises(app, RuntimeError())
    headers = {"X-Secret": "of-the-caller"}

    known = await client.request("TRACE", "/raises/x", headers=headers)
    del client.headers["Authorization"]
    nobody = await client.request("TRACE", "/raises/x", headers=headers)

    assert (known.status_code, known.json()["errors"][0]["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert nobody.status_code in (401, 405)
    assert "of-the-caller" not in known.text + nobody.text


async def test_text_is_sent_with_its_charset_and_json_needs_none(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    @app.get("/page")
    async def page() -> Response:
        return HTMLResponse("<p>żółw</p>")

    @app.get("/text")
    async def text() -> Response:
        return PlainTextResponse("żółw")

    @app.get("/json")
    async def json() -> Response:
        return json_answer({"name": "żółw"})

    paths = ("/page", "/text", "/json", "/nothing")
    assert [(await client.get(path)).headers["content-type"] for path in paths] == [
        "text/html; charset=utf-8",
        "text/plain; charset=utf-8",
        "application/json",
        "application/json",
    ]


async def test_422_is_never_used(app: FastAPI, client: httpx.AsyncClient, logged: list[Any]) -> None:
    @app.get("/typed/{thing_id}")
    async def typed(thing_id: UUID, amount: int) -> Response:
        return json_answer({"id": thing_id, "amount": amount})

    wrong_query = await client.get(f"/typed/{UUID(int=1)}?amount=x")
    wrong_path = await client.get("/typed/none?amount=1")

    assert (wrong_query.status_code, wrong_query.json()["errors"][0]["code"]) == (400, "QUERY_INVALID")
    assert "`amount`" in wrong_query.json()["errors"][0]["message"]
    assert wrong_path.status_code == 404


async def test_what_the_framework_refuses_keeps_its_status(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    raises(app, HTTPException(416, "no such range", headers={"Content-Range": "bytes */7"}))

    answer = await client.get("/raises/x")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (416, "REQUEST_INVALID")
    assert answer.headers["content-range"] == "bytes */7"


async def test_a_client_that_goes_away_is_no_failure_of_ours(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    raises(app, ClientDisconnect())

    await client.get("/raises/x")

    assert not [line for line in logged if line["log_level"] == "error"]


async def test_cancellation_passes(app: FastAPI, client: httpx.AsyncClient, logged: list[Any]) -> None:
    raises(app, asyncio.CancelledError())

    with pytest.raises(asyncio.CancelledError):
        await client.get("/raises/x")


async def test_an_answer_that_breaks_off_is_logged_and_not_mended(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        raise RuntimeError("broke off")

    @app.get("/stream")
    async def stream() -> Response:
        return StreamingResponse(parts())

    with pytest.raises(AssertionError):  # the transport misses the end of the answer, as a server would
        await client.get("/stream")

    assert [line["event"] for line in logged] == ["request failed", "request"]


async def test_credentials_are_asked_for_where_the_endpoint_requires_them(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    @app.get("/mine")
    async def mine(caller: Annotated[Principal, Requires("can_read")]) -> str:
        return caller.name

    @app.get("/everybody's")
    async def everybodys() -> str:
        return "yours"

    assert (await client.get("/mine")).json() == "tester"
    for headers in ({"Authorization": "nonsense"}, {"Authorization": ""}):
        statuses = [(await client.get(path, headers=headers)).status_code for path in ("/mine", "/everybody's", "/no")]
        assert statuses == [401, 200, 401]


async def test_who_calls_is_asked_before_anything_is_read(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.post("/mine")
    async def mine(caller: Annotated[Principal, Requires("can_read")], body: JsonBody[Thing]) -> str:
        return body.name

    refused = await client.post("/mine?x=1", content=b"{", headers={"Authorization": "nonsense"})

    assert refused.status_code == 401


async def test_a_public_endpoint_may_ask_who_calls(app: FastAPI, client: httpx.AsyncClient, logged: list[Any]) -> None:
    @app.get("/open")
    async def endpoint(request: Request) -> Response:
        return json_answer({"name": (await principal(request)).name})

    assert (await client.get("/open")).json() == {"name": "tester"}
    del client.headers["Authorization"]
    refused = await client.get("/open")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", ["abc-1", "x" * 128])
async def test_a_request_id_is_echoed(client: httpx.AsyncClient, logged: list[Any], sent: str) -> None:
    assert (await client.get("/nothing", headers={"X-Request-Id": sent})).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 129, "ż"])
async def test_a_request_id_that_is_none_or_not_sane_is_made(
    client: httpx.AsyncClient, logged: list[Any], sent: str | None
) -> None:
    headers = [] if sent is None else [(b"X-Request-Id", sent.encode())]

    made = (await client.get("/nothing", headers=headers)).headers["x-request-id"]

    assert parse_id(made) is not None


async def test_a_request_is_one_line_in_the_log_without_what_callers_put_into_addresses(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    @app.get("/people/{name}")
    async def endpoint(name: str) -> Response:
        return json_answer({})

    await client.get("/people/jan-kowalski?token=secret")

    assert len(logged) == 1
    line = logged[0]
    assert (line["event"], line["method"], line["path"], line["status"]) == ("request", "GET", "/people/{name}", 200)
    assert line["ms"] >= 0
    assert "secret" not in str(line)


async def test_browsers_are_told_to_be_careful(app: FastAPI, client: httpx.AsyncClient, logged: list[Any]) -> None:
    @app.get("/page")
    async def page() -> Response:
        return HTMLResponse("<p>page</p>")

    @app.get("/own")
    async def own() -> Response:
        headers = {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "public"}
        return HTMLResponse("<p>own</p>", headers=headers)

    answer = await client.get("/nothing")
    html = await client.get("/page")
    its_own = await client.get("/own")

    for one in (answer, html, its_own):
        assert one.headers["x-content-type-options"] == "nosniff"
        assert one.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in html.headers["content-security-policy"]
    assert "script-src" not in html.headers["content-security-policy"]
    assert its_own.headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert its_own.headers.get_list("cache-control") == ["public"]


async def test_a_versioned_endpoint_says_its_version_also_when_it_fails(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    def answered(number: int, fail: str) -> VersionAnswer:
        if fail == "refuse":
            raise TEST_FIRST.error("refused")
        if fail == "break":
            raise RuntimeError
        return VersionAnswer(version=number)

    @app.get("/versioned")
    @version(2)
    async def second_version(fail: str = "") -> VersionAnswer:
        return answered(2, fail)

    @app.get("/versioned")
    @version(1, successor="/versioned")
    async def first_version(fail: str = "") -> VersionAnswer:
        return answered(1, fail)

    for fail in ("", "refuse", "break"):
        answer = await client.get(f"/versioned?fail={fail}")
        assert fail or answer.json() == {"version": 1}
        assert answer.headers.get_list("content-type") == ["application/json;version=1"]
        assert answer.headers["vary"] == "Accept"
        assert answer.headers["deprecation"].startswith("@")
        assert 'rel="successor-version"' in answer.headers["link"]
    second = await client.get("/versioned", headers={"Accept": "application/json;version=2"})
    assert second.headers["content-type"] == "application/json;version=2"
    assert second.json() == {"version": 2}
    assert "deprecation" not in second.headers
    third = await client.get("/versioned", headers={"Accept": "application/json;version=3"})
    assert third.status_code == 406
    assert third.headers["content-type"] == "application/json"


async def test_what_a_caller_puts_into_a_path_cannot_end_a_header(
    app: FastAPI, client: httpx.AsyncClient, logged: list[Any]
) -> None:
    @app.get("/versioned/{name}")
    @version(1, successor="/next/{name}")
    async def versioned(name: str) -> Response:
        return json_answer({"name": name})

    answer = await client.get("/versioned/a%0d%0aSet-Cookie:%20x>;rel=y")
    assert '</next/a%0D%0ASet-Cookie%3A%20x%3E%3Brel%3Dy>; rel="successor-version"' in answer.headers["link"]
    assert "set-cookie" not in answer.headers


async def test_one_request_does_not_leave_its_id_in_the_log_of_the_next(
    client: httpx.AsyncClient, logged: list[Any]
) -> None:
    from structlog.contextvars import get_contextvars

    await client.get("/nothing", headers={"X-Request-Id": "first"})

    assert get_contextvars() == {}


@pytest.mark.parametrize("secure", [False, True])
async def test_browsers_come_by_tls_alone_where_it_is_served_by_it(secure: bool, logged: list[Any]) -> None:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await Response(b"ok")(scope, receive, send)

    transport = httpx.ASGITransport(RequestContext(answer, secure=secure))
    async with httpx.AsyncClient(transport=transport, base_url="https://passerelle.test") as client:
        answered = await client.get("/")
    assert answered.headers.get("strict-transport-security") == ("max-age=31536000" if secure else None)
