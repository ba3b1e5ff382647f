"""The step kind `http` over the guarded client: what its failures are, and that they come in time."""

from __future__ import annotations

import gzip
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.model import Retry
from passerelle.engine.kinds import MASK, StepFailure, Tools
from passerelle.engine.steps.http import HttpKind
from passerelle.kit.json import dumps
from passerelle.kit.outgoing.client import OutgoingClient
from passerelle.kit.outgoing.rules import EgressRules
from tests.integration.kit.outgoing.loopback import Behave, Connection, answering, once, serving


async def call(
    url: str, allow: str = "127.0.0.1", limit: timedelta | None = None, reads: str | None = None, **config: Any
) -> Any:
    """The output of a step that asks `url`; `reads` is what an expression reads of it."""
    kind = HttpKind()
    document: dict[str, Any] = {"name": "test", "steps": [{"id": "ask", "http": {"url": url, **config}}]}
    if reads is not None:
        document["result"] = {"read": f"${{{reads}}}"}
    definition = compile_definition(dumps(document), {"http": kind}).definition
    assert definition is not None
    client = OutgoingClient(EgressRules.parse(allow))
    try:
        tools = Tools(client, datetime.now(UTC), limit)
        scope = {"secrets": {"KEY": "s3cret"}}
        return await kind.call(definition.steps[0].config, scope, tools, "execution:ask:1")
    finally:
        await client.close()


async def endless(connection: Connection) -> None:
    await connection.head()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        await connection.send(b"x" * 1_000_000)


async def never(connection: Connection) -> None:
    await connection.head()
    await connection.reader.read()


async def test_an_answer_comes_back_as_the_output() -> None:
    echo = answering("HTTP/1.1 200 OK\nContent-Type: application/json\nX-Key: s3cret", b'{"age": 3}')
    async with serving(echo) as server:
        output = await call(f"http://127.0.0.1:{server.port}/", headers={"Authorization": "Bearer ${secrets.KEY}"})
    assert (output["status"], output["body"], output["headers"]["x-key"]) == (200, {"age": 3}, MASK)
    assert b"Idempotency-Key: execution:ask:1\r\n" in server.heads[0]
    assert b"Authorization: Bearer s3cret\r\n" in server.heads[0]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0x7f.1"])
async def test_private_addresses_are_refused_for_good(host: str) -> None:
    with pytest.raises(StepFailure) as failure:
        await call(f"http://{host}/", allow="")
    assert (failure.value.code, failure.value.reason) == ("EGRESS_REFUSED", None)
    assert "PASSERELLE_EGRESS_ALLOW" in failure.value.message or "odd way" in failure.value.message


@pytest.mark.parametrize(
    ("behave", "code", "reason"),
    [
        (endless, "HTTP_ANSWER_TOO_LARGE", None),
        (answering("SSH-2.0-OpenSSH_9.2"), "HTTP_ANSWER_UNREADABLE", "connection"),
        (answering("HTTP/1.1 503 Busy\nRetry-After: 7"), "HTTP_STATUS_UNEXPECTED", "503"),
        (answering("HTTP/1.1 302 Found\nLocation: http://169.254.169.254/"), "HTTP_STATUS_UNEXPECTED", "302"),
    ],
)
async def test_each_way_to_fail_has_its_code_and_reason(behave: Behave, code: str, reason: str | None) -> None:
    async with serving(behave) as server:
        with pytest.raises(StepFailure) as failure:
            await call(f"http://127.0.0.1:{server.port}/", limit=timedelta(seconds=30))
    assert (failure.value.code, failure.value.reason) == (code, reason)


async def test_an_answer_that_never_comes_is_a_failure_in_time() -> None:
    async with serving(never) as server:
        with pytest.raises(StepFailure) as failure:
            await call(f"http://127.0.0.1:{server.port}/", limit=timedelta(seconds=0.5))
    assert (failure.value.code, failure.value.reason) == ("HTTP_TIMEOUT", "timeout")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PAID = b'{"paid": true}'
GZIPPED = gzip.compress(PAID)


