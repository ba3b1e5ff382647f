"""Endpoints, their log and events over HTTP: what is accepted, what is refused, and nobody sees another's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from passerelle.events.endpoints import router as events_router
from passerelle.kit.clock import iso
from passerelle.kit.database import Database
from passerelle.kit.http import stack
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.outgoing.rules import EgressRules
from passerelle.kit.secrets import SecretBox
from passerelle.webhooks.addresses import Addresses
from passerelle.webhooks.endpoints import router
from passerelle.webhooks.models import DeliveryFilters
from passerelle.webhooks.repository import WebhookRepository
from tests.integration.webhooks.post_office import OK, PostOffice, always, resolve

HOOK = "https://hooks.example/a"
UNKNOWN = "0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80"


class Api(httpx.AsyncClient):
    """The application's client in one workspace."""

    async def ok(self, method: str, path: str, status: int = 200, **options: Any) -> Any:
        answer = await self.request(method, path, **options)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, list[str], list[str]]:
        answer = await self.request(method, path, **options)
        errors = answer.json()["errors"]
        return (
            answer.status_code,
            [error["code"] for error in errors],
            [error["message"] for error in errors],
        )


@pytest_asyncio.fixture(loop_scope="session")
async def app(office: PostOffice, database: Database) -> FastAPI:
    app = FastAPI()
    box = SecretBox(["k" * 40])
    app.include_router(router(office.webhooks, Cursors(box)))
    app.include_router(events_router(office.events, Cursors(box), office.webhooks))
    stack.install(app, authenticator=office.accounts.authenticator, database=database, box=box)
    return app


async def _client(app: FastAPI, office: PostOffice, workspace_id: UUID, version: int = 2) -> Api:
    token = (await office.accounts.create_token(workspace_id, "test", version)).secret
    transport = httpx.ASGITransport(app)
    return Api(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})


@pytest_asyncio.fixture(loop_scope="session")
async def api(app: FastAPI, office: PostOffice) -> AsyncIterator[Api]:
    async with await _client(app, office, office.workspace_id) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(app: FastAPI, office: PostOffice, database: Database) -> AsyncIterator[Api]:
    workspace_id = new_id()
    async with database.workspace(workspace_id) as connection:
        await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'other')", workspace_id)
    async with await _client(app, office, workspace_id) as client:
        yield client


async def test_the_secret_is_shown_once(api: Api) -> None:
    made = await api.ok("POST", "/webhooks/endpoints", 201, json={"url": HOOK, "events": ["workflow.completed"]})
    assert made["secret"].startswith("whsec_")
    read = await api.ok("GET", f"/webhooks/endpoints/{made['id']}")
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert (await api.ok("GET", "/webhooks/endpoints"))["data"] == [read]


async def test_a_request_that_is_sent_again_makes_one_endpoint(api: Api) -> None:
    options: Any = {"json": {"url": HOOK}, "headers": {"Idempotency-Key": "one"}}
    first = await api.ok("POST", "/webhooks/endpoints", 201, **options)
    assert await api.ok("POST", "/webhooks/endpoints", 201, **options) == first
    assert len((await api.ok("GET", "/webhooks/endpoints"))["data"]) == 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://hooks.example/", "begins with http://"),
        ("ftp://hooks.example/", "does not begin with http"),
        ("https://user:pass@hooks.example/", "user name or a password"),
        ("https://10.0.0.1/", "not on the public internet"),
        ("https://127.0.0.1/", "not on the public internet"),
        ("https://[::1]/", "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data", "not on the public internet"),
        ("https://2130706433/", "odd way to write an address"),
        ("https://metadata.internal/", "not on the public internet"),
        ("https://nowhere.invalid/", "was not found"),
        ("hooks.example", "does not begin with http"),
    ],
)
async def test_urls_that_lead_nowhere_good_are_refused(api: Api, url: str, why: str) -> None:
    status, codes, (message,) = await api.refused("POST", "/webhooks/endpoints", json={"url": url})
    assert (status, codes) == (400, ["WEBHOOK_URL_REFUSED"])
    assert why in message


async def test_plain_http_goes_only_where_the_operator_says(database: Database, workspace_id: UUID) -> None:
    office = PostOffice(database, workspace_id, SecretBox(["k" * 40]), allow="box.internal:8080, 192.168.0.0/16")
    await office.endpoint("http://box.internal:8080/")
    await office.endpoint("http://192.168.0.5/")
    await office.endpoint("https://192.168.0.5/")
    with pytest.raises(Exception, match="begins with http"):
        await office.endpoint("http://hooks.example/")
    with pytest.raises(Exception, match="not on the public internet"):
        await office.endpoint("https://box.internal/")


