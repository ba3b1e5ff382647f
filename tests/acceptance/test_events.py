"""What a day brings forth is told in the forms that the catalogue publishes, and `GET /events` misses nothing of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from jsonschema_rs import validator_for

from passerelle.events.catalogue import CATALOGUE
from tests.acceptance.running import Dev, push, pushed, until

WAIT = 30.0
REVIEWED = """
name: events-reviewed
title: Reviewed
parameters: {to: {type: string, required: true}}
steps:
  - id: decide
    review: {title: Check, outcomes: [approve, reject], notify: [anna@example.com]}
  - id: told
    email: {to: "${parameters.to}", subject: Done, body: Done}
"""
BY_TWO = "{name: events-two, title: T, steps: [{id: a, review: {title: A, outcomes: [yes1, no1], fourEyes: true}}]}"
FAILS = "{name: events-fails, title: F, steps: [{id: a, fail: {code: NO, message: No.}}]}"
ASKS = """
name: events-asks
title: Asks
steps: [{id: name, form: {title: You, schema: {type: object, properties: {name: {type: string, title: Name}}}}}]
"""

NOT_TODAY = {
    # These need days to pass; the engine's and the couriers' own tests move the clock for them.
    *("workflow.expired", "link.expired", "review.reminded", "webhook.endpoint_disabled"),
    # Come only at an endpoint that asked for them.
    *("webhook.test", "audit.written"),
    # Only two people at one draft bring these forth: the tests of drafts look at them.
    *("draft.opened", "draft.closed", "draft.saved"),
    # The mail catcher refuses nobody: the tests of sending have servers that do.
    "email.failed",
    # Only somebody at the page does these: the tests of the pages look at them.
    *("link.opened", "link.activated"),
    # Only what an end user has answered can be asked again: the tests of asking look at it.
    "review.returned",
}


@pytest.fixture
def person(dev: Dev) -> Iterator[httpx.Client]:
    """The demo's person, signed in."""
    with httpx.Client(base_url=dev.demo["baseUrl"], headers={"X-Passerelle-Client": "test"}) as client:
        token = re.search(r'name="_token" value="([0-9a-f]+)"', client.get("/sign-in").text)
        assert token is not None
        assert client.post("/sign-in", data={"_token": token[1], **dev.demo["user"]}).status_code == 303
        yield client


def test_every_event_of_a_day_has_its_published_form(api: httpx.Client, person: httpx.Client) -> None:
    _workflows(api, person)
    _links(api)
    _records(api)
    _proposals(api, person)
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


def _workflows(api: httpx.Client, person: httpx.Client) -> None:
    reviewed, fails = pushed(api, REVIEWED), pushed(api, FAILS)
    start = {"workflowDefinitionId": reviewed, "parameters": {"to": "ben@example.com"}}
    decided, dropped = (api.post("/workflows", json=start).json()["id"] for _ in range(2))
    until(api, decided, "AWAITING")
    answer = api.post(f"/workflows/{decided}/reviews/decide", json={"outcome": "approve"})
    assert answer.is_success, answer.text
    voted = api.post("/workflows", json={"workflowDefinitionId": pushed(api, BY_TWO)}).json()["id"]
    until(api, voted, "AWAITING")
    mine = {"userId": person.get("/me").json()["id"]}
    answer = person.put(f"/workflows/{voted}/reviews/a/assignment", json=mine)
    assert answer.is_success, answer.text
    answer = person.post(f"/workflows/{voted}/reviews/a", json={"outcome": "yes1"})
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


def _proposals(api: httpx.Client, person: httpx.Client) -> None:
    for decision, by in (("approve", person), ("decline", person), ("withdraw", api)):
        text = f"{{name: events-{decision}, steps: [{{id: a, set: {{x: 1}}}}]}}"
        definition = push(api, text, publish="false").raise_for_status().json()["id"]
        proposed = api.post(f"/definitions/{definition}/proposals", json={"revision": 1})
        assert proposed.status_code == 201, proposed.text
        answer = by.post(f"/proposals/{proposed.json()['id']}/{decision}", json={})
        assert answer.is_success, answer.text


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
