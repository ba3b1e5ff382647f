"""Deciding reviews through the API: who may, once only, under four eyes, at the same time, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from passerelle.accounts.service import checked_roles
from passerelle.app.services import Services
from passerelle.kit.clock import MovedClock
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.kit.mail import MailError, MailLater, MailNever
from passerelle.kit.mail.fake import FakeMail
from passerelle.people.models import NewUser
from passerelle.reviews.notices import Notices
from passerelle.reviews.repository import ReviewRepository
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

MANUAL = """
name: manual
parameters: {who: {type: string, default: Compliance}}
steps:
  - id: decide
    review:
      title: {en: Manual check}
      outcomes: [approve, reject]
      assignTo: "${parameters.who}"
      within: 2d
      remindEvery: 1d
      notify: compliance@example.com
  - id: done
    set: {outcome: "${steps.decide.outcome}"}
result: {decision: "${steps.decide}"}
"""

OPEN_TO_ALL = """
name: open-to-all
steps: [{id: decide, review: {title: Check, outcomes: [approve, reject], fourEyes: true}}]
result: {decision: "${steps.decide}"}
"""

OWNERS = """
name: owners
steps:
  - id: owners
    each:
      in: "${[1, 2, 3]}"
      steps: [{id: decide, review: {title: Owner, outcomes: [approve, reject]}}]
  - id: last
    review: {title: Last, outcomes: [approve, reject]}