async def test_during_development_plain_http_goes_to_the_internet_and_still_not_behind_us() -> None:
    addresses = Addresses(EgressRules(), resolve, plain_http=True)
    await addresses.require_usable("http://hooks.example/")
    for url in ("http://127.0.0.1:3000/hooks", "http://box.internal/"):
        with pytest.raises(Exception, match=f"webhooks listen --forward-to {url}"):
            await addresses.require_usable(url)


async def test_a_refused_address_is_spelled_as_the_setting_takes_it() -> None:
    with pytest.raises(Exception, match="not on the public internet") as refused:
        await Addresses(EgressRules(), resolve).require_usable("https://[fd00::1]/")
    assert "[fd00::1]:443" in str(refused.value)
    await Addresses(EgressRules.parse("[fd00::1]:443"), resolve).require_usable("https://[fd00::1]/")


async def test_unknown_events_are_refused_each_with_its_place(api: Api) -> None:
    body = {"url": HOOK, "events": ["workflow.done", "workflow.*", "record"]}
    answer = await api.post("/webhooks/endpoints", json=body)
    assert [(error["code"], error["pointer"]) for error in answer.json()["errors"]] == [
        ("EVENT_TYPE_UNKNOWN", "/events/0"),
        ("EVENT_TYPE_UNKNOWN", "/events/2"),
    ]


async def test_headers_that_are_ours_or_no_headers_are_refused(api: Api) -> None:
    headers = {"Content-Type": "text/plain", "webhook-id": "1", "X-A": "a\r\nb", "Authorization": "Basic eA=="}
    answer = await api.post("/webhooks/endpoints", json={"url": HOOK, "headers": headers})
    assert [error["pointer"] for error in answer.json()["errors"]] == [
        "/headers/Content-Type",
        "/headers/webhook-id",
        "/headers/X-A",
    ]


async def test_changing_leaves_what_is_left_out(api: Api) -> None:
    body = {"url": HOOK, "events": ["link.*"], "description": "first", "headers": {"X-A": "1"}}
    made = await api.ok("POST", "/webhooks/endpoints", 201, json=body)
    changed = await api.ok("PATCH", f"/webhooks/endpoints/{made['id']}", json={"description": "second", "paused": True})
    assert (changed["description"], changed["status"]) == ("second", "PAUSED")
    assert (changed["events"], changed["headers"], changed["url"]) == (["link.*"], ["X-A"], HOOK)
    everything = await api.ok("PATCH", f"/webhooks/endpoints/{made['id']}", json={"events": []})
    assert everything["events"] == []


async def test_a_contact_can_be_taken_away(api: Api) -> None:
    made = await api.ok("POST", "/webhooks/endpoints", 201, json={"url": HOOK, "contact": "it@example.com"})
    path = f"/webhooks/endpoints/{made['id']}"
    assert (await api.ok("PATCH", path, json={"description": "a"}))["contact"] == "it@example.com"
    assert (await api.ok("PATCH", path, json={"contact": None}))["contact"] is None
    assert (await api.refused("PATCH", path, json={"contact": ""}))[1] == ["FIELD_INVALID"]


async def test_a_deleted_endpoint_is_gone_and_gets_nothing(api: Api, office: PostOffice) -> None:
    made = await api.ok("POST", "/webhooks/endpoints", 201, json={"url": HOOK})
    await api.ok("DELETE", f"/webhooks/endpoints/{made['id']}", 204)
    await office.happen()
    await office.deliver()
    assert office.receivers.requests == []
    assert (await api.refused("GET", f"/webhooks/endpoints/{made['id']}"))[1] == ["WEBHOOK_ENDPOINT_NOT_FOUND"]
    assert (await api.ok("GET", "/webhooks/endpoints"))["data"] == []


async def test_a_test_message_reaches_only_the_endpoint_that_was_asked_for(api: Api, office: PostOffice) -> None:
    made = await api.ok("POST", "/webhooks/endpoints", 201, json={"url": HOOK, "events": ["link.sent"]})
    await office.endpoint("https://other.example/")
    delivery = await api.ok("POST", f"/webhooks/endpoints/{made['id']}/test", 202)
    await office.deliver()
    assert office.receivers.types(HOOK) == ["webhook.test"]
    assert office.receivers.types("https://other") == []
    detail = await api.ok("GET", f"/webhooks/deliveries/{delivery['id']}")
    assert (detail["status"], detail["log"][0]["responseStatus"]) == ("DELIVERED", 200)


