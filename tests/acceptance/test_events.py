"""What a day brings forth is told in the forms that the catalogue publishes, and `GET /events` misses nothing of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonschema_rs import validator_for
from running import Dev, pushed, until

from passerelle.events.catalogue import CATALOGUE

WAIT = 30.0
REVIEWED = """
name: events-reviewed
title: Reviewed
parameters: {to: {type: string, required: true}}
steps:
  - id: decide
    review: {title: Check, outcomes: [approve, reject], fourEyes: true, notify: [anna@example.com]}
  - id: told
    email: {to: "${parameters.to}", subject: Done, body: Done}
"""
FAILS = "{name: events-fails, title: F, steps: [{id: a, fail: {code: NO, message: No.}}]}"
ASKS = """
name: events-asks
title: Asks
steps: [{id: name, form: {title: You, schema: {type: object, properties: {name: {type: string, title: Name}}}}}]
"""

NOT_TODAY = {
    # These need days to pass; the engine's and the couriers' own tests move the clock for them.
    *("workflow.expired", "link.expired", "review.reminded", "webhook.endpoint_disabled"),
    # Comes only at the endpoint that was asked to have it.
    "webhook.test",
    # The mail catcher refuses nobody: the tests of sending have servers that do.
    "email.failed",
    # Only somebody at the page does these: the tests of the pages look at them.
    *("link.opened", "link.activated"),
}


@pytest.fixture
def other(dev: Dev) -> Iterator[httpx.Client]:
    """A second person of the demo workspace."""
    with dev.api() as client:
        token = client.post("/auth/authorize", json={"key": dev.demo["key"], "secret": dev.demo["secret"]})
        client.headers["Authorization"] = f"Bearer {token.json()['accessToken']}"
        yield client


def test_every_event_of_a_day_has_its_published_form(api: httpx.Client, other: httpx.Client) -> None:
    _workflows(api, other)
    _links(api)
    _records(api)
    seen: dict[str, list[Any]] = {}
    deadline = time.monotonic() + WAIT
    while not set(CATALOGUE) - NOT_TODAY <= set(seen) and time.monotonic() < deadline:
        seen = _by_type(api)
    assert set(CATALOGUE) - NOT_TODAY - set(seen) == set()
    for name, events in seen.items():
        validator = validator_for(dict(CATALOGUE[name].schema()))
        assert [str(error) for event in events for error in validator.iter_errors(event)] == []
        known = set(CATALOGUE[name].fields)
        assert set().union(*(event["data"] for event in events)) <= known, name


def _workflows(api: httpx.Client, other: httpx.Client) -> None:
    reviewed, fails = pushed(api, REVIEWED), pushed(api, FAILS)
    start = {"workflowDefinitionId": reviewed, "parameters": {"to": "ben@example.com"}}
    decided, dropped = (api.post("/workflows", json=start).json()["id"] for _ in range(2))
    for person in (api, other):
        until(api, decided, "AWAITING")
        answer = person.post(f"/workflows/{decided}/reviews/decide", json={"outcome": "approve"})
        assert answer.is_success, answer.text
    until(api, decided, "COMPLETED")
    assert api.post(f"/workflows/{dropped}/cancel").is_success
    until(api, api.post("/workflows", json={"workflowDefinitionId": fails}).json()["id"], "FAILED")


def _links(api: httpx.Client) -> None:
    asks = pushed(api, ASKS)
    record = str(uuid4())
    sent = {"workflowDefinitionId": asks, "recordId": record, "email": "cleo@example.com"}
    for _ in range(2):
        answer = api.post("/link/send", json=sent)
        assert answer.is_success, answer.text


def _records(api: httpx.Client) -> None:
    table = {"name": f"people-{uuid4().hex[:8]}", "fields": [{"name": "name", "type": "text"}]}
    where = f"/tables/{api.post('/tables', json=table).raise_for_status().json()['id']}/records"
    first, second, third = (
        api.post(where, json={"name": name}).raise_for_status().json()["id"] for name in ("A", "B", "C")
    )
    api.patch(f"{where}/{first}", json={"name": "Anna"}).raise_for_status()
    merged = api.post(f"{where}/{first}/merge", json={"from": second})
    assert merged.is_success, merged.text
    api.delete(f"{where}/{third}").raise_for_status()


def _by_type(api: httpx.Client) -> dict[str, list[Any]]:
    """Every event of the workspace, page by page."""
    found: dict[str, list[Any]] = {}
    after: str | None = None
    while True:
        page = (
            api.get("/events", params={"limit": 200, **({"after": after} if after else {})}).raise_for_status().json()
        )
        for event in page["data"]:
            found.setdefault(event["type"], []).append(event)
        if not page["data"]:
            return found
        after = page["next"]