result: "${steps.owners.items.map(item, item.decide.outcome)}"
"""


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


async def key(product: Product, name: str, *roles: str) -> httpx.AsyncClient:
    """A client with credentials of its own."""
    token = (await product.services.accounts.create_token(product.workspace_id, name, 2, roles)).secret
    transport = httpx.ASGITransport(product.app)
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers={"Authorization": f"Bearer {token}"})


async def person(product: Product, name: str) -> httpx.AsyncClient:
    """A client of somebody who has signed in; the same name again is the same person in another browser."""
    people, email = product.services.people, f"{name.lower()}@example.com"
    organization_id = await people.users.organization_of(product.workspace_id)
    user = await people.users.by_email(organization_id, email)
    if user is None:
        user = await people.users.make(organization_id, NewUser(email, "admin", name))
    opened = await people.sessions.open("127.0.0.1", "test", user=user, factors=["password"], complete=True)
    transport = httpx.ASGITransport(product.app)
    headers = {"Cookie": f"{people.authenticator.cookie}={opened.secret}", "X-Passerelle-Client": "test"}
    return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


async def decide(
    client: httpx.AsyncClient, workflow: dict[str, Any], outcome: str = "approve", step: str = "decide", **more: Any
) -> httpx.Response:
    return await client.post(f"/workflows/{workflow['id']}/reviews/{step}", json={"outcome": outcome, **more})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def said(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["message"])


async def rows(product: Product, query: str, *values: Any) -> list[Any]:
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        return list(await connection.fetch(query, *values))


async def events(product: Product, workflow: dict[str, Any], prefix: str) -> list[tuple[str, dict[str, Any]]]:
    found = await rows(
        product,
        "SELECT type, data FROM event WHERE data ->> 'workflowId' = $1 AND starts_with(type, $2) ORDER BY id",
        workflow["id"],
        prefix,
    )
    return [(row["type"], row["data"]) for row in found]


async def test_a_review_is_listed_decided_and_its_decision_is_the_result(product: Product) -> None:
    anna = await key(product, "Anna", "compliance")
    workflow = await product.run(MANUAL)
    (waiting,) = (await product.api.get(f"/workflows/{workflow['id']}")).json()["waitingFor"]
    assert (waiting["step"], waiting["kind"], waiting["assignTo"]) == ("decide", "review", "Compliance")
    (listed,) = (await anna.get("/reviews")).json()["data"]
    assert listed == {
        "workflowId": workflow["id"],
        "workflowDefinitionId": listed["workflowDefinitionId"],
        "name": "manual",
        "step": "decide",
        "title": {"en": "Manual check"},
        "outcomes": ["approve", "reject"],
        "assignTo": "Compliance",
        "fourEyes": False,
        "votes": [],
        "requestedAt": waiting["requestedAt"],
        "until": waiting["until"],
        "takenBy": None,
        "mayDecide": True,
        "changes": [],
    }
    answer = await decide(anna, workflow, comment="all good")
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    decision = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]["decision"]
    assert (decision["outcome"], decision["comment"], decision["by"]["name"]) == ("approve", "all good", "Anna")
    assert UUID(decision["by"]["id"])
    assert (await anna.get("/reviews")).json() == {"data": [], "next": None}
    told = await events(product, workflow, "review.")
    assert [(kind, data["outcome"]) for kind, data in told] == [
        ("review.requested", None),
        ("review.decided", "approve"),
    ]
    step = (await product.api.get(f"/workflows/{workflow['id']}/timeline")).json()["steps"][0]
    assert (step["kind"], step["input"]["assignTo"], step["output"]["outcome"]) == ("review", "Compliance", "approve")


async def test_whoever_lacks_the_role_may_not_decide(product: Product) -> None:
    ben = await key(product, "Ben", "sales")
    workflow = await product.run(MANUAL)
    answer = await decide(ben, workflow)
    assert code(answer) == (403, "REVIEW_NOT_ALLOWED")
    assert said(answer) == "this review is assigned to Compliance, and the roles of Ben are: sales"
    assert (await ben.get("/reviews")).json()["data"][0]["mayDecide"] is False
    assert (await ben.get("/reviews", params={"mine": "true"})).json()["data"] == []


async def test_it_may_be_assigned_to_one_person(product: Product) -> None:
    anna, ben = await key(product, "Anna", "anna@example.com"), await key(product, "Ben", "compliance")
    workflow = await product.run(MANUAL, who="Anna@example.com")
    assert code(await decide(ben, workflow)) == (403, "REVIEW_NOT_ALLOWED")
    assert (await decide(anna, workflow)).status_code == 200


async def test_a_second_decision_learns_of_the_first(product: Product) -> None:
    anna, ben = await key(product, "Anna", "compliance"), await key(product, "Ben", "compliance")
    workflow = await product.run(MANUAL)
    await decide(anna, workflow, "reject")
    for again in (await decide(ben, workflow), await decide(anna, workflow, "reject")):
        assert code(again) == (409, "REVIEW_DECIDED")
        assert said(again).startswith("the review `decide` is decided: `reject` by Anna at 20")


async def test_the_same_request_again_gets_the_same_answer(product: Product) -> None:
    anna = await key(product, "Anna", "compliance")
    workflow = await product.run(MANUAL)
    anna.headers["Idempotency-Key"] = "once"
    first, second = await decide(anna, workflow), await decide(anna, workflow)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replayed"] == "true"


async def test_what_cannot_be_decided_says_why(product: Product) -> None:
    workflow = await product.run(OWNERS)
    answer = await decide(product.api, workflow, "maybe", "owners[0].decide")
    assert code(answer) == (400, "REVIEW_OUTCOME_UNKNOWN")
    assert answer.json()["errors"][0]["pointer"] == "/outcome"
    assert said(answer) == "`maybe` cannot be decided here; send one of `approve`, `reject`"
    answer = await decide(product.api, workflow, step="decid")
    assert code(answer) == (404, "REVIEW_NOT_FOUND")
    assert said(answer) == "owners has no review `decid`; did you mean `decide`?"
    assert code(await decide(product.api, workflow, step="owners")) == (404, "REVIEW_NOT_FOUND")
    assert code(await decide(product.api, workflow, step="last")) == (409, "REVIEW_NOT_REACHED")
    assert code(await decide(product.api, workflow, step="owners[7].decide")) == (409, "REVIEW_NOT_REACHED")
    assert code(await decide(product.api, {"id": str(uuid4())})) == (404, "WORKFLOW_NOT_FOUND")
    assert code(await decide(product.stranger, workflow)) == (404, "WORKFLOW_NOT_FOUND")
    assert code(await decide(product.api, workflow, comment="x" * 4001)) == (400, "FIELD_INVALID")
    await product.api.post(f"/workflows/{workflow['id']}/cancel")
    assert code(await decide(product.api, workflow, step="last")) == (409, "WORKFLOW_ENDED")


async def test_reviews_inside_of_each_are_decided_by_their_path(product: Product) -> None:
    workflow = await product.run(OWNERS)
    answer = await decide(product.api, workflow)
    assert code(answer) == (409, "REVIEW_AMBIGUOUS")
    assert "owners[0].decide, owners[1].decide, owners[2].decide" in said(answer)
    await decide(product.api, workflow, "reject", "owners[1].decide")
    await decide(product.api, workflow, "approve", "owners[0].decide")
    assert code(await decide(product.api, workflow, step="owners[0].decide")) == (409, "REVIEW_DECIDED")
    assert (await decide(product.api, workflow, "approve")).status_code == 200, "only one is left"
    await decide(product.api, workflow, step="last")
    result = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]
    assert result == ["approve", "reject", "approve"]


async def test_under_four_eyes_two_persons_are_needed(product: Product) -> None:
    anna, ben = await person(product, "Anna"), await person(product, "Ben")
    workflow = await product.run(OPEN_TO_ALL)
    first = await decide(anna, workflow, "approve")
    assert first.json()["status"] == "AWAITING"
    assert [vote["by"]["name"] for vote in first.json()["waitingFor"][0]["votes"]] == ["Anna"]
    again = await decide(anna, workflow, "approve")
    assert code(again) == (409, "REVIEW_NEEDS_ANOTHER")
    assert said(again) == "you decided `approve` already: under four eyes somebody else has to decide now"
    assert (await decide(ben, workflow, "reject")).json()["status"] == "AWAITING", "they disagree"
    assert (await decide(anna, workflow, "reject")).json()["status"] == "COMPLETED"
    decision = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]["decision"]
    assert decision["outcome"] == "reject"
    assert [(vote["by"]["name"], vote["outcome"]) for vote in decision["votes"]] == [
        ("Anna", "approve"),
        ("Ben", "reject"),
        ("Anna", "reject"),
    ]
    told = await events(product, workflow, "review.")
    assert [kind for kind, _ in told] == ["review.requested", "review.voted", "review.voted", "review.decided"]


async def test_of_two_keys_at_the_same_time_one_decides(product: Product) -> None:
    """The fence: whoever commits second finds the review decided, and nothing is recorded twice."""
    clients = [await key(product, f"Key {number}", "compliance") for number in range(4)]
    for _ in range(5):
        workflow = await product.run(MANUAL)
        answers = await asyncio.gather(*(decide(client, workflow) for client in clients))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert {code(answer)[1] for answer in answers if answer.status_code == 409} == {"REVIEW_DECIDED"}
        recorded = await rows(
            product, "SELECT output FROM step_run WHERE execution_id = $1 AND step = 'decide'", UUID(workflow["id"])
        )
        assert len(recorded) == 1
        assert len(await events(product, workflow, "review.decided")) == 1


async def test_two_persons_at_the_same_time_are_four_eyes(product: Product) -> None:
    anna, ben = await person(product, "Anna"), await person(product, "Ben")
    for _ in range(5):
        workflow = await product.run(OPEN_TO_ALL)
        answers = await asyncio.gather(decide(anna, workflow), decide(ben, workflow), decide(anna, workflow))
        done = await product.api.get(f"/workflows/{workflow['id']}/result")
        assert {vote["by"]["name"] for vote in done.json()["result"]["decision"]["votes"]} == {"Anna", "Ben"}
        assert sorted(answer.status_code for answer in answers) == [200, 200, 409]


async def test_a_key_is_no_second_person_and_a_persons_sessions_are_one(product: Product) -> None:
    anna, again = await person(product, "Anna"), await person(product, "Anna")
    service, workflow = await key(product, "Shop"), await product.run(OPEN_TO_ALL)
    assert (await decide(anna, workflow)).json()["status"] == "AWAITING"
    assert code(await decide(service, workflow)) == (409, "REVIEW_NEEDS_PERSON")
    assert code(await decide(again, workflow)) == (409, "REVIEW_NEEDS_ANOTHER")
    (listed,) = (await service.get("/reviews", params={"workflowId": workflow["id"]})).json()["data"]
    assert listed["mayDecide"] is False


async def test_who_changed_the_record_after_the_request_is_shown(product: Product) -> None:
    fields = [{"name": "iban", "type": "text"}]
    await product.api.post("/tables", json={"name": "suppliers", "fields": fields})
    record = (await product.api.post("/tables/suppliers/records", json={"iban": "old"})).json()
    pushed = await product.push(
        "name: supplier\nrecord: {table: suppliers}\n"
        "steps: [{id: decide, review: {title: Check, outcomes: [approve, reject]}}]\n"
    )
    body = {"workflowDefinitionId": pushed.json()["id"], "recordId": record["id"]}
    workflow = (await product.api.post("/workflows/run", json=body)).json()
    await product.api.patch(f"/tables/suppliers/records/{record['id']}", json={"iban": "new"})
    (listed,) = (await product.api.get("/reviews", params={"workflowId": workflow["id"]})).json()["data"]
    assert [(change["by"], change["fields"]) for change in listed["changes"]] == [("ops", ["iban"])]


async def test_the_reviewed_cannot_loosen_the_rules_of_an_open_review(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever pushes `fourEyes: false` and moves the execution decides alone no more than before."""
    monkeypatch.setattr(product.services.moves, "_run_wait", timedelta())
    anna, ben, cleo = [await person(product, name) for name in ("Anna", "Ben", "Cleo")]
    workflow = await product.run(OPEN_TO_ALL)
    loose = await product.push(OPEN_TO_ALL.replace("fourEyes: true", "fourEyes: false"))
    moves = f"/definitions/{loose.json()['id']}/migrations"
    wish = {"from": loose.json()["revision"] - 1, "to": loose.json()["revision"], "workflowIds": [workflow["id"]]}

    async def move(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
        """As a worker would do it."""
        made = (await client.post(moves, json={**wish, **more})).json()
        facts = {
            "workspaceId": str(product.workspace_id),
            "definitionId": loose.json()["id"],
            "migrationId": made["id"],
        }
        await product.services.moves.run(JobRunning(0, facts))
        found: dict[str, Any] = (await product.api.get(f"{moves}/{made['id']}")).json()
        return found

    moved = await move(product.api)
    assert (moved["verdicts"]["loosens"], moved["moved"]) == (1, 0)
    assert moved["reasons"][0]["code"] == "REVIEW_LOOSENED"
    assert (await decide(anna, workflow)).json()["status"] == "AWAITING", "two are still needed"
    refused = await move(anna, loosenReviews=True)
    assert (refused["moved"], refused["reasons"][0]["code"]) == (0, "REVIEW_VOTED")
    allowed = await move(cleo, loosenReviews=True)
    assert (allowed["moved"], allowed["verdicts"]["loosens"]) == (1, 1)
    assert (await decide(ben, workflow, "reject")).json()["status"] == "COMPLETED"


async def test_the_list_is_filtered_and_paged(product: Product) -> None:
    for _ in range(2):
        await product.run(MANUAL)
    owners = await product.run(OWNERS)
    found: list[tuple[str, str]] = []
    after: dict[str, str] = {}
    while True:
        page = (await product.api.get("/reviews", params={"limit": "2", **after})).json()
        found += [(review["name"], review["step"]) for review in page["data"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert found == [*[("manual", "decide")] * 2, *[("owners", f"owners[{number}].decide") for number in range(3)]]

    async def count(**params: str) -> int:
        return len((await product.api.get("/reviews", params=params)).json()["data"])

    assert await count(assignTo="COMPLIANCE") == 2
    assert await count(workflowId=owners["id"]) == 3
    assert await count(mine="true") == 3, "those that are assigned to nobody"
    definition = (await product.api.get(f"/workflows/{owners['id']}")).json()["workflowDefinitionId"]
    assert await count(workflowDefinitionId=definition) == 3
    assert (await product.stranger.get("/reviews")).json() == {"data": [], "next": None}
    wrong = await product.api.get("/reviews", params={**after, "assignTo": "compliance"})
    assert code(wrong) == (400, "CURSOR_INVALID")


async def test_the_open_reviews_have_an_index(product: Product) -> None:
    """Without it the list would read every execution of a workspace."""
    plan = await rows(
        product,
        "EXPLAIN SELECT id FROM execution WHERE workspace_id = $1 "
        """AND waiting_for @> '[{"kind": "review"}]' ORDER BY id LIMIT 25""",
        product.workspace_id,
    )
    assert "execution_in_review" in "\n".join(row[0] for row in plan)


def test_a_role_is_one_word_or_an_address() -> None:
    assert checked_roles(["compliance", "anna@example.com", "compliance"]) == ("compliance", "anna@example.com")
    for wrong in ("", "two words", "x" * 101, "a,b"):
        with pytest.raises(ValueError, match="is no role"):
            checked_roles([wrong])


# Time.


@pytest.fixture
def clock(product: Product, monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """The engine's clock, which stands still."""
    clock = MovedClock()
    monkeypatch.setattr(product.services.runner, "_clock", clock)
    monkeypatch.setattr(product.services.runner._commits, "_clock", clock)
    return clock


async def job(product: Product, workflow: dict[str, Any]) -> int:
    (row,) = await rows(product, "SELECT job_id FROM execution WHERE id = $1", UUID(workflow["id"]))
    return int(row["job_id"])


async def resume(product: Product, workflow: dict[str, Any], number: int) -> None:
    """Do what a worker does with a job that is due."""
    await product.services.runner.resume(product.workspace_id, UUID(workflow["id"]), number)


async def notices(product: Product, mail: FakeMail, clock: MovedClock) -> list[str | None]:
    """Do what a worker does with the jobs of messages; what each raised."""
    repository = ReviewRepository(product.services.shared.database)
    sending = Notices(product.services.runner, repository, mail, clock, uuid4, "https://p.example")
    found = await rows(product, "SELECT id, payload FROM pgqueuer WHERE entrypoint = 'execution.notice' ORDER BY id")
    mine = [row for row in found if loads(row["payload"])["workspaceId"] == str(product.workspace_id)]
    raised: list[str | None] = []
    for row in mine:
        try:
            await sending.run(JobRunning(row["id"], loads(row["payload"])))
            await rows(product, "DELETE FROM pgqueuer WHERE id = $1", row["id"])
            raised.append(None)
        except MailLater as error:
            raised.append(error.message)
    return raised


async def test_after_its_limit_nobody_may_decide_whether_its_timer_ran_or_not(
    product: Product, clock: MovedClock
) -> None:
    anna = await key(product, "Anna", "compliance")
    workflow = await product.run(MANUAL)
    clock.move(timedelta(days=2))
    assert code(await decide(anna, workflow)) == (409, "REVIEW_TOO_LATE")
    await resume(product, workflow, await job(product, workflow))
    assert code(await decide(anna, workflow)) == (409, "REVIEW_TOO_LATE")
    failed = (await product.api.get(f"/workflows/{workflow['id']}")).json()
    assert (failed["status"], failed["error"]["code"]) == ("FAILED", "REVIEW_TIMEOUT")
    await product.api.post(f"/workflows/{workflow['id']}/retry")
    assert (await decide(anna, workflow)).json()["status"] == "COMPLETED", "a retry asks again"


async def test_a_timer_that_runs_twice_or_late_counts_once(product: Product, clock: MovedClock) -> None:
    """A process that dies after its commit leaves its job: the next one finds another job in its place."""
    workflow = await product.run(MANUAL)
    first = await job(product, workflow)
    clock.move(timedelta(days=1))
    await resume(product, workflow, first)
    await resume(product, workflow, first)
    told = await events(product, workflow, "review.reminded")
    assert len(told) == 1
    await asyncio.gather(*(resume(product, workflow, first) for _ in range(3)))
    second = await job(product, workflow)
    assert second != first
    clock.move(timedelta(days=1))
    await asyncio.gather(*(resume(product, workflow, second) for _ in range(3)))
    assert len(await events(product, workflow, "workflow.failed")) == 1
    assert await rows(product, "SELECT FROM pgqueuer WHERE id = ANY ($1)", [second]) == []


async def test_those_who_decide_get_a_message_and_reminders_as_long_as_it_is_open(
    product: Product, clock: MovedClock
) -> None:
    mail = FakeMail()
    workflow = await product.run(MANUAL, who="anna@example.com")
    assert await notices(product, mail, clock) == [None]
    (message,) = mail.sent
    assert [address.mailbox for address in message.to] == ["compliance@example.com", "anna@example.com"]
    assert message.subject == "Manual check (manual)"
    assert f"https://p.example/app/reviews/{workflow['id']}/decide\n" in message.text
    assert "Until      2026-01-07 09:00 UTC" in message.text
    clock.move(timedelta(days=1))
    await resume(product, workflow, await job(product, workflow))
    assert await notices(product, mail, clock) == [None]
    assert mail.sent[1].subject == "Reminder: Manual check (manual)"
    assert mail.sent[1].key != message.key
    assert [kind for kind, _ in await events(product, workflow, "email.")] == ["email.sent"] * 2


async def test_a_message_that_nobody_needs_any_more_is_not_sent(product: Product, clock: MovedClock) -> None:
    anna, mail = await key(product, "Anna", "compliance"), FakeMail()
    workflow = await product.run(MANUAL)
    await decide(anna, workflow)
    assert await notices(product, mail, clock) == [None]
    assert mail.sent == []


async def test_a_mail_server_that_is_away_is_asked_again_for_a_day(product: Product, clock: MovedClock) -> None:
    workflow = await product.run(MANUAL)
    away: list[MailError] = [MailLater("The mail server is away.") for _ in range(2)]
    assert await notices(product, FakeMail(away), clock) == ["The mail server is away."]
    clock.move(timedelta(days=1))
    assert await notices(product, FakeMail(away), clock) == [None]
    ((kind, data),) = await events(product, workflow, "email.")
    assert (kind, data["error"]) == ("email.failed", "The mail server is away.")


async def test_a_message_that_is_refused_for_good_is_told_and_the_review_goes_on(
    product: Product, clock: MovedClock
) -> None:
    anna = await key(product, "Anna", "compliance")
    workflow = await product.run(MANUAL)
    refused = MailNever("The server refused it.", code=550, reply="no such mailbox")
    assert await notices(product, FakeMail([refused]), clock) == [None]
    ((kind, data),) = await events(product, workflow, "email.")
    assert (kind, data["error"], data["linkId"]) == ("email.failed", "550 no such mailbox", None)
    assert UUID(data["emailId"])
    assert (await decide(anna, workflow)).status_code == 200


ONBOARDING = """
name: asks-first
title: Your company
steps:
  - id: details
    form: {title: Details, schema: {type: object, properties: {name: {type: string}, number: {type: string}}}}
  - id: decide
    review: {title: Check, outcomes: [approve, reject], assignTo: reviewer}
result: {number: "${steps.details.number}", outcome: "${steps.decide.outcome}"}
"""


async def colleague(product: Product, email: str, role: str = "reviewer") -> str:
    users = product.services.people.users
    organization = await users.organization_of(product.workspace_id)
    made = await users.make(organization, NewUser(email, "member", first_name=email.partition("@")[0].title()))
    await users.put_member(organization, product.workspace_id, made.id, role)
    return str(made.id)


async def assigned(
    product: Product, workflow: dict[str, Any], user: str | None, before: str | None = None
) -> httpx.Response:
    body = {"userId": user, "insteadOf": before}
    return await product.api.put(f"/workflows/{workflow['id']}/reviews/decide/assignment", json=body)


async def onboarded(product: Product) -> dict[str, Any]:
    """An execution whose end user has answered, and that waits for its review."""
    definition = (await product.push(ONBOARDING)).json()["id"]
    body = {"workflowDefinitionId": definition, "email": "eve@example.com"}
    made = (await product.api.post("/link/send", json=body)).raise_for_status().json()
    execution = UUID(made["workflowId"])
    await product.services.end_users.submit(product.workspace_id, execution, "details", 1, {"name": "Eve"})
    return {"id": made["workflowId"], "linkId": made["linkId"]}


async def test_a_review_is_given_to_one_person_and_taken_over_knowingly(product: Product) -> None:
    anna, ben = await colleague(product, f"anna-{uuid4()}@example.com"), await colleague(product, f"ben-{uuid4()}@b.pl")
    viewer = await colleague(product, f"vic-{uuid4()}@example.com", "viewer")
    workflow = await onboarded(product)
    assert code(await assigned(product, workflow, viewer)) == (409, "REVIEWER_UNFIT")
    assert code(await assigned(product, workflow, str(uuid4()))) == (409, "REVIEWER_UNFIT")
    assert (await assigned(product, workflow, anna)).status_code == 204
    (mine,) = (await product.api.get("/reviews", params={"takenBy": anna})).json()["data"]
    assert mine["takenBy"]["id"] == anna
    assert (await product.api.get("/reviews", params={"takenBy": "nobody"})).json()["data"] == []
    assert code(await assigned(product, workflow, ben)) == (409, "REVIEW_TAKEN")
    reviewer = await key(product, "Robot", "reviewer")
    assert code(await decide(reviewer, workflow)) == (409, "REVIEW_TAKEN")
    assert (await assigned(product, workflow, ben, anna)).status_code == 204
    assert (await assigned(product, workflow, None, ben)).status_code == 204
    assert (await decide(reviewer, workflow)).status_code == 200
    names = {one["id"]: one["mayReview"] for one in (await product.api.get("/people")).json()["data"]}
    assert (names[anna], names[viewer]) == (True, False)


async def test_the_end_user_is_asked_again_with_everything_still_there(product: Product) -> None:
    workflow = await onboarded(product)
    reviewer = await key(product, "Robot", "reviewer")
    path = f"/workflows/{workflow['id']}/reviews/decide/ask"
    for wrong in ({"step": "decide", "note": "x"}, {"step": "nothing", "note": "x"}):
        assert code(await reviewer.post(path, json=wrong)) == (409, "STEP_NOT_ASKABLE")
    asked = (
        (await reviewer.post(path, json={"step": "details", "note": "The number, please"})).raise_for_status().json()
    )
    assert (asked["linkId"], asked["sentTo"]) == (workflow["linkId"], "e•••@example.com")
    execution = UUID(workflow["id"])
    screen = await product.services.end_users.screen(product.workspace_id, execution)
    assert screen.step is not None
    assert (screen.step.wish, dict(screen.step.values)) == ("The number, please", {"name": "Eve"})
    link = (await product.api.get(f"/link/{workflow['linkId']}")).json()
    assert (link["state"], link["sending"]["status"]) == ("FRESH", "PENDING")
    values = {"name": "Eve", "number": "7"}
    await product.services.end_users.submit(product.workspace_id, execution, "details", 2, values)
    assert (await decide(reviewer, workflow)).json()["status"] == "COMPLETED"
    assert (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]["number"] == "7"
    kinds = [kind for kind, _ in await events(product, workflow, "review.")]
    assert kinds == ["review.requested", "review.returned", "review.requested", "review.decided"]


async def test_a_link_is_sent_again_and_somebody_without_address_needs_one(product: Product) -> None:
    workflow = await onboarded(product)
    again = await product.api.post(f"/link/{workflow['linkId']}/resend", json={"email": "adam@example.com"})
    assert again.status_code == 200
    assert (await product.api.get(f"/link/{workflow['linkId']}")).json()["email"].endswith("@example.com")
    definition = (await product.push(ONBOARDING)).json()["id"]
    made = (await product.api.post("/link", json={"workflowDefinitionId": definition})).json()
    assert code(await product.api.post(f"/link/{made['linkId']}/resend")) == (409, "LINK_UNADDRESSED")
    await product.api.post(f"/workflows/{made['workflowId']}/cancel")
    assert code(await product.api.post(f"/link/{made['linkId']}/resend", json={"email": "a@b.pl"})) == (
        409,
        "LINK_CANCELLED",
    )


async def test_a_comment_is_kept_and_those_whom_it_mentions_get_an_email(product: Product) -> None:
    anna = await colleague(product, f"anna-{uuid4()}@example.com")
    workflow = await onboarded(product)
    path = f"/workflows/{workflow['id']}/comments"
    assert code(await product.api.post(path, json={"text": " "}))[0] == 400
    assert code(await product.api.post(path, json={"text": "x", "mentions": [str(uuid4())]})) == (
        400,
        "MENTION_UNKNOWN",
    )
    said = {"text": "@Anna please look", "mentions": [anna]}
    key_of_it = {"Idempotency-Key": str(uuid4())}
    first = await product.api.post(path, json=said, headers=key_of_it)
    assert first.json() == (await product.api.post(path, json=said, headers=key_of_it)).json()
    (listed,) = (await product.api.get(path)).json()["data"]
    assert (listed["text"], listed["by"]) == ("@Anna please look", "ops")
    assert (await product.stranger.get(path)).status_code == 404
    queue = "SELECT payload FROM pgqueuer WHERE entrypoint = 'people.email' AND position($1 in convert_from(payload, 'UTF8')) > 0"
    (email,) = await rows(product, queue, anna)
    mail = FakeMail()
    emails = product.services.people.emails
    emails._mail = mail
    await emails.run(JobRunning(1, loads(email["payload"]), lost=False))
    (message,) = mail.sent
    assert f"/app/executions/{workflow['id']}" in message.text
    assert "mentions you" in message.subject
