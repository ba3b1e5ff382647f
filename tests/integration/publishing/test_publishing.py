"""Publishing by two persons: who may be the second one, what becomes stale, who hears of it, and how it is loosened."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from passerelle.people.models import NewUser
from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.secrets.product import BASE_URL, Product, joined, opened

TEXT = "name: hello\nsteps:\n  - id: keep\n    set: {said: '%s'}\n"


@dataclass
class Home:
    """A product whose workspace wants two persons: Anna owns it, Jan and Ola publish, Ewa only pushes."""

    product: Product
    anna: Tab
    jan: Tab
    ola: Tab
    ewa: Tab

    async def push(self, tab: Tab, said: str) -> dict[str, Any]:
        answer = await tab.api("POST", "/definitions", content=TEXT % said, headers={"Content-Type": "text/yaml"})
        assert answer.status_code in (200, 201), answer.text
        pushed: dict[str, Any] = answer.json()
        return pushed

    async def key_of(self, tab: Tab, *permissions: str) -> httpx.AsyncClient:
        made = await tab.api("POST", "/keys", json={"name": "build", "permissions": list(permissions)})
        assert made.status_code == 201, made.text
        transport = httpx.ASGITransport(self.product.app)
        client = httpx.AsyncClient(transport=transport, base_url=BASE_URL)
        answer = await client.post("/auth/authorize", json={key: made.json()[key] for key in ("key", "secret")})
        client.headers["Authorization"] = f"Bearer {answer.json()['accessToken']}"
        return client

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        page = (await self.product.api.get("/events")).json()
        return [(one["type"], one["data"]) for one in page["data"] if one["type"].startswith("proposal.")]

    async def prove(self, ago: str) -> None:
        """Have everybody proved who they are so long ago."""
        connection = await asyncpg.connect(self.product.database_url)
        await connection.execute("UPDATE user_session SET authenticated_at = now() - $1::text::interval", ago)
        await connection.close()
        self.product.services.people.authenticator.forget()

    async def emails(self) -> list[dict[str, Any]]:
        """The emails that wait to be sent."""
        connection = await asyncpg.connect(self.product.database_url)
        rows = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'people.email'")
        await connection.close()
        return [json.loads(bytes(row["payload"])) for row in rows]


async def _tab(product: Product) -> Tab:
    transport = httpx.ASGITransport(product.app)
    return Tab(httpx.AsyncClient(transport=transport, base_url=BASE_URL))


@pytest.fixture
async def home(server_url: str, template: str) -> AsyncIterator[Home]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        people = services.people
        organization_id = await people.users.organization_of(product.workspace_id)
        tabs = {}
        for name, role, workspace_role in (
            ("anna", "owner", None),
            ("jan", "member", "developer"),
            ("ola", "member", "developer"),
            ("ewa", "member", "pusher"),
        ):
            user = await people.users.make(organization_id, NewUser(f"{name}@example.com", role, name), PASSWORD)
            if name == "ewa":
                pushing = {"name": "pusher", "permissions": ["can_view_workspace", "can_manage_definitions"]}
                made = await product.api.post(f"/workspaces/{product.workspace_id}/roles", json=pushing)
                assert made.status_code == 201, made.text
            if workspace_role is not None:
                await people.users.put_member(organization_id, product.workspace_id, user.id, workspace_role)
            tabs[name] = await _tab(product)
            assert (await tabs[name].sign_in(f"{name}@example.com", PASSWORD)).status_code == 303
        assert (await tabs["anna"].api("PUT", "/publishing", json={"secondPerson": True})).status_code == 200
        yield Home(product, **tabs)


def code(answer: httpx.Response) -> str:
    found: str = answer.json()["errors"][0]["code"]
    return found


async def decide(tab: Tab, how: str, proposal: str, **body: str) -> httpx.Response:
    more = {} if how == "withdraw" else {"json": body}
    return await tab.api("POST", f"/proposals/{proposal}/{how}", **more)


async def test_a_push_proposes_and_somebody_else_publishes_exactly_that(home: Home) -> None:
    pushed = await home.push(home.ewa, "one")
    assert (pushed["published"], pushed["revision"]) == (False, 1)

    again = await home.push(home.ewa, "one")
    assert again["proposal"] == pushed["proposal"]
    shown = (await home.jan.api("GET", f"/proposals/{pushed['proposal']}")).json()
    assert shown["sha256"] == hashlib.sha256((TEXT % "one").encode()).hexdigest()
    assert (shown["proposedBy"], shown["status"], shown["mayDecide"]) == ("ewa", "open", True)

    assert code(await decide(home.ewa, "approve", pushed["proposal"])) == "PERMISSION_DENIED"
    approved = await decide(home.jan, "approve", pushed["proposal"], comment="looks right")
    assert (approved.status_code, approved.json()["status"]) == (200, "approved"), approved.text

    [revision] = (await home.jan.api("GET", f"/definitions/{pushed['id']}/revisions")).json()["data"]
    assert (revision["current"], revision["publishedBy"], revision["approvedBy"]) == (True, "ewa", "jan")
    assert code(await decide(home.ola, "approve", pushed["proposal"])) == "PROPOSAL_CLOSED"
    assert [kind for kind, _ in await home.events()] == ["proposal.created", "proposal.approved"]


async def test_nobody_publishes_alone_by_any_way(home: Home) -> None:
    pushed = await home.push(home.jan, "one")
    assert not pushed["published"]
    answer = await home.jan.api("POST", f"/definitions/{pushed['id']}/publish", json={"revision": 1})
    assert (answer.status_code, code(answer)) == (409, "PUBLISHING_NEEDS_ANOTHER")
    assert code(await decide(home.jan, "approve", pushed["proposal"])) == "PROPOSAL_NEEDS_ANOTHER"
    assert code(await decide(home.jan, "decline", pushed["proposal"])) == "PROPOSAL_NEEDS_ANOTHER"
    assert (await home.jan.api("GET", f"/proposals/{pushed['proposal']}")).json()["mayDecide"] is False

    key = await home.key_of(home.jan, "can_view_workspace", "can_publish_definitions", "can_manage_definitions")
    refused = await key.post(f"/proposals/{pushed['proposal']}/approve", json={})
    assert (refused.status_code, code(refused)) == (409, "PROPOSAL_NEEDS_ANOTHER")
    answer = await key.post(f"/definitions/{pushed['id']}/publish", json={"revision": 1})
    assert code(answer) == "PUBLISHING_NEEDS_ANOTHER"


async def test_a_key_counts_as_who_made_it_and_one_of_nobody_cannot_decide(home: Home) -> None:
    of_jan = await home.key_of(
        home.jan, "can_view_workspace", "can_publish_definitions", "can_manage_definitions", "can_manage_keys"
    )
    headers = {"Content-Type": "text/yaml"}
    pushed = (await of_jan.post("/definitions", content=TEXT % "by a build", headers=headers)).json()
    assert code(await decide(home.jan, "approve", pushed["proposal"])) == "PROPOSAL_NEEDS_ANOTHER"

    # Made by a key of Jan's, it is Jan's.
    body = {"name": "next", "permissions": ["can_publish_definitions"]}
    made = (await of_jan.post("/keys", json=body)).json()
    tokens = await of_jan.post("/auth/authorize", json={"key": made["key"], "secret": made["secret"]})
    laundered = {"Authorization": f"Bearer {tokens.json()['accessToken']}"}
    refused = await of_jan.post(f"/proposals/{pushed['proposal']}/approve", json={}, headers=laundered)
    assert code(refused) == "PROPOSAL_NEEDS_ANOTHER"

    of_nobody = home.product.api  # made by command
    refused = await of_nobody.post(f"/proposals/{pushed['proposal']}/approve", json={})
    assert (refused.status_code, code(refused)) == (409, "PROPOSAL_NEEDS_PERSON")

    of_ola = await home.key_of(home.ola, "can_view_workspace", "can_publish_definitions")
    users = (await home.anna.api("GET", "/organizations/users")).json()["content"]
    ola = next(one["id"] for one in users if one["email"] == "ola@example.com")
    assert (await home.anna.api("POST", f"/organizations/users/{ola}/terminate")).status_code == 200
    refused = await of_ola.post(f"/proposals/{pushed['proposal']}/approve", json={})
    assert code(refused) == "PROPOSAL_NEEDS_PERSON"
    assert (await home.anna.api("POST", f"/organizations/users/{ola}/reinstate")).status_code == 200
    approved = await of_ola.post(f"/proposals/{pushed['proposal']}/approve", json={})
    assert approved.status_code == 200, approved.text


@pytest.mark.parametrize("landing", ["draft", "published"])
async def test_it_becomes_stale_when_another_revision_lands(home: Home, landing: str) -> None:
    first = await home.push(home.jan, "one")
    await decide(home.ola, "approve", first["proposal"])
    second = await home.push(home.jan, "two")
    if landing == "draft":
        answer = await home.ola.api(
            "POST", "/definitions?publish=false", content=TEXT % "three", headers={"Content-Type": "text/yaml"}
        )
        assert answer.status_code == 201
    else:
        assert (await home.anna.api("PUT", "/publishing", json={"secondPerson": False})).status_code == 200
        third = await home.push(home.ola, "three")
        assert third["published"]

    shown = (await home.ola.api("GET", f"/proposals/{second['proposal']}")).json()
    assert (shown["status"], shown["published"]) == ("stale", 1)
    refused = await decide(home.ola, "approve", second["proposal"])
    assert (refused.status_code, code(refused)) == (409, "PROPOSAL_STALE")

    anew = await home.jan.api("POST", f"/definitions/{second['id']}/proposals", json={"revision": 2})
    assert anew.status_code == 201, anew.text
    assert (await home.ola.api("GET", f"/proposals/{second['proposal']}")).json()["status"] == "replaced"
    assert (await decide(home.ola, "approve", anew.json()["id"])).status_code == 200


async def test_two_who_approve_at_once_and_one_who_withdraws_meanwhile_end_in_one_decision(home: Home) -> None:
    pushed = await home.push(home.jan, "one")
    answers = await asyncio.gather(
        decide(home.ola, "approve", pushed["proposal"]),
        decide(home.anna, "approve", pushed["proposal"]),
        decide(home.jan, "withdraw", pushed["proposal"]),
        decide(home.anna, "decline", pushed["proposal"]),
    )
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    decided = [kind for kind, _ in await home.events()]
    assert len(decided) == 2


async def test_a_text_that_was_changed_behind_our_back_is_not_published(home: Home) -> None:
    pushed = await home.push(home.jan, "one")
    connection = await asyncpg.connect(home.product.database_url)
    await connection.execute("UPDATE revision SET text = replace(text, 'one', 'two')")
    await connection.close()
    assert code(await decide(home.ola, "approve", pushed["proposal"])) == "PROPOSAL_STALE"


async def test_declined_and_withdrawn(home: Home) -> None:
    one = await home.push(home.jan, "one")
    assert code(await decide(home.ola, "withdraw", one["proposal"])) == "PROPOSAL_OF_ANOTHER"
    declined = (await decide(home.ola, "decline", one["proposal"], comment="not on a Friday")).json()
    assert (declined["status"], declined["decidedBy"], declined["comment"]) == ("declined", "ola", "not on a Friday")
    two = await home.push(home.jan, "two")
    assert (await decide(home.jan, "withdraw", two["proposal"])).json()["status"] == "withdrawn"
    listed = (await home.jan.api("GET", "/proposals?status=open")).json()["data"]
    assert listed == []
    kinds = [kind for kind, _ in await home.events()]
    assert kinds == ["proposal.created", "proposal.declined", "proposal.created", "proposal.withdrawn"]


async def test_those_who_may_approve_get_an_email_and_nobody_else(home: Home) -> None:
    await home.push(home.jan, "one")
    users = (await home.anna.api("GET", "/organizations/users")).json()["content"]
    names = {one["id"]: one["email"].partition("@")[0] for one in users}
    emails = [one for one in await home.emails() if one["kind"] == "proposal"]
    assert {names[one["userId"]] for one in emails} == {"anna", "ola"}
    assert emails[0]["by"] == "jan"


async def test_loosening_takes_a_manager_who_has_just_proved_who_they_are(home: Home) -> None:
    assert (await home.jan.api("PUT", "/publishing", json={"secondPerson": False})).status_code == 403
    refused = await home.product.api.put("/publishing", json={"secondPerson": None})
    assert (refused.status_code, code(refused)) == (403, "PUBLISHING_LOOSENED_BY_PERSON")
    await home.prove("11 minutes")
    refused = await home.anna.api("PUT", "/publishing", json={"secondPerson": False})
    assert (refused.status_code, code(refused)) == (403, "STEP_UP_REQUIRED")
    await home.prove("1 minute")
    answer = await home.anna.api("PUT", "/publishing", json={"secondPerson": False})
    assert answer.json() == {"secondPerson": False, "own": False}
    entries = (await home.anna.api("GET", "/audit?action=changePublishing")).json()["data"]
    changes = [(one["outcome"], one["before"], one["after"]) for one in entries]
    assert ("done", {"secondPerson": True}, {"secondPerson": False}) in changes
    assert (await home.push(home.jan, "one"))["published"]


async def test_the_audit_says_who_proposed_and_who_approved(home: Home) -> None:
    pushed = await home.push(home.jan, "one")
    await decide(home.ola, "approve", pushed["proposal"])
    entries = (await home.anna.api("GET", f"/audit?object={pushed['proposal']}")).json()["data"]
    [approved] = [one for one in entries if one["action"] == "approveProposal"]
    assert (approved["by"]["name"], approved["before"]["status"], approved["after"]["status"]) == (
        "ola", "open", "approved",
    )  # fmt: skip


async def test_another_workspace_has_none_of_it(home: Home) -> None:
    pushed = await home.push(home.jan, "one")
    stranger = home.product.stranger
    assert (await stranger.get("/publishing")).json() == {"secondPerson": False, "own": None}
    assert (await stranger.get("/proposals")).json()["data"] == []
    for how in ("approve", "decline"):
        assert (await stranger.post(f"/proposals/{pushed['proposal']}/{how}", json={})).status_code == 404
    assert (await stranger.post(f"/proposals/{pushed['proposal']}/withdraw")).status_code == 404


async def test_what_is_published_or_not_there_cannot_be_proposed(home: Home) -> None:
    pushed = await home.push(home.jan, "one")
    await decide(home.ola, "approve", pushed["proposal"])
    path = f"/definitions/{pushed['id']}/proposals"
    assert code(await home.jan.api("POST", path, json={"revision": 1})) == "PROPOSAL_POINTLESS"
    assert code(await home.jan.api("POST", path, json={"revision": 9})) == "REVISION_NOT_FOUND"
    assert (await home.jan.api("POST", f"/definitions/{uuid4()}/proposals", json={"revision": 1})).status_code == 404
    assert (await home.push(home.jan, "one"))["proposal"] is None


async def test_the_installation_can_ask_for_it_and_a_workspace_say_otherwise(server_url: str, template: str) -> None:
    async with (
        opened(server_url, template, publishing_second_person=True) as (services, url),
        joined(services, url) as product,
    ):
        assert (await product.api.get("/publishing")).json() == {"secondPerson": True, "own": None}
        pushed = (await product.push(TEXT % "one")).json()
        assert (pushed["published"], UUID(pushed["proposal"]).version) == (False, 7)
        rule = await services.publishing.change_rule(product.workspace_id, False)
        assert (rule.second_person, rule.own) == (False, False)
        assert (await product.push(TEXT % "one")).json()["published"]
