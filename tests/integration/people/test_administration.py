"""What the people who run a workspace ask for: who is there, where something is used, how the installation stands."""

from __future__ import annotations

import time
from typing import Any

import pytest

from passerelle.kit.ids import new_id
from passerelle.kit.mail import MailNever
from passerelle.kit.mail.fake import FakeMail
from passerelle.operations.mailing import TESTS
from passerelle.people.models import NewUser
from tests.integration.people.conftest import Home
from tests.integration.people.test_signing_in import sql
from tests.integration.secrets.product import opened

READS_A_SECRET = """
name: {name}
steps:
  - id: asked
    http:
      url: https://register.example.com
      headers: {{Authorization: "Bearer ${{secrets.REGISTER_TOKEN}}"}}
"""
SCREENS = """
name: {name}
steps:
  - id: screened
    check: {{name: sanctions, with: {{name: Anna{lists}}}}}
"""


async def found(home: Home, path: str, **query: Any) -> dict[str, Any]:
    tab = await home.signed_in()
    answer = await tab.api("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_users_are_found_by_words_of_name_and_address_by_role_and_by_status(home: Home) -> None:
    organization_id = home.owner.organization_id
    for number in range(3):
        await home.people.users.make(organization_id, NewUser(f"ewa{number}@example.com", "member", "Ewa", "Łoś_50%"))
    await home.people.users.make(organization_id, NewUser("jan@example.org", "admin", "Jan", "Ewart"))
    path = "/organizations/users"
    assert (await found(home, path, search="ewa"))["totalElements"] == 4
    assert (await found(home, path, search="łoś ewa1"))["totalElements"] == 1
    assert (await found(home, path, search="ŁOŚ"))["totalElements"] == 3
    assert (await found(home, path, search="ewa", roleId="admin"))["content"][0]["email"] == "jan@example.org"
    assert (await found(home, path, status="TERMINATED"))["totalElements"] == 0
    for odd in ("%", "_", "\\", "ewa%0", "' OR 1=1 --"):
        assert (await found(home, path, search=odd))["totalElements"] == (3 if odd in "%_" else 0), odd


async def test_ten_thousand_users_are_searched_in_time(home: Home) -> None:
    await sql(
        home,
        "INSERT INTO app_user (organization_id, id, email, email_key, first_name, last_name, language, time_zone, role, "
        "state, created_at, updated_at) SELECT $1, gen_random_uuid(), 'u' || n || '@example.com', "
        "'u' || n || '@example.com', 'Name' || n, 'Surname', 'en', 'UTC', 'member', 'active', now(), now() "
        "FROM generate_series(1, 10000) n",
        home.owner.organization_id,
    )
    tab = await home.signed_in()
    began = time.perf_counter()
    answer = await tab.api("GET", "/organizations/users", params={"search": "name9999 surname", "size": 50})
    assert [one["email"] for one in answer.json()["content"]] == ["u9999@example.com"]
    assert time.perf_counter() - began < 2


async def test_members_are_found_by_role_and_roles_say_how_many_have_them(home: Home) -> None:
    workspace_id = home.product.workspace_id
    for name in ("ewa", "jan"):
        user = await home.people.users.make(home.owner.organization_id, NewUser(f"{name}@example.com", "member", name))
        await home.people.users.put_member(home.owner.organization_id, workspace_id, user.id, "reviewer")
    path = f"/organizations/workspaces/{workspace_id}/memberships"
    assert (await found(home, path))["totalElements"] == 3
    reviewers = await found(home, path, roleId="reviewer")
    assert [one["email"] for one in reviewers["content"]] == ["ewa@example.com", "jan@example.com"]
    assert (await found(home, path, roleId="owner"))["content"][0]["role"]["type"] == "INHERITED"
    assert (await found(home, path, search="jan"))["totalElements"] == 1
    assert (await found(home, f"/workspaces/{workspace_id}/memberships", search="anna"))["totalElements"] == 0
    roles = await found(home, f"/workspaces/{workspace_id}/roles")
    assert {one["name"]: one["members"] for one in roles["content"]}["reviewer"] == 2


async def test_a_workspace_gets_another_name_that_everybody_sees(home: Home) -> None:
    tab, path = await home.signed_in(), f"/workspaces/{home.product.workspace_id}/name"
    assert (await tab.api("PUT", path, json={"name": " \u200b "})).status_code == 400
    assert (await tab.api("PUT", path, json={"name": "  Acme   Onboarding "})).status_code == 204
    assert (await tab.api("GET", "/me")).json()["workspaces"][0]["name"] == "Acme Onboarding"
    assert (await home.product.services.shared.themes.of(home.product.workspace_id)).name == "Acme Onboarding"


async def test_passkeys_are_listed_and_only_ones_own_taken_away(home: Home) -> None:
    tab = await home.signed_in()
    assert (await tab.api("GET", "/me/passkeys")).json() == {"data": []}
    answer = await tab.api("DELETE", f"/me/passkeys/{home.owner.id}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "PASSKEY_NOT_FOUND")


async def test_a_token_is_made_over_the_api_and_works_as_it_is(home: Home) -> None:
    tab = await home.signed_in()
    body = {"name": "scim", "kind": "token", "permissions": ["can_manage_users"], "apiVersion": 2}
    made = (await tab.api("POST", "/keys", json=body)).json()
    assert (made["kind"], made["key"]) == ("token", None)
    answer = await home.tab().client.get("/scim/v2/Users", headers={"Authorization": f"Bearer {made['secret']}"})
    assert answer.status_code == 200
    listed = (await tab.api("GET", "/keys")).json()["data"]
    assert made["secret"] not in str(listed)
    assert [one["prefix"] for one in listed if one["id"] == made["id"]] == [made["secret"][:8]]


async def test_it_is_said_where_a_secret_and_a_list_are_used(home: Home) -> None:
    api, revisions = home.product.api, home.product.services.revisions
    await api.put("/secrets/REGISTER_TOKEN", json={"value": "s3cret"})
    await api.put("/secrets/REGISTER_TOKEN_2", json={"value": "s3cret"})
    for text, publish in (
        (READS_A_SECRET.format(name="reads"), True),
        (SCREENS.format(name="by-name", lists=", lists: [eu]"), False),
        (SCREENS.format(name="by-another", lists=", lists: [us]"), False),
        (SCREENS.format(name="all", lists=""), False),
    ):
        await revisions.push(home.product.workspace_id, text, publish=publish, by="test")
    secret = await found(home, "/secrets/REGISTER_TOKEN/uses")
    assert [(one["name"], one["published"], one["steps"]) for one in secret["data"]] == [("reads", True, ["asked"])]
    assert (await found(home, "/secrets/REGISTER_TOKEN_2/uses"))["data"] == []
    of_list = await found(home, "/lists/eu/uses")
    assert [(one["name"], one["steps"]) for one in of_list["data"]] == [
        ("all", ["screened"]),
        ("by-name", ["screened"]),
    ]
    assert of_list["complete"] is True


async def test_an_erasure_is_previewed_exactly_and_nothing_is_changed_by_that(home: Home) -> None:
    api = home.product.api
    await api.post("/tables", json={"name": "people", "fields": [{"name": "email", "type": "email", "pii": "contact"}]})
    made = (await api.post("/tables/people/records", json={"email": "ewa@example.com"})).json()
    path = f"/tables/people/records/{made['id']}"
    await api.post(f"{path}/comments", json={"text": "Called her"})
    preview = (await api.post(f"{path}/erasure")).json()
    assert (preview["records"], preview["fields"], preview["comments"]) == (1, 1, 1)
    assert (await api.get(path)).json()["email"] == "ewa@example.com"
    erased = (await api.delete(path, params={"erase": "true"})).json()
    assert erased == preview


async def test_how_the_installation_stands_is_told_to_whoever_runs_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = home.product.services.operations
    monkeypatch.setattr(operations.overview, "_operated_by", home.owner.organization_id)
    async with operations.presence.of("worker"):
        standing = await found(home, "/operations")
    assert standing["workers"] == 1
    beneath = standing["installation"]
    assert [(one["kind"], one["alive"]) for one in beneath["processes"]] == [("worker", True)]
    assert beneath["database"]["milliseconds"] < 1000
    assert beneath["storage"]["refusal"] is None
    assert abs(beneath["clockOffSeconds"]) < 5
    assert (await found(home, "/operations"))["installation"]["processes"] == []
    assert (await home.product.stranger.get("/operations")).json()["installation"] is None


async def test_a_customer_of_the_installation_sees_the_figures_of_their_own_workspace_alone(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each organization is another customer: neither figures of all, nor the machines and the mail server beneath."""
    await home.product.run("{name: fails, steps: [{id: no, fail: {code: REFUSED, message: No}}]}")
    standing = await found(home, "/operations")
    assert standing["executions"] == {"running": 0, "awaiting": 0, "failed": 1, "stranded": 0}
    assert standing["webhooks"] == {"pending": 0, "overdueSeconds": 0, "failing": 0, "disabled": 0}
    assert standing["installation"] is None
    assert set(standing["mail"]) == {"sends", "sender"}
    theirs = (await home.product.stranger.get("/operations")).json()
    assert theirs["executions"] == {"running": 0, "awaiting": 0, "failed": 0, "stranded": 0}
    monkeypatch.setattr(home.product.services.operations.mail, "_mail", FakeMail())
    tab = await home.signed_in()
    tried = (await tab.api("POST", "/operations/mail-test", json={})).json()
    assert (tried["server"], tried["reply"]) == (None, None)


async def test_the_only_organization_runs_the_installation_until_there_is_another(
    server_url: str, template: str
) -> None:
    async with opened(server_url, template) as (services, _):
        first, second = new_id(), new_id()
        overview, database = services.operations.overview, services.shared.database
        for workspace_id, is_operator in ((first, True), (second, False)):
            async with database.workspace(workspace_id) as connection:
                await connection.execute("INSERT INTO workspace (workspace_id, name) VALUES ($1, 'one')", workspace_id)
            assert await overview.is_operator(first) == is_operator
        assert not await overview.is_operator(second)


async def test_a_test_letter_tells_what_the_mail_server_answered(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    operations, fake = home.product.services.operations, FakeMail()
    monkeypatch.setattr(operations.mail, "_mail", fake)
    monkeypatch.setattr(operations.overview, "_operated_by", home.owner.organization_id)
    tab = await home.signed_in()
    sent = (await tab.api("POST", "/operations/mail-test", json={})).json()
    assert (sent["taken"], sent["to"], sent["reply"]) == (True, "anna@example.com", "250 kept for the test")
    assert fake.sent[0].to[0].mailbox == "anna@example.com"
    fake.errors.append(MailNever("The mail server refused for good the sender (550).", code=550, reply="no such user"))
    refused = (await tab.api("POST", "/operations/mail-test", json={"to": "jan@example.org"})).json()
    assert (refused["taken"], refused["reply"]) == (False, "550 no such user")
    assert (await tab.api("POST", "/operations/mail-test", json={"to": "nobody"})).status_code == 400
    assert (await home.product.api.post("/operations/mail-test", json={})).status_code == 400


async def test_nobody_sends_test_letters_without_end(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """They go to whom the caller says, in the installation's name."""
    fake = FakeMail()
    monkeypatch.setattr(home.product.services.operations.mail, "_mail", fake)
    tab = await home.signed_in()
    # Twice as many, as a window of ten minutes may end between two of them.
    answers = [await tab.api("POST", "/operations/mail-test", json={}) for _ in range(2 * TESTS.most + 1)]
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.json()["errors"][0]["code"] == "MAIL_TESTS_TOO_MANY"
    assert 1 <= int(refused.headers["retry-after"]) <= 600
    assert len(fake.sent) == len([one for one in answers if one.status_code == 200])


async def test_everything_that_is_kept_has_its_time(home: Home) -> None:
    kept = (await found(home, "/retention"))["data"]
    assert len({one["kind"] for one in kept}) == len(kept)
    assert {one["kind"]: one["lasts"] for one in kept}["events"] == "30d"
    assert next(one for one in kept if one["kind"] == "audit")["setting"] == "PASSERELLE_AUDIT_KEEP"
