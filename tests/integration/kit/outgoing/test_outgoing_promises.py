"""What every `Outgoing` promises, the stand-in included: tests that pass with one hold for the other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from passerelle.kit.outgoing import AnswerTooLarge, Outgoing, OutgoingAnswer, OutgoingInvalid, OutgoingRefused
from passerelle.kit.outgoing.client import OutgoingClient
from passerelle.kit.outgoing.fake import FakeOutgoing
from passerelle.kit.outgoing.rules import EgressRules
from tests.integration.kit.outgoing.loopback import answering, serving

ANSWER = OutgoingAnswer(404, {"content-type": "text/plain", "content-length": "5"}, b"12345")


@pytest_asyncio.fixture(loop_scope="session", params=["client", "fake"])
async def other_side(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Outgoing, str]]:
    """An `Outgoing` and the URL of something that answers every request the same way."""
    if request.param == "fake":
        yield FakeOutgoing(lambda _: ANSWER), "http://127.0.0.1:8090"
        return
    behave = answering("HTTP/1.1 404 Not Found\nContent-Type: text/plain", ANSWER.body)
    async with serving(behave) as server:
        client = OutgoingClient(EgressRules.parse("127.0.0.1"))
        yield client, f"http://127.0.0.1:{server.port}"
        await client.close()


Side = tuple[Outgoing, str]


async def test_any_status_is_an_answer(other_side: Side) -> None:
    outgoing, url = other_side
    answer = await outgoing.request("POST", url, headers={"X-A": "b"}, content=b"{}", timeout_seconds=5)
    assert answer == ANSWER


async def test_the_limit_of_size_is_the_last_that_passes(other_side: Side) -> None:
    outgoing, url = other_side
    answer = await outgoing.request("GET", url, headers={}, content=None, timeout_seconds=5, max_bytes=5)
    assert answer.body == b"12345"
    with pytest.raises(AnswerTooLarge, match=f"^{url} answered more than 4 bytes.$"):
        await outgoing.request("GET", url, headers={}, content=None, timeout_seconds=5, max_bytes=4)


async def test_other_schemes_and_credentials_in_urls_are_refused(other_side: Side) -> None:
    outgoing, _ = other_side
    for url in ("file:///etc/passwd", "http://user:word@127.0.0.1/", "http://0x7f.1/"):
        with pytest.raises(OutgoingRefused):
            await outgoing.request("GET", url, headers={}, content=None, timeout_seconds=5)


async def test_malformed_requests_are_refused(other_side: Side) -> None:
    outgoing, url = other_side
    with pytest.raises(OutgoingInvalid):
        await outgoing.request("GET", "http://", headers={}, content=None, timeout_seconds=5)
    with pytest.raises(OutgoingInvalid):
        await outgoing.request("GET", url, headers={"X-A": "a\r\nb"}, content=None, timeout_seconds=5)
    with pytest.raises(OutgoingInvalid):
        await outgoing.request("G T", url, headers={}, content=None, timeout_seconds=5)
