"""Server-sent events through a running Passerelle, as a browser's `EventSource` reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from tests.acceptance.running import Dev, pushed

GREETING = """
name: streamed-greeting
steps:
  - id: greet
    set: {text: hello}
"""


def read(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Each message: its id, and its event; None for the first words, which carry none."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.strip()
        elif "id" in fields:
            yield fields["id"], json.loads(fields["data"]) if "data" in fields else None
            fields = {}


def stream(api: httpx.Client, **headers: str) -> Any:
    return api.stream(
        "GET", "/events", params={"types": "workflow.*"}, headers={"Accept": "text/event-stream", **headers}
    )


def test_events_come_by_themselves_and_none_is_missed_when_the_connection_was_away(dev: Dev, api: httpx.Client) -> None:
    definition = pushed(api, GREETING)
    with dev.api() as other:

        def run() -> str:
            return str(other.post("/workflows/run", json={"workflowDefinitionId": definition}).json()["id"])

        before = run()
        with stream(api) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            messages = read(answer.iter_lines())
            assert next(messages)[1] is None
            first = run()
            place, event = next(messages)
        assert event is not None
        assert event["data"]["workflowId"] == first != before, "what had happened before is not told"

        missed = run()
        with stream(api, **{"Last-Event-ID": place}) as answer:
            told = (event["data"]["workflowId"] for _, event in read(answer.iter_lines()) if event)
            assert next(one for one in told if one != first) == missed


def test_a_stream_needs_credentials_and_a_place_that_exists(dev: Dev, api: httpx.Client) -> None:
    anonymous = httpx.get(f"{dev.demo['baseUrl']}/events", headers={"Accept": "text/event-stream"})
    assert anonymous.status_code == 401
    refused = api.get("/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "made up"})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "CURSOR_INVALID")
