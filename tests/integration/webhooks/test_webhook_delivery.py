"""From an event's commit to its receiver: nothing is lost, nothing overtakes, nobody is held up."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from standardwebhooks import Webhook, WebhookVerificationError

from passerelle.events.appending import append_event
from passerelle.events.models import Event
from passerelle.kit.clock import iso, system_clock
from passerelle.kit.database import Database, fetch_one
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.kit.mail import MailLater, MailNever
from passerelle.kit.mail.fake import FakeMail
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.records.models import Author
from passerelle.tables.schemas import TableBody
from passerelle.webhooks.dispatcher import Dispatcher
from passerelle.webhooks.models import Claimed, EndpointChange
from passerelle.webhooks.owner_mail import OwnerMail
from passerelle.webhooks.queue import AttemptSlots
from tests.integration.webhooks.post_office import OK, PostOffice, Received, always, refuse


async def test_an_event_reaches_every_endpoint_that_wants_it(office: PostOffice) -> None:
    await office.endpoint("https://all.example/")
    await office.endpoint("https://some.example/", events=["workflow.completed", "link.*"])
    await office.endpoint("https://other.example/", events=["record.created"])
    for kind in ("workflow.started", "workflow.completed", "link.sent"):
        await office.happen(kind)
    await office.deliver()
    assert sorted(office.receivers.types("https://all")) == ["link.sent", "workflow.completed", "workflow.started"]
    assert sorted(office.receivers.types("https://some")) == ["link.sent", "workflow.completed"]
    assert office.receivers.types("https://other") == []


async def test_events_from_before_an_endpoint_was_made_are_not_sent(office: PostOffice) -> None:
    await office.happen()
    await office.endpoint()
    await office.happen("workflow.failed")
    await office.deliver()
    assert office.receivers.types() == ["workflow.failed"]


async def test_an_event_that_commits_late_is_not_skipped(office: PostOffice, database: Database) -> None:
    """Its id and its transaction are older than those of an event that was delivered before."""
    await office.endpoint()
    async with database.transaction(office.workspace_id) as slow:
        late = Event(office.workspace_id, new_id(), "workflow.started", {}, office.clock())
        await append_event(slow, late)
        await office.happen("workflow.completed")
        await office.deliver()
        assert office.receivers.types() == []
    await office.deliver()
    assert sorted(office.receivers.types()) == ["workflow.completed", "workflow.started"]


async def test_an_event_of_a_change_that_was_rolled_back_is_never_sent(office: PostOffice, database: Database) -> None:
    await office.endpoint()
    async with database.workspace(office.workspace_id) as connection:
        with suppress(LookupError):
            async with connection.transaction():
                event = Event(office.workspace_id, new_id(), "workflow.failed", {}, office.clock())
                await append_event(connection, event)
                raise LookupError
    await office.happen()
    await office.deliver()
    assert office.receivers.types() == ["workflow.completed"]


async def test_both_signatures_hold_over_the_exact_bytes(office: PostOffice) -> None:
    endpoint, secret = await office.webhooks.create(
        office.workspace_id, new_id(), _to("https://hooks.example/", {"X-Tenant": "7"})
    )
    office.clock.now = system_clock()
    event = await office.happen(name="Zażółć gęślą jaźń 🦊", big=9007199254740993)
    await office.deliver()
    (request,) = office.receivers.requests
    assert request.content.isascii()
    assert request.body["data"] == {"name": "Zażółć gęślą jaźń 🦊", "big": 9007199254740993}
    assert request.headers["x-tenant"] == "7"
    assert request.headers["webhook-id"] == str(event.id) == request.body["id"]
    Webhook(secret).verify(request.content, dict(request.headers))
    assert await _jws_holds(office, request)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(request.content + b" ", dict(request.headers))
    assert endpoint.header_names == ["X-Tenant"]


async def test_after_a_rotation_both_secrets_hold_until_the_old_one_ends(office: PostOffice) -> None:
    endpoint, old = await office.webhooks.create(office.workspace_id, new_id(), _to("https://hooks.example/"))
    office.clock.now = system_clock()
    _, new = await office.webhooks.rotate(office.workspace_id, endpoint.id, timedelta(hours=24))
    await office.happen()
    await office.deliver()
    first = office.receivers.requests[0]
    for secret in (old, new):
        Webhook(secret).verify(first.content, dict(first.headers))
    office.clock.move(timedelta(hours=25))
    await office.happen()
    await office.deliver()
    signatures = office.receivers.requests[1].headers["webhook-signature"].split()
    assert len(signatures) == 1


async def test_a_new_signing_key_is_published_before_it_signs(office: PostOffice) -> None:
    await office.endpoint()
    before = await office.accounts.signing_keys.of_workspace(office.workspace_id)
    made, _ = await office.accounts.signing_keys.rotate(office.workspace_id, timedelta(hours=1))
    published = {key["kid"] for key in (await office.accounts.signing_keys.jwks(office.workspace_id))["keys"]}
    assert {str(before.id), str(made)} <= published
    await office.happen()
    await office.deliver()
    office.clock.move(timedelta(hours=1))
    await office.happen()
    await office.deliver()
    kids = [json.loads(_header(request))["kid"] for request in office.receivers.requests]
    assert kids == [str(before.id), str(made)]
    assert [await _jws_holds(office, request) for request in office.receivers.requests] == [True, True]


async def test_the_given_retries_come_five_seconds_apart(office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = always(500)
    await office.happen()
    await office.deliver()
    await office.pass_time(timedelta(seconds=25), timedelta(seconds=1))
    attempts = await office.log()
    assert [attempt.number for attempt in attempts] == [1, 2, 3, 4, 5, 6]
    gaps = [b.started_at - a.started_at for a, b in pairwise(attempts)]
    assert gaps == [timedelta(seconds=5)] * 5
    assert attempts[0].error == "It answered 500: only 2xx says that the event was received."


async def test_a_receiver_that_is_away_for_an_hour_gets_everything_and_the_log_says_so(office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = refuse
    await office.happen()
    await office.deliver()
    await office.pass_time(timedelta(hours=1), timedelta(seconds=10))
    office.receivers.answer = lambda _: OK
    await office.pass_time(timedelta(hours=2), timedelta(minutes=1))
    (delivery,) = await office.deliveries()
    attempts = await office.log()
    assert delivery.status == "DELIVERED"
    assert attempts[0].error == "https://hooks.example could not be reached: Connection refused."
    assert (attempts[-1].response_status, attempts[-1].response_body) == (200, "thanks")


async def test_after_three_days_a_delivery_is_given_up_and_can_be_replayed(office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = always(503)
    await office.happen()
    await office.deliver()
    await office.pass_time(timedelta(days=4), timedelta(minutes=5))
    (delivery,) = await office.deliveries()
    attempts = await office.log()
    assert delivery.status == "FAILED"
    assert timedelta(days=2, hours=20) < attempts[-1].started_at - attempts[0].started_at < timedelta(days=3, hours=4)
    office.receivers.answer = lambda _: OK
    await office.webhooks.replay(office.workspace_id, delivery.id)
    await office.deliver()
    (delivery,) = await office.deliveries()
    assert (delivery.status, delivery.attempts) == ("DELIVERED", len(attempts) + 1)


async def test_retry_after_is_honoured(office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = always(429, retry_after="120")
    await office.happen()
    await office.deliver()
    office.receivers.answer = lambda _: OK
    await office.pass_time(timedelta(seconds=119), timedelta(seconds=1))
    assert len(office.receivers.requests) == 1
    await office.pass_time(timedelta(seconds=3), timedelta(seconds=1))
    assert len(office.receivers.requests) == 2
    first, _ = await office.log()
    asked = iso(first.started_at + timedelta(seconds=120))
    assert first.error == f"It answered 429 with Retry-After: the event is not sent again before {asked}."


async def test_redirects_are_not_followed_and_explained(office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = always(301, location="https://elsewhere.example/")
    await office.happen()
    await office.deliver()
    (attempt,) = await office.log()
    assert attempt.error is not None
    assert "redirects are not followed" in attempt.error
    assert {request.url for request in office.receivers.requests} == {"https://hooks.example/a"}


async def test_gone_disables_the_endpoint_and_the_others_hear_of_it(office: PostOffice) -> None:
    gone = await office.endpoint("https://gone.example/")
    await office.endpoint("https://other.example/")
    office.receivers.answer = lambda request: OutgoingAnswer(410, {}, b"") if "gone" in request.url else OK
    await office.happen()
    await office.deliver()
    await office.happen()
    await office.deliver()
    assert (await office.shown(gone)).status == "DISABLED"
    assert len(office.receivers.types("https://gone")) == 1
    assert office.receivers.types("https://other")[1:] == ["webhook.endpoint_disabled", "workflow.completed"]


async def test_an_address_that_was_changed_meanwhile_is_not_disabled_for_the_old_one(office: PostOffice) -> None:
    endpoint = await office.endpoint("https://old.example/")
    office.receivers.answer = always(410)

    async def after_a_change(claimed: Claimed) -> None:
        await office.webhooks.change(office.workspace_id, endpoint.id, EndpointChange(url="https://new.example/"))
        await office.webhooks.gone(claimed)

    await office.happen()
    courier = Dispatcher(office.queue, office.attempts, after_a_change, office.clock)
    await courier.turn()
    await courier.settle()
    assert (await office.shown(endpoint)).status == "ACTIVE"
    await office.happen()
    await office.deliver()
    assert (await office.shown(endpoint)).status == "DISABLED", "the new one is gone as well"


async def test_five_days_of_failing_disable_an_endpoint_and_activating_it_catches_up(office: PostOffice) -> None:
    endpoint = await office.endpoint()
    office.receivers.answer = always(500)
    for _ in range(6):
        await office.happen()
        await office.pass_time(timedelta(days=1), timedelta(hours=6))
        await office.webhooks.sweep()
    shown = await office.shown(endpoint)
    assert (shown.status, shown.disabled_why) == ("DISABLED", "no delivery has succeeded for 5 days")
    office.receivers.answer = lambda _: OK
    office.receivers.requests.clear()
    await office.happen("workflow.failed")
    await office.deliver()
    assert office.receivers.requests == []
    await office.webhooks.change(office.workspace_id, endpoint.id, EndpointChange(paused=False))
    await office.deliver()
    assert office.receivers.types()[-1] == "workflow.failed"
    pending = await office.deliveries(status="PENDING")
    assert pending == []


async def test_one_success_ends_a_time_of_failing(office: PostOffice) -> None:
    endpoint = await office.endpoint()
    office.receivers.answer = always(500)
    await office.happen()
    await office.deliver()
    assert (await office.shown(endpoint)).failing_since == office.clock()
    office.receivers.answer = lambda _: OK
    await office.pass_time(timedelta(seconds=6), timedelta(seconds=6))
    assert (await office.shown(endpoint)).failing_since is None


async def test_events_of_an_execution_arrive_in_order_through_a_short_failure(office: PostOffice) -> None:
    await office.endpoint()
    execution = new_id()
    failures = iter([500, 500])
    office.receivers.answer = lambda _: OutgoingAnswer(next(failures, 200), {}, b"")
    for kind in ("workflow.started", "workflow.awaiting", "workflow.completed"):
        await office.happen(kind, execution)
    await office.happen("workflow.cancelled", new_id())
    await office.deliver()
    await office.pass_time(timedelta(seconds=15), timedelta(seconds=1))
    kinds = [kind for kind in office.receivers.types() if kind != "workflow.cancelled"]
    assert kinds[-3:] == ["workflow.started", "workflow.awaiting", "workflow.completed"]
    assert "workflow.awaiting" not in kinds[:-2]


async def test_an_event_that_is_always_refused_does_not_hold_up_its_execution_for_ever(office: PostOffice) -> None:
    await office.endpoint()
    execution = new_id()
    office.receivers.answer = lambda request: (
        OutgoingAnswer(500, {}, b"") if request.body["type"] == "workflow.started" else OK
    )
    await office.happen("workflow.started", execution)
    await office.happen("workflow.completed", execution)
    await office.deliver()
    await office.pass_time(timedelta(seconds=40), timedelta(seconds=1))
    assert office.receivers.types().count("workflow.completed") == 1


async def test_paused_endpoints_get_everything_afterwards(office: PostOffice) -> None:
    endpoint = await office.endpoint()
    await office.webhooks.change(office.workspace_id, endpoint.id, EndpointChange(paused=True))
    await office.happen("workflow.started")
    await office.deliver()
    assert office.receivers.types() == []
    await office.webhooks.change(office.workspace_id, endpoint.id, EndpointChange(paused=False))
    await office.deliver()
    assert office.receivers.types() == ["workflow.started"]


async def test_a_workspace_without_endpoints_costs_no_rows(office: PostOffice) -> None:
    await office.happen()
    await office.deliver()
    async with office.database.workspace(office.workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM webhook_delivery") == 0


async def test_what_a_dead_process_took_falls_due_again(office: PostOffice) -> None:
    await office.endpoint()
    await office.happen()
    await office.queue.dispatch(office.clock())
    taken = await office.queue.claim(office.clock(), {}, AttemptSlots(10, 10, 10))
    assert len(taken) == 1
    await office.deliver()
    assert office.receivers.requests == []
    await office.pass_time(timedelta(seconds=31), timedelta(seconds=31))
    assert len(office.receivers.requests) == 1


async def test_a_success_counts_even_if_another_process_took_over_meanwhile(office: PostOffice) -> None:
    await office.endpoint()
    await office.happen()
    await office.queue.dispatch(office.clock())
    (first,) = await office.queue.claim(office.clock(), {}, AttemptSlots(10, 10, 10))
    office.clock.move(timedelta(seconds=31))
    (second,) = await office.queue.claim(office.clock(), {}, AttemptSlots(10, 10, 10))
    outcome = await office.attempts.make(first)
    await office.queue.record(office.clock(), [outcome])
    office.receivers.answer = always(500)
    await office.queue.record(office.clock(), [await office.attempts.make(second)])
    (delivery,) = await office.deliveries()
    assert (delivery.status, delivery.attempts) == ("DELIVERED", 2)


async def test_an_endpoint_takes_no_more_than_its_places(office: PostOffice) -> None:
    slow = await office.endpoint("https://slow.example/")
    await office.endpoint("https://quick.example/")
    for _ in range(10):
        await office.happen()
    await office.queue.dispatch(office.clock())
    taken = await office.queue.claim(office.clock(), {slow.id: 3}, AttemptSlots(4, 1, 100))
    assert sorted(claimed.url for claimed in taken) == ["https://quick.example/"] * 4 + ["https://slow.example/"]


async def test_workspaces_take_turns_whoever_has_more_endpoints(office: PostOffice) -> None:
    other = await office.accounts.create_workspace("other")
    for number in range(6):
        await office.endpoint(f"https://many.example/{number}")
    owner, office.workspace_id = office.workspace_id, other.id
    await office.endpoint("https://one.example/")
    await office.happen()
    office.workspace_id = owner
    await office.happen()
    await office.queue.dispatch(office.clock())
    taken = await office.queue.claim(office.clock(), {}, AttemptSlots(1, 1, 2))
    assert {claimed.event.workspace_id for claimed in taken} == {owner, other.id}


async def test_two_couriers_send_each_delivery_once(office: PostOffice) -> None:
    await office.endpoint()
    sent = [await office.happen() for _ in range(60)]
    await asyncio.gather(office.deliver(), office.deliver(office.another_courier()))
    assert sorted(request.body["id"] for request in office.receivers.requests) == sorted(str(e.id) for e in sent)


async def test_the_log_takes_whatever_a_receiver_answers(office: PostOffice) -> None:
    await office.endpoint()
    office.receivers.answer = lambda _: OutgoingAnswer(200, {"x": "a\0b", "set-cookie": "s=1"}, b"\xff\0\xc3")
    await office.happen()
    await office.deliver()
    (attempt,) = await office.log()
    assert attempt.response_headers == {"x": "a\ufffdb"}
    assert attempt.response_body == "\ufffd\ufffd\ufffd"


def _to(url: str, headers: dict[str, str] | None = None) -> EndpointChange:
    return EndpointChange(url=url, headers=headers, api_version=2)


def _header(request: Received) -> bytes:
    encoded = request.headers["jws-signature"].split(".")[0]
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


async def _jws_holds(office: PostOffice, request: Received) -> bool:
    header = json.loads(_header(request))
    assert header == {"alg": "RS256", "kid": header["kid"], "typ": "JWT"}
    key = await office.accounts.signing_keys.public_key(UUID(header["kid"]))
    found = jws.deserialize_compact(
        request.headers["jws-signature"], RSAKey.import_key(key.pem), payload=request.content
    )
    return bool(found.payload == request.content)


async def test_a_delivery_carries_the_fields_that_were_asked_for_and_no_personal_data_that_was_not(
    office: PostOffice,
) -> None:
    body = TableBody.model_validate(
        {
            "name": "customers",
            "fields": [
                {"name": "status", "type": "text"},
                {"name": "email", "type": "email", "pii": "contact"},
                {"name": "pesel", "type": "text", "pii": "identity"},
                {"name": "notes", "type": "text"},
            ],
        }
    )
    await office.tables.create(office.workspace_id, new_id(), body)
    values = {"status": "new", "email": "anna@example.com", "pesel": "44051401359", "notes": "x"}
    _, record = await office.records.create(office.workspace_id, "customers", values, Author("test"))
    wanted = ["status", "email", "pesel"]
    await office.endpoint("https://hooks.example/plain", events=["workflow.completed"])
    await office.endpoint("https://hooks.example/asked", events=["workflow.completed"], fields=wanted)
    await office.endpoint("https://hooks.example/all", events=["workflow.completed"], fields=wanted, pii=["contact"])
    await office.happen(recordId=str(record.id))
    await office.happen(recordId=str(new_id()))
    await office.deliver()
    got = {
        (request.url.rpartition("/")[2], request.body["data"]["recordId"] == str(record.id)): request.body["data"].get(
            "fields", "absent"
        )
        for request in office.receivers.requests
    }
    assert got == {
        ("plain", True): "absent",
        ("asked", True): {"status": "new"},
        ("all", True): {"status": "new", "email": "anna@example.com"},
        ("plain", False): "absent",
        ("asked", False): {},
        ("all", False): {},
    }


async def _owner_job(office: PostOffice) -> JobRunning | None:
    async with office.database.shared() as connection:
        row = await connection.fetchrow(
            "DELETE FROM pgqueuer WHERE entrypoint = 'webhook.tell_owner' "
            "AND convert_from(payload, 'UTF8')::jsonb ->> 'workspaceId' = $1 RETURNING id, payload",
            str(office.workspace_id),
        )
    return None if row is None else JobRunning(row["id"], loads(row["payload"]))


async def test_the_owner_of_an_endpoint_that_was_disabled_gets_an_email(office: PostOffice) -> None:
    endpoint = await office.endpoint(events=["workflow.completed"], contact="it@example.com")
    office.receivers.answer = always(410)
    await office.happen()
    await office.deliver()
    job = await _owner_job(office)
    assert job is not None
    mail = FakeMail(errors=[MailLater("The server is busy.")])
    owner_mail = OwnerMail(office.database, mail, office.clock, new_id)
    with pytest.raises(MailLater):  # the queue runs the job again
        await owner_mail.run(job)
    await owner_mail.run(job)
    (message,) = mail.sent
    assert [address.mailbox for address in message.to] == ["it@example.com"]
    assert endpoint.url in message.text
    assert "410" in message.text
    assert await _told(office) == [("email.sent", None)]


async def test_an_owner_who_cannot_be_told_is_an_event_and_one_without_address_costs_nothing(
    office: PostOffice,
) -> None:
    office.receivers.answer = always(410)
    silent = await office.endpoint("https://hooks.example/silent", events=["workflow.completed"])
    await office.happen()
    await office.deliver()
    assert (await office.shown(silent)).status == "DISABLED"
    assert await _owner_job(office) is None

    await office.endpoint(events=["workflow.completed"], contact="gone@example.com")
    await office.happen()
    await office.deliver()
    job = await _owner_job(office)
    assert job is not None
    mail = FakeMail(errors=[MailNever("550 no such mailbox"), MailLater("The server is busy.")])
    await OwnerMail(office.database, mail, office.clock, new_id).run(job)
    office.clock.move(timedelta(days=4))  # longer than it is tried
    await OwnerMail(office.database, mail, office.clock, new_id).run(job)
    assert await _told(office) == [("email.failed", "550 no such mailbox"), ("email.failed", "The server is busy.")]


async def _told(office: PostOffice) -> list[tuple[str, str | None]]:
    excerpt = await office.events.read(office.workspace_id, None, ["email.sent", "email.failed"], 10, 0)
    return [(event.type, event.data["error"]) for event in excerpt.events]


async def test_an_operator_sees_in_figures_what_is_stuck(office: PostOffice) -> None:
    async def counts() -> dict[str, float]:
        async with office.database.shared() as connection:
            return dict(await fetch_one(connection, "SELECT * FROM webhook_counts($1)", office.clock()))

    before = await counts()
    await office.endpoint("https://hooks.example/well", events=["workflow.completed"])
    await office.endpoint("https://hooks.example/ill", events=["workflow.completed"])
    office.receivers.answer = lambda request: OK if "well" in request.url else OutgoingAnswer(500, {}, b"")
    await office.happen()
    await office.deliver()
    office.clock.move(timedelta(minutes=2))
    now = await counts()
    assert {name: now[name] - before[name] for name in ("pending", "failing", "disabled", "succeeded", "failed")} == {
        "pending": 1, "failing": 1, "disabled": 0, "succeeded": 1, "failed": 1,
    }  # fmt: skip
    assert now["overdue_seconds"] == 0, "what waits for a receiver that fails is no backlog of ours"


async def test_an_operator_sees_that_no_worker_runs(office: PostOffice) -> None:
    """Without one events do not even become deliveries."""

    async def overdue() -> float:
        async with office.database.shared() as connection:
            return float(await connection.fetchval("SELECT overdue_seconds FROM webhook_counts($1)", office.clock()))

    await office.happen()
    await office.endpoint()
    office.clock.move(timedelta(minutes=2))
    assert await overdue() == 0, "what happened before the endpoint was made is not for it"
    await office.happen()
    office.clock.move(timedelta(minutes=2))
    assert await overdue() == 120
    await office.deliver()
    assert await overdue() == 0


async def somebody_waits(database: Database, many: int = 1) -> bool:
    """Whether so many wait for a lock that somebody else has."""
    async with database.shared() as connection:
        found: int = await connection.fetchval(
            "SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
            "WHERE NOT granted AND datname = current_database()"
        )
    return found >= many


async def test_nothing_is_left_on_its_way_to_an_endpoint_that_was_deleted(
    office: PostOffice, database: Database
) -> None:
    """Events become deliveries while the endpoint is being deleted, which waits for somebody else."""
    endpoint = await office.endpoint()
    await office.happen()
    await office.queue.dispatch(office.clock())
    await office.happen()
    async with database.transaction(office.workspace_id) as held:
        await held.execute("SELECT FROM webhook_delivery WHERE endpoint_id = $1 FOR UPDATE", endpoint.id)
        deleting = asyncio.create_task(office.webhooks.delete(office.workspace_id, endpoint.id))
        while not await somebody_waits(database):
            pass
        dispatching = asyncio.create_task(office.queue.dispatch(office.clock()))
        while not dispatching.done() and not await somebody_waits(database, 2):
            pass
    await asyncio.gather(deleting, dispatching)
    await office.queue.dispatch(office.clock())
    assert {one.status for one in await office.deliveries()} == {"FAILED"}