async def test_what_a_paused_endpoint_cannot_do_is_said(api: Api) -> None:
    made = await api.ok("POST", "/webhooks/endpoints", 201, json={"url": HOOK, "paused": True})
    for act, body in (("test", None), ("recover", {"since": "2026-01-01T00:00:00Z"})):
        status, codes, (message,) = await api.refused("POST", f"/webhooks/endpoints/{made['id']}/{act}", json=body)
        assert (status, codes) == (409, ["WEBHOOK_ENDPOINT_INACTIVE"])
        assert "PATCH" in message


async def test_the_log_can_be_narrowed_and_paged(api: Api, office: PostOffice) -> None:
    await office.endpoint()
    execution = new_id()
    for kind in ("workflow.started", "workflow.completed"):
        await office.happen(kind, execution)
    await office.happen("link.sent")
    await office.deliver()
    first = await api.ok("GET", "/webhooks/deliveries", params={"limit": 2})
    second = await api.ok("GET", "/webhooks/deliveries", params={"limit": 2, "after": first["next"]})
    assert [one["eventType"] for one in first["data"] + second["data"]] == [
        "link.sent",
        "workflow.completed",
        "workflow.started",
    ]
    assert second["next"] is None
    for narrowed, count in (
        ({"workflowId": str(execution)}, 2),
        ({"types": "link.*"}, 1),
        ({"status": "FAILED"}, 0),
        ({"since": iso(office.clock() + timedelta(minutes=1))}, 0),
    ):
        assert len((await api.ok("GET", "/webhooks/deliveries", params=narrowed))["data"]) == count


