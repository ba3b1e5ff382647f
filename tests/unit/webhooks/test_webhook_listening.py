"""`passerelle webhooks listen` on a server that goes away and comes back."""

from __future__ import annotations

from itertools import islice
from typing import Any

import httpx
import pytest

from passerelle.cli.forwarding import forward
from passerelle.kit.errors import CommandError

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NOBODY = "http://127.0.0.1:1/"
"""A receiver that refuses: here it is the server that counts."""


def an_event(number: int) -> dict[str, Any]:
    return {
        "id": f"event-{number}",
        "type": "workflow.completed",
        "createdDate": "2026-01-05",
        "data": {},
        "jws": "a..b",
    }


class Server:
    """Answers questions for events one after the other; an exception is the network's."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params.get("after"))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self) -> httpx.Client:
        return httpx.Client(base_url="http://server", transport=httpx.MockTransport(self))


def page(following: str, *numbers: int) -> httpx.Response:
    return httpx.Response(200, json={"data": [an_event(number) for number in numbers], "next": following})


def test_a_server_that_goes_away_is_waited_for_and_no_event_is_missed() -> None:
    server = Server(
        page("a"),
        page("b", 1),
        httpx.ConnectError("Connection refused"),
        httpx.Response(503),
        httpx.ReadTimeout("too slow"),
        page("c", 2),
    )
    waited: list[float] = []
    lines = list(islice(forward(server.client(), NOBODY, [], SECRET, waited.append), 3))
    assert "event-1" in lines[0]
    assert lines[1] == "the server does not answer (Connection refused): waiting until it does"
    assert "event-2" in lines[2]
    assert len(waited) == 3
    assert server.asked == [None, "a", "b", "b", "b", "b"]


def test_what_the_server_refuses_ends_it() -> None:
    gone = httpx.Response(410, json={"errors": [{"code": "EVENTS_EXPIRED", "message": "events were deleted"}]})
    with pytest.raises(CommandError, match="events were deleted"):
        list(forward(Server(page("a"), gone).client(), NOBODY, [], SECRET, lambda _: None))


def test_a_server_that_was_never_there_is_not_waited_for() -> None:
    with pytest.raises(httpx.ConnectError):
        next(forward(Server(httpx.ConnectError("no")).client(), NOBODY, [], SECRET, lambda _: None))
