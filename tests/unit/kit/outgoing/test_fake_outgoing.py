"""The stand-in gives the answers that a test wants. What it promises like the client is tested with it."""

from __future__ import annotations

import pytest

from passerelle.kit.outgoing import OutgoingAnswer, OutgoingTimeout
from passerelle.kit.outgoing.fake import FakeOutgoing, canned

OK = OutgoingAnswer(200, {"content-type": "text/plain"}, b"12345")


async def test_answers_come_in_order_and_requests_are_kept() -> None:
    fake = FakeOutgoing(canned(OK, OutgoingTimeout("too slow")))
    first = await fake.request("GET", "https://host/x", headers={}, content=None, timeout_seconds=1)
    assert first == OK
    with pytest.raises(OutgoingTimeout, match="too slow"):
        await fake.request("PUT", "https://host/y", headers={"X-A": "b"}, content=b"z", timeout_seconds=2)
    assert [request.url for request in fake.requests] == ["https://host/x", "https://host/y"]
    second = fake.requests[1]
    assert (second.method, second.headers, second.content) == ("PUT", {"X-A": "b"}, b"z")


async def test_a_request_that_nobody_expected_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="GET https://host/x"):
        await FakeOutgoing(canned()).request("GET", "https://host/x", headers={}, content=None, timeout_seconds=1)