async def test_all_failed_since_a_time_are_sent_again(api: Api, office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = always(500)
    await office.happen("workflow.failed")
    await office.deliver()
    await office.pass_time(timedelta(days=4), timedelta(hours=1))
    since = office.clock()
    await office.happen("workflow.completed")
    await office.deliver()
    await office.pass_time(timedelta(days=4), timedelta(hours=1))
    office.receivers.requests.clear()
    office.receivers.answer = lambda _: OK
    assert await api.ok("POST", "/webhooks/deliveries/replay", 202, json={"since": iso(since)}) == {"replayed": 1}
    await office.deliver()
    assert office.receivers.types() == ["workflow.completed"]


async def test_replaying_leaves_out_what_cannot_be_sent(office: PostOffice) -> None:
    """What goes to an endpoint that is gone, or whose event is, would be on its way for ever."""
    everything = DeliveryFilters(status="DELIVERED")
    deleted, kept = await office.endpoint("https://deleted.example/"), await office.endpoint("https://kept.example/")
    await office.happen("workflow.started")
    await office.deliver()
    await office.webhooks.delete(office.workspace_id, deleted.id)
    assert await office.webhooks.replay_all(office.workspace_id, everything) == 1
    await office.deliver()
    office.clock.move(timedelta(days=20))
    await office.webhooks.recover(office.workspace_id, kept.id, office.clock() - timedelta(days=21))
    await office.happen("workflow.completed")
    await office.deliver()
    office.clock.move(timedelta(days=11))
    assert await office.events.forget_old() == 1
    assert await office.webhooks.replay_all(office.workspace_id, everything) == 1
    await office.deliver()
    assert office.receivers.types("https://kept.example/") == [
        "workflow.started", "workflow.started", "workflow.completed", "workflow.completed",
    ]  # fmt: skip


async def test_many_are_replayed_in_short_transactions(office: PostOffice) -> None:
    await office.endpoint()
    for _ in range(5):
        await office.happen()
    await office.deliver()
    repository = WebhookRepository(office.database)
    everything = DeliveryFilters(status="DELIVERED")
    assert await repository.replay(office.workspace_id, everything, office.clock(), at_once=2) == 5
    await office.deliver()
    assert [delivery.attempts for delivery in await office.deliveries()] == [2] * 5


async def test_what_waits_for_a_paused_endpoint_has_no_next_attempt(api: Api, office: PostOffice) -> None:
    endpoint = await office.endpoint()
    office.receivers.answer = always(500)
    await office.happen()
    await office.deliver()

    async def due() -> str | None:
        (delivery,) = (await api.ok("GET", "/webhooks/deliveries"))["data"]
        return str(delivery["nextAttemptDate"]) if delivery["nextAttemptDate"] else None

    assert await due() == iso(office.clock() + timedelta(seconds=5))
    await api.ok("PATCH", f"/webhooks/endpoints/{endpoint.id}", json={"paused": True})
    assert await due() is None


@pytest.mark.parametrize("act", ["replay", "recover"])
async def test_what_would_be_tried_again_later_is_tried_at_once(api: Api, office: PostOffice, act: str) -> None:
    """Its receiver is well again, and nobody wants to wait for half a day."""
    endpoint = await office.endpoint()
    office.receivers.answer = always(500)
    since = office.clock()
    await office.happen("workflow.completed")
    await office.deliver()
    await office.pass_time(timedelta(hours=20), timedelta(minutes=10))
    office.receivers.requests.clear()
    office.receivers.answer = lambda _: OK
    await office.deliver()
    assert office.receivers.types() == []
    if act == "replay":
        assert await api.ok("POST", "/webhooks/deliveries/replay", 202, json={"since": iso(since)}) == {"replayed": 1}
    else:
        await api.ok("POST", f"/webhooks/endpoints/{endpoint.id}/recover", 202, json={"since": iso(since)})
    await office.deliver()
    assert office.receivers.types() == ["workflow.completed"]
    assert await api.ok("POST", "/webhooks/deliveries/replay", 202, json={"since": iso(since)}) == {"replayed": 0}


async def test_recovering_sends_what_was_never_sent_and_not_what_was(api: Api, office: PostOffice) -> None:
    since = office.clock()
    await office.happen("workflow.started")
    endpoint = await office.endpoint()
    await office.happen("workflow.completed")
    await office.deliver()
    assert office.receivers.types() == ["workflow.completed"]
    await api.ok("POST", f"/webhooks/endpoints/{endpoint.id}/recover", 202, json={"since": iso(since)})
    await office.deliver()
    assert office.receivers.types() == ["workflow.completed", "workflow.started"]


async def test_a_foreign_workspace_sees_and_touches_nothing(api: Api, stranger: Api, office: PostOffice) -> None:
    endpoint = await office.endpoint()
    await office.happen()
    await office.deliver()
    (delivery,) = (await api.ok("GET", "/webhooks/deliveries"))["data"]
    for method, path in (
        ("GET", f"/webhooks/endpoints/{endpoint.id}"),
        ("PATCH", f"/webhooks/endpoints/{endpoint.id}"),
        ("DELETE", f"/webhooks/endpoints/{endpoint.id}"),
        ("POST", f"/webhooks/endpoints/{endpoint.id}/rotate"),
        ("POST", f"/webhooks/endpoints/{endpoint.id}/test"),
        ("GET", f"/webhooks/deliveries/{delivery['id']}"),
        ("POST", f"/webhooks/deliveries/{delivery['id']}/replay"),
    ):
        body: Any = {} if method in ("PATCH", "POST") else None
        assert (await stranger.refused(method, path, json=body))[0] == 404, path
    assert (await stranger.ok("GET", "/webhooks/deliveries"))["data"] == []
    assert (await stranger.ok("GET", "/webhooks/endpoints"))["data"] == []
    assert (await stranger.ok("GET", "/events"))["data"] == []
    everything = {"since": "2020-01-01T00:00:00Z", "status": "DELIVERED"}
    assert await stranger.ok("POST", "/webhooks/deliveries/replay", 202, json=everything) == {"replayed": 0}


async def test_an_unknown_delivery_is_not_found(api: Api) -> None:
    assert (await api.refused("POST", f"/webhooks/deliveries/{UNKNOWN}/replay"))[1] == ["WEBHOOK_DELIVERY_NOT_FOUND"]


async def test_events_are_read_in_order_and_each_once(api: Api, office: PostOffice) -> None:
    sent = [str((await office.happen()).id) for _ in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    for _ in range(4):
        page = await api.ok("GET", "/events", params={"limit": "2", **after})
        seen += [event["id"] for event in page["data"]]
        after = {"after": page["next"]}
    assert seen == sent


async def test_a_filter_goes_on_past_what_it_leaves_out(api: Api, office: PostOffice) -> None:
    for _ in range(3):
        await office.happen("workflow.started")
    first = await api.ok("GET", "/events", params={"types": "link.*"})
    await office.happen("link.sent")
    second = await api.ok("GET", "/events", params={"types": "link.*", "after": first["next"]})
    assert (first["data"], [event["type"] for event in second["data"]]) == ([], ["link.sent"])


async def test_a_reader_waits_for_the_next_event(api: Api, office: PostOffice) -> None:
    first = await api.ok("GET", "/events")
    waiting = asyncio.create_task(api.ok("GET", "/events", params={"after": first["next"], "wait": 20}))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    event = await office.happen()
    page = await asyncio.wait_for(waiting, 5)
    assert [one["id"] for one in page["data"]] == [str(event.id)]


async def test_who_waits_is_answered_when_the_process_ends(api: Api, office: PostOffice) -> None:
    first = await api.ok("GET", "/events")
    waiting = asyncio.create_task(api.ok("GET", "/events", params={"after": first["next"], "wait": 50}))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    office.events.let_go()
    late = api.ok("GET", "/events", params={"after": first["next"], "wait": 50})
    for page in await asyncio.wait_for(asyncio.gather(waiting, late), 5):
        assert (page["data"], bool(page["next"])) == ([], True)


async def test_waiting_ends_by_itself(api: Api) -> None:
    page = await api.ok("GET", "/events", params={"wait": 1})
    assert page["data"] == []
    assert page["next"]


async def test_a_cursor_that_retention_has_overtaken_says_what_is_left(api: Api, office: PostOffice) -> None:
    await office.happen()
    old = (await api.ok("GET", "/events", params={"limit": 1}))["next"]
    await office.happen()
    office.clock.move(timedelta(days=31))
    current = (await api.ok("GET", "/events"))["next"]
    await office.happen("workflow.failed")
    assert await office.events.forget_old() == 2
    status, codes, (message,) = await api.refused("GET", "/events", params={"after": old})
    assert (status, codes) == (410, ["EVENTS_EXPIRED"])
    assert iso(office.clock()) in message
    # Whoever had read all that is gone has missed nothing.
    assert len((await api.ok("GET", "/events", params={"after": current}))["data"]) == 1
    assert len((await api.ok("GET", "/events"))["data"]) == 1


async def test_retention_takes_the_log_and_nothing_younger(api: Api, office: PostOffice) -> None:
    await office.endpoint()
    await office.happen()
    await office.deliver()
    office.clock.move(timedelta(days=31))
    await office.happen("workflow.failed")
    await office.deliver()
    assert await office.webhooks.forget_old() == 1
    await office.events.forget_old()
    (left,) = (await api.ok("GET", "/webhooks/deliveries"))["data"]
    assert left["eventType"] == "workflow.failed"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"after": "nonsense"}, "CURSOR_INVALID"),
        ({"wait": "51"}, "QUERY_INVALID"),
        ({"types": "workflow.done"}, "EVENT_TYPE_UNKNOWN"),
        ({"limit": "0"}, "LIMIT_INVALID"),
    ],
)
async def test_bad_questions_about_events_are_refused(api: Api, params: dict[str, str], code: str) -> None:
    assert (await api.refused("GET", "/events", params=params))[:2] == (400, [code])


async def test_a_payload_has_the_case_for_version_1_only(office: PostOffice) -> None:
    await office.endpoint("https://one.example/", api_version=1)
    await office.endpoint("https://two.example/", api_version=2)
    await office.happen(recordId=UNKNOWN)
    await office.deliver()
    data = {request.url: request.body["data"] for request in office.receivers.requests}
    assert data["https://one.example/"] == {"recordId": UNKNOWN, "caseId": UNKNOWN}
    assert data["https://two.example/"] == {"recordId": UNKNOWN}


async def test_events_are_fetched_as_a_webhook_of_the_keys_version_has_them(
    app: FastAPI, office: PostOffice, api: Api
) -> None:
    """A receiver of version 1 that is tried with `webhooks listen` reads `caseId`, as it will when it is served."""
    await office.happen(recordId=UNKNOWN)
    async with await _client(app, office, office.workspace_id, version=1) as old:
        (one,) = (await old.ok("GET", "/events"))["data"]
    assert one["data"] == {"recordId": UNKNOWN, "caseId": UNKNOWN}
    (one,) = (await api.ok("GET", "/events"))["data"]
    assert one["data"] == {"recordId": UNKNOWN}