def whole(body: bytes, *headers: str) -> bytes:
    return (
        HEAD
        + "".join(f"{one}\r\n" for one in headers).encode()
        + f"Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


READABLE = {
    "a long header": whole(PAID, f"X-Signature: {'y' * 250_000}"),
    "many headers": whole(PAID, *(f"X-{number}: z" for number in range(2_000))),
    "zeros after gzip": whole(GZIPPED + bytes(8), "Content-Encoding: gzip"),
    "a line break after gzip": whole(GZIPPED + b"\n", "Content-Encoding: gzip"),
    "an empty member after gzip": whole(GZIPPED + gzip.compress(b""), "Content-Encoding: gzip"),
    "gzip that is none": whole(PAID, "Content-Encoding: gzip"),
    "zlib's deflate": whole(zlib.compress(PAID), "Content-Encoding: deflate"),
    "an encoding that is none": whole(PAID, "Content-Encoding: none"),
    "a charset as encoding": whole(PAID, "Content-Encoding: utf-8"),
    "a charset that is none": whole(PAID).replace(b"json", b"json; charset=klingon"),
    "an empty charset": whole(PAID).replace(b"json", b"json; charset="),
    "a line break after the body": whole(PAID) + b"\r\n",
    "bytes behind its end": whole(PAID) + b"xxxx",
    "a page behind its end": whole(PAID) + b"<html>\r\n\r\n</html>",
    "another answer behind its end": whole(PAID) + whole(b'{"paid": false}'),
    "bytes behind its last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\ne\r\n" + PAID + b"\r\n0\r\n\r\nxxxx",
    "bytes behind the last answer of a connection": whole(PAID, "Connection: close") + b"xxxx",
    "more than one head": b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + whole(PAID) + b"xxxx",
    "lines that end in a line feed": whole(PAID).replace(b"\r\n", b"\n"),
    "lines that end in a line feed, and bytes behind": whole(PAID).replace(b"\r\n", b"\n") + b"xxxx",
}


@pytest.mark.parametrize("sent", READABLE.values(), ids=READABLE)
async def test_answers_are_read_as_browsers_and_curl_read_them(sent: bytes) -> None:
    async with serving(once(sent)) as server:
        output = await call(f"http://127.0.0.1:{server.port}/", method="POST", reads="steps.ask.body.paid")
    assert (output["status"], output["body"], len(server.heads)) == (200, {"paid": True}, 1)


@pytest.mark.parametrize("cut", range(1, len(whole(PAID)) + 4))
async def test_where_the_bytes_are_cut_on_their_way_changes_nothing(cut: int) -> None:
    sent = whole(PAID) + b"xxxx"
    async with serving(once(sent[:cut], sent[cut:])) as server:
        output = await call(f"http://127.0.0.1:{server.port}/", method="POST", reads="steps.ask.body.paid")
    assert (output["status"], output["body"], len(server.heads)) == (200, {"paid": True}, 1)


UNREADABLE = {
    "it breaks off": whole(PAID)[:-4],
    "gzip that breaks off": whole(GZIPPED[:-9], "Content-Encoding: gzip"),
    "an encoding that was not asked for": whole(b"\x0b\x02\x80abc\x03", "Content-Encoding: br"),
    "chunks that are none": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a header that is none": whole(PAID, "Bad Header: x"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
}


@pytest.mark.parametrize("sent", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("method", ["POST", "PATCH", "GET", "PUT"])
async def test_what_has_come_is_not_sent_again_where_that_could_do_it_twice(sent: bytes, method: str) -> None:
    async with serving(once(sent)) as server:
        with pytest.raises(StepFailure) as failure:
            await call(f"http://127.0.0.1:{server.port}/", method=method, reads="steps.ask.body")
    assert failure.value.code == "HTTP_ANSWER_UNREADABLE"
    assert Retry().covers(failure.value.reason) is (method in ("GET", "PUT"))


@pytest.mark.parametrize("name", ["it breaks off", "gzip that breaks off", "an encoding that was not asked for"])
async def test_where_nobody_reads_the_body_the_status_counts(name: str) -> None:
    async with serving(once(UNREADABLE[name])) as server:
        output = await call(f"http://127.0.0.1:{server.port}/", method="POST", reads="steps.ask.status")
    assert (output["status"], output["body"]) == (200, None)
    async with serving(once(UNREADABLE[name])) as server:
        output = await call(f"http://127.0.0.1:{server.port}/", method="POST", answer="none", reads="steps.ask")
    assert output["body"] is None
