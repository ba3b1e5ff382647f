"""The step kind `http` over the guarded client: what its failures are, and that they come in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from loopback import Behave, Connection, answering, serving

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.kinds import MASK, StepFailure, Tools
from passerelle.engine.steps.http import HttpKind
from passerelle.kit.json import dumps
from passerelle.kit.outgoing.client import OutgoingClient
from passerelle.kit.outgoing.rules import EgressRules


async def call(url: str, allow: str = "127.0.0.1", limit: timedelta | None = None, **config: Any) -> Any:
    """The output of a step that asks `url`."""
    kind = HttpKind()
    document = {"name": "test", "steps": [{"id": "ask", "http": {"url": url, **config}}]}
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
        (answering("SSH-2.0-OpenSSH_9.2"), "HTTP_UNREACHABLE", "connection"),
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
