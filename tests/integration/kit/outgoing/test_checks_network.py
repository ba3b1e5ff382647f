"""The checks that ask a service, over the real client: a server that works, hangs, drips, breaks off or is not there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.engine.checks.base import CheckResult
from passerelle.engine.checks.vat_vies import VatVies
from passerelle.engine.kinds import StepFailure, Tools
from passerelle.kit.outgoing.client import OutgoingClient
from passerelle.kit.outgoing.rules import EgressRules
from tests.integration.kit.outgoing.loopback import Behave, Connection, answering, once, serving

VALID = b'{"isValid": true, "userError": "VALID", "name": "---", "requestDate": "2026-11-23T09:00:00Z"}'


async def ask(port: int, *, allowed: str = "127.0.0.1", seconds: float = 30) -> CheckResult:
    client = OutgoingClient(EgressRules.parse(allowed))
    tools = Tools(client, datetime.now(UTC), timedelta(seconds=seconds))
    try:
        return await VatVies().run({"value": "PL7740001454", "baseUrl": f"http://127.0.0.1:{port}/api"}, tools)
    finally:
        await client.close()


async def hanging(connection: Connection) -> None:
    await connection.head()
    await asyncio.Event().wait()


async def dripping(connection: Connection) -> None:
    await connection.head()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    await asyncio.Event().wait()


async def test_a_service_that_works_is_asked_once() -> None:
    async with serving(answering("HTTP/1.1 200 OK\nContent-Type: application/json", VALID)) as server:
        assert (await ask(server.port)).passed
    assert len(server.heads) == 1
    assert server.heads[0].startswith(b"GET /api/ms/PL/vat/7740001454 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("behave", "code", "reason", "after"),
    [
        (once(b""), "HTTP_UNREACHABLE", "connection", None),
        (once(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"), "HTTP_ANSWER_UNREADABLE", "connection", None),
        (once(b"220 mail.example ESMTP\r\n"), "HTTP_ANSWER_UNREADABLE", "connection", None),
        (answering("HTTP/1.1 429 Too Many Requests\nRetry-After: 5"), "HTTP_STATUS_UNEXPECTED", "429", 5.0),
        (answering("HTTP/1.1 503 Service Unavailable"), "HTTP_STATUS_UNEXPECTED", "503", None),
        (answering("HTTP/1.1 200 OK", b"x" * 1_000_001), "HTTP_ANSWER_TOO_LARGE", None, None),
    ],
    ids=["hangs-up", "breaks-off", "no-http", "busy", "down", "floods"],
)
async def test_one_that_misbehaves_fails_the_step_with_what_it_did(
    behave: Behave, code: str, reason: str | None, after: float | None
) -> None:
    async with serving(behave) as server:
        with pytest.raises(StepFailure) as caught:
            await ask(server.port)
    assert (caught.value.code, caught.value.reason, caught.value.after) == (code, reason, after)


@pytest.mark.parametrize(
    ("behave", "seconds", "code", "reason"),
    # The head of the one that drips comes at once, which a busy machine may take a second to see.
    [(hanging, 0.3, "HTTP_TIMEOUT", "timeout"), (dripping, 3, "HTTP_ANSWER_UNREADABLE", "connection")],
)
async def test_one_that_does_not_come_to_an_end_fails_the_step_in_time(
    behave: Behave, seconds: float, code: str, reason: str
) -> None:
    async with serving(behave) as server:
        with pytest.raises(StepFailure) as caught:
            await ask(server.port, seconds=seconds)
    assert (caught.value.code, caught.value.reason, caught.value.after) == (code, reason, None)


async def test_one_that_is_not_there_can_be_tried_again() -> None:
    async with serving(hanging) as server:
        port = server.port
    with pytest.raises(StepFailure) as caught:
        await ask(port)
    assert (caught.value.code, caught.value.reason) == ("HTTP_UNREACHABLE", "connection")


async def test_no_check_reaches_the_operators_own_network() -> None:
    async with serving(hanging) as server:
        with pytest.raises(StepFailure) as caught:
            await ask(server.port, allowed="")
    assert (caught.value.code, server.connections) == ("EGRESS_REFUSED", 0)
