"""Signing in by password, sessions and their ends, forged requests, what an address gives away."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from passerelle.app.application import create_app
from passerelle.kit.clock import MovedClock
from passerelle.kit.errors import PasserelleError
from passerelle.people.authenticator import REMEMBERED_FOR, SessionAuthenticator
from passerelle.people.models import NewUser
from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.people.conftest import Home
from tests.integration.secrets.product import BASE_URL

NEXT_PASSWORD = "kaktus orkiestra parasol"


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["errors"][0]["code"]
    return code


async def sql(home: Home, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(home.product.database_url)
    await connection.execute(statement, *values)
    await connection.close()


async def test_who_signs_in_calls_the_api_as_the_person_that_they_are(home: Home) -> None:
    tab = await home.signed_in("ANNA@example.com")

    me = (await tab.api("GET", "/me")).json()
    assert (me["kind"], me["email"], me["role"]) == ("user", "anna@example.com", "owner")
    assert [one["id"] for one in me["workspaces"]] == [str(home.product.workspace_id)]
    assert me["session"]["factors"] == ["password"]
    assert (await tab.api("GET", "/tables")).status_code == 200
    made = await tab.api("POST", "/tables", json={"name": "customers", "fields": [{"name": "name", "type": "text"}]})
    assert made.status_code == 201, made.text


async def test_the_cookie_is_kept_from_scripts_and_other_sites(home: Home) -> None:
    tab = home.tab()
    answer = await tab.sign_in("anna@example.com", PASSWORD)
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("passerelle-session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_behind_tls_every_cookie_travels_over_tls_only(home: Home) -> None:
    home.people.authenticator.secure = True
    address = BASE_URL.replace("http:", "https:")
    transport = httpx.ASGITransport(create_app(home.product.services, address))
    async with httpx.AsyncClient(transport=transport, base_url=address) as client:
        tab = Tab(client)
        page = await client.get("/sign-in")
        entered = await tab.sign_in("anna@example.com", PASSWORD)
        renewed = await tab.api("POST", "/me/authenticate", json={"password": PASSWORD})
        left = await tab.submit("/sign-out")
    for answer in (page, entered, renewed, left):
        cookies = answer.headers.get_list("set-cookie")
        assert cookies, answer.text
        assert all("; secure" in cookie.lower() for cookie in cookies), cookies


@pytest.mark.parametrize("path", ["/sign-in", "/forgot"])
async def test_a_password_is_masked_and_left_to_password_managers(home: Home, path: str) -> None:
    page = (await home.tab().client.get(path)).text
    inputs = re.findall(r"<input[^>]*>", page)
    masked = [one for one in inputs if 'name="password"' in one]
    assert [('type="password"' in one, 'autocomplete="current-password"' in one) for one in masked] == (
        [(True, True)] if path == "/sign-in" else []
    )
    assert any('type="email"' in one and "autocomplete=" in one for one in inputs)
    assert not re.search(r"onpaste|autocomplete=\"off\"", page)


async def test_a_wrong_password_and_an_unknown_address_look_alike(home: Home) -> None:
    await home.people.users.make(home.owner.organization_id, NewUser("sso@example.com", "member"))
    gone = await home.people.users.make(home.owner.organization_id, NewUser("gone@example.com", "member"), PASSWORD)
    await home.people.users.deactivate(None, gone.organization_id, gone.id)
    texts = set()
    for email, password in (
        ("anna@example.com", "wrong-password-x"),
        ("nobody@example.com", PASSWORD),
        ("sso@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
    ):
        answer = await home.tab().sign_in(email, password)
        assert answer.status_code == 401
        texts.add(answer.text.replace(email, "").split("<main")[1].split('name="_token"')[0])
    assert len(texts) == 1


async def test_guessing_is_slowed_down_over_every_process(home: Home) -> None:
    for _ in range(10):
        assert (await home.tab().sign_in("anna@example.com", "wrong-password-x")).status_code == 401
    answer = await home.tab().sign_in("anna@example.com", PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    # Somebody at another address is not locked out by it.
    await sql(home, "DELETE FROM attempt_count")
    assert (await home.tab().sign_in("anna@example.com", PASSWORD)).status_code == 303


async def test_a_stolen_cookie_is_worth_nothing_after_signing_out(home: Home) -> None:
    tab = await home.signed_in()
    stolen = home.tab(Cookie=f"passerelle-session={tab.client.cookies['passerelle-session']}")
    assert (await stolen.client.get("/me")).status_code == 200

    assert (await tab.submit("/sign-out")).status_code == 303

    answer = await stolen.client.get("/me")
    assert (answer.status_code, code_of(answer)) == (401, "SESSION_OVER")


async def test_a_session_that_ended_in_another_process_is_let_in_for_a_moment_at_most(home: Home) -> None:
    tab, clock = await home.signed_in(), MovedClock()
    elsewhere = SessionAuthenticator(home.people.database, home.people.sessions, clock, BASE_URL)
    cookie = f"passerelle-session={tab.client.cookies['passerelle-session']}"
    scope = {"type": "http", "method": "GET", "path": "/me", "headers": [(b"cookie", cookie.encode())]}
    person = await elsewhere.authenticate(scope)
    assert person is not None
    assert person.id == home.owner.id

    assert (await tab.submit("/sign-out")).status_code == 303

    assert timedelta(seconds=2) >= REMEMBERED_FOR
    clock.move(REMEMBERED_FOR)
    with pytest.raises(PasserelleError) as refused:
        await elsewhere.authenticate(scope)
    assert refused.value.problems[0].code == "SESSION_OVER"


async def test_a_new_password_ends_every_other_session(home: Home) -> None:
    tab, other = await home.signed_in(), await home.signed_in()
    body = {"current": PASSWORD, "password": NEXT_PASSWORD}
    assert (await tab.api("POST", "/me/password", json=body | {"current": "not-my-password"})).status_code == 401
    assert code_of(await tab.api("POST", "/me/password", json=body | {"password": "short"})) == "PASSWORD_WEAK"
    assert (await other.client.get("/me")).status_code == 200

    assert (await tab.api("POST", "/me/password", json=body)).status_code == 204

    assert (await tab.client.get("/me")).status_code == 200
    assert code_of(await other.client.get("/me")) == "SESSION_OVER"
    assert (await home.tab().sign_in("anna@example.com", PASSWORD)).status_code == 401
    assert (await home.tab().sign_in("anna@example.com", NEXT_PASSWORD)).status_code == 303


async def test_sessions_are_listed_and_ended_one_by_one(home: Home) -> None:
    tab, other = await home.signed_in(), await home.signed_in()
    sessions = (await tab.api("GET", "/me/sessions")).json()["data"]
    assert [one["current"] for one in sessions].count(True) == 1
    ended = next(one["id"] for one in sessions if not one["current"])

    assert (await tab.api("DELETE", f"/me/sessions/{ended}")).status_code == 204

    assert code_of(await other.client.get("/me")) == "SESSION_OVER"
    assert code_of(await tab.api("DELETE", f"/me/sessions/{ended}")) == "SESSION_NOT_FOUND"
    assert (await tab.client.get("/me")).status_code == 200


async def test_all_other_sessions_are_ended_at_once(home: Home) -> None:
    tab, *others = [await home.signed_in() for _ in range(3)]
    assert (await tab.api("DELETE", "/me/sessions")).status_code == 204
    assert {code_of(await one.client.get("/me")) for one in others} == {"SESSION_OVER"}
    assert (await tab.client.get("/me")).status_code == 200


async def test_each_sign_in_makes_a_session_and_takes_none_that_was_planted(home: Home) -> None:
    planted, found = "x" * 43, set()
    for _ in range(2):
        tab = home.tab()
        tab.client.cookies.set("passerelle-session", planted, domain="passerelle.test", path="/")
        assert code_of(await tab.client.get("/me")) == "SESSION_OVER"
        answer = await tab.sign_in("anna@example.com", PASSWORD)
        cookies = answer.headers.get_list("set-cookie")
        found |= {one.partition(";")[0] for one in cookies if one.startswith("passerelle-session=")}
    assert len(found) == 2
    assert all(len(one.partition("=")[2]) >= 43 for one in found), "32 random bytes"
    assert f"passerelle-session={planted}" not in found


@pytest.mark.parametrize("column", ["expires_at", "last_seen_at"])
async def test_a_session_ends_unused_and_in_any_case(home: Home, column: str) -> None:
    tab = await home.signed_in()
    await sql(home, f"UPDATE user_session SET {column} = now() - interval '13 hours'")
    assert code_of(await tab.client.get("/me")) == "SESSION_OVER"


async def test_another_site_changes_nothing_with_a_persons_cookie(home: Home) -> None:
    tab = await home.signed_in()
    body = {"firstName": "Mallory"}
    forged: list[dict[str, str]] = [
        {},
        {"X-Passerelle-Client": "x", "Sec-Fetch-Site": "cross-site"},
        {"X-Passerelle-Client": "x", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for headers in forged:
        answer = await tab.client.patch("/me", json=body, headers=headers)
        assert (answer.status_code, code_of(answer)) == (403, "REQUEST_FORGED"), headers
    assert (await tab.client.patch("/me", json=body, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
    out = await tab.client.post("/sign-out", data={"_token": "0" * 64})
    assert out.status_code == 403
    assert (await tab.client.get("/me")).json()["firstName"] == "Mallory"


async def test_another_site_cannot_sign_somebody_in(home: Home) -> None:
    tab = home.tab()
    answer = await tab.client.post("/sign-in", data={"email": "anna@example.com", "password": PASSWORD})
    assert answer.status_code == 403
    assert "passerelle-session" not in tab.client.cookies


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [
        ("/app/records?x=1", "/app/records?x=1"),
        ("https://evil.example/", "/app"),
        ("//evil.example/", "/app"),
        ("/\\evil.example/", "/app"),
        ("javascript:alert(1)", "/app"),
    ],
)
async def test_signing_in_leads_nowhere_else(home: Home, wanted: str, led_to: str) -> None:
    answer = await home.tab().sign_in("anna@example.com", PASSWORD, next=wanted)
    assert answer.headers["location"] == led_to


async def test_what_needs_a_fresh_proof_gets_it(home: Home) -> None:
    tab = await home.signed_in()
    path, body = f"/workspaces/{home.product.workspace_id}/roles", {"name": "clerk", "permissions": ["can_run"]}
    await sql(home, "UPDATE user_session SET authenticated_at = now() - interval '11 minutes'")
    home.people.authenticator.forget()
    answer = await tab.api("POST", path, json=body)
    assert (answer.status_code, code_of(answer)) == (403, "STEP_UP_REQUIRED")
    before = tab.client.cookies["passerelle-session"]

    assert (await tab.api("POST", "/me/authenticate", json={"password": "not-my-password"})).status_code == 401
    assert (await tab.api("POST", "/me/authenticate", json={"password": PASSWORD})).status_code == 200

    assert tab.client.cookies["passerelle-session"] != before
    assert (await tab.api("POST", path, json=body)).status_code == 201
    assert (await home.tab(Cookie=f"passerelle-session={before}").client.get("/me")).status_code == 401


async def test_the_reason_for_each_no_is_told(home: Home) -> None:
    user = await home.people.users.make(home.owner.organization_id, NewUser("jan@example.com", "member"), PASSWORD)
    tab = await home.signed_in("jan@example.com")
    assert (await tab.api("GET", "/me/permissions")).json() == {
        "workspaceId": None,
        "permissions": [],
        "workspaces": [],
    }
    answer = await tab.api("GET", "/tables")
    assert (answer.status_code, code_of(answer)) == (403, "PERMISSION_DENIED")

    await home.people.users.put_member(user.organization_id, home.product.workspace_id, user.id, "viewer")
    home.people.authenticator.forget()

    answer = await tab.api("GET", "/me/permissions")
    (place,) = answer.json()["workspaces"]
    found = {one["permission"]: one for one in place["permissions"]}
    assert found["can_read_data"]["allowed"]
    assert found["can_read_data"]["reason"] is None
    assert found["can_run"]["reason"] == "you are `member` and `viewer` here, which does not include `can_run`"
    assert (await tab.api("GET", "/tables")).status_code == 200


async def test_one_person_in_two_workspaces_sees_each_by_itself(home: Home) -> None:
    first = home.product.workspace_id
    second = (await home.product.services.accounts.create_workspace("second", home.owner.organization_id)).id
    tab = await home.signed_in()
    fields = [{"name": "name", "type": "text"}]
    for workspace_id, name in ((first, "hidden"), (second, "shown")):
        made = await tab.api(
            "POST", "/tables", json={"name": name, "fields": fields}, headers={"X-Workspace": str(workspace_id)}
        )
        assert made.status_code == 201, made.text

    seen = await tab.api("GET", "/tables", headers={"X-Workspace": str(second)})
    assert {one["name"] for one in seen.json()["data"]} >= {"shown"}
    assert "hidden" not in seen.text
    assert "hidden" not in (await tab.api("GET", "/events", headers={"X-Workspace": str(second)})).text
    assert (await tab.api("PUT", "/me/workspace", json={"workspaceId": str(second)})).status_code == 204
    assert "hidden" not in (await tab.api("GET", "/tables")).text

    other = home.product.services.accounts.create_workspace("other")
    for stranger in ((await other).id, "nonsense"):
        answer = await tab.api("GET", "/tables", headers={"X-Workspace": str(stranger)})
        assert (answer.status_code, code_of(answer)) == (404, "WORKSPACE_NOT_FOUND")


async def test_a_key_is_no_person(home: Home) -> None:
    me = (await home.product.api.get("/me")).json()
    assert (me["kind"], me["email"], me["session"]) == ("key", None, None)
    assert code_of(await home.product.api.get("/me/sessions")) == "SESSION_REQUIRED"


async def test_who_has_one_address_and_password_in_two_organizations_is_asked_which_one(home: Home) -> None:
    other = await home.product.services.accounts.create_workspace("Beta")
    beta = await home.people.users.organization_of(other.id)
    await home.people.users.make(beta, NewUser("anna@example.com", "owner", "Anna"), PASSWORD)
    for organization_id, workspace_id in ((beta, other.id), (home.owner.organization_id, home.product.workspace_id)):
        tab = home.tab()
        answer = await tab.sign_in("anna@example.com", PASSWORD)
        assert answer.headers["location"].startswith("/sign-in/organization"), answer.headers
        assert (await tab.client.get("/me")).status_code == 401
        page = await tab.client.get("/sign-in/organization")
        assert "Beta" in page.text
        # One that is none of theirs, or that another browser was asked for, leads nowhere.
        assert (await tab.submit("/sign-in/organization", organization=str(uuid4()))).status_code == 401
        stranger = home.tab()
        assert (await stranger.client.get("/sign-in/organization")).headers["location"] == "/sign-in"
        chosen = await tab.submit("/sign-in/organization", organization=str(organization_id))
        assert chosen.status_code == 303, chosen.text
        me = (await tab.client.get("/me")).json()
        assert (me["organization"]["id"], me["workspace"]["id"]) == (str(organization_id), str(workspace_id))
        assert (await tab.client.get("/sign-in/organization")).headers["location"] == "/sign-in"


async def in_two(home: Home, password: str = PASSWORD) -> tuple[Tab, UUID, UUID]:
    """A person of two organizations who is signed in in the first; the other organization and its workspace."""
    other = await home.product.services.accounts.create_workspace("Beta")
    beta = await home.people.users.organization_of(other.id)
    await home.people.users.make(beta, NewUser("Anna@Example.com", "admin", "Beta-Anna"), password)
    tab = home.tab()
    answer = await tab.sign_in("anna@example.com", PASSWORD)
    if "/organization" in answer.headers["location"]:
        await tab.submit("/sign-in/organization", organization=str(home.owner.organization_id))
    return tab, beta, other.id


async def test_who_is_in_two_organizations_goes_on_in_the_other_and_takes_nothing_along(home: Home) -> None:
    tab, beta, workspace_id = await in_two(home)
    listed = (await tab.client.get("/me/organizations")).json()["data"]
    assert [(one["name"], one["current"]) for one in listed] == [("test", True), ("Beta", False)]
    [before] = (await tab.client.get("/me/sessions")).json()["data"]
    old_cookie = dict(tab.client.cookies)
    invited = {"email": "ewa@example.com", "roleId": "member"}
    assert (await tab.api("POST", "/organizations/enrollments", json=invited)).status_code == 201
    made = await tab.api("POST", "/tables", json={"name": "things", "fields": [{"name": "what", "type": "text"}]})
    assert made.status_code == 201, made.text
    await tab.api("POST", "/tables/things/records", json={"what": "Wieloryb"})

    answer = await tab.api("PUT", "/me/organization", json={"organizationId": str(beta)})
    assert (answer.status_code, answer.json()) == (200, {"needs": "nothing"}), answer.text
    me = (await tab.client.get("/me")).json()
    assert (me["organization"]["id"], me["workspace"]["id"], me["role"]) == (str(beta), str(workspace_id), "admin")
    assert [one["id"] for one in me["workspaces"]] == [str(workspace_id)]

    # As fresh as the other one was, and it lasts no longer.
    [session] = (await tab.client.get("/me/sessions")).json()["data"]
    assert (session["authenticatedAt"], session["expiresAt"]) == (before["authenticatedAt"], before["expiresAt"])
    assert session["id"] != before["id"]

    # Nothing of the first one is there: workspace, search, users, invitations, audit.
    wanted = {"X-Workspace": str(home.product.workspace_id)}
    assert (await tab.client.get("/me", headers=wanted)).status_code == 404
    assert "things" not in {one["name"] for one in (await tab.client.get("/tables")).json()["data"]}
    assert (await tab.client.get("/tables/things/records")).status_code == 404
    users = (await tab.client.get("/organizations/users")).json()["content"]
    assert [one["id"] for one in users] == [me["id"]]
    assert (await tab.client.get("/organizations/enrollments")).json()["content"] == []
    audit = (await tab.client.get("/audit?of=organization")).text
    assert str(beta) in audit
    assert str(home.owner.organization_id) not in audit
    assert "createTable" not in (await tab.client.get("/audit")).text

    # The cookie of before is worth nothing, and both organizations know of it.
    async with home.tab().client as thief:
        thief.cookies.update(old_cookie)
        assert (await thief.get("/me")).status_code == 401
    back = await tab.api("PUT", "/me/organization", json={"organizationId": str(home.owner.organization_id)})
    assert back.status_code == 200, back.text
    entries = (await tab.client.get("/audit?of=organization")).json()["data"]
    assert {"signIn", "signOut"} <= {one["action"] for one in entries}


async def test_an_address_alone_leads_into_no_other_organization(home: Home) -> None:
    tab, beta, _ = await in_two(home, password="inne haslo tej osoby")
    assert len((await tab.client.get("/me/organizations")).json()["data"]) == 1
    for wanted in (str(beta), str(uuid4()), "none"):
        answer = await tab.api("PUT", "/me/organization", json={"organizationId": wanted})
        assert (answer.status_code, code_of(answer)) == (404, "ORGANIZATION_NOT_FOUND")
    assert (await home.product.api.get("/me/organizations")).status_code == 403
    assert (await tab.client.put("/me/organization", json={"organizationId": str(beta)})).status_code == 403


@pytest.mark.parametrize("change", ["password", "deactivated", "sessions"])
async def test_what_ends_the_sessions_there_ends_the_way_there(home: Home, change: str) -> None:
    tab, beta, _ = await in_two(home)
    user = await home.people.users.by_email(beta, "anna@example.com")
    assert user is not None
    if change == "password":
        await home.people.users.set_password(user, "zupelnie nowe haslo 7")
    elif change == "deactivated":
        await home.people.users.deactivate(None, beta, user.id)
    else:
        await home.people.sessions.end_all(beta, user.id)
    assert len((await tab.client.get("/me/organizations")).json()["data"]) == 1
    answer = await tab.api("PUT", "/me/organization", json={"organizationId": str(beta)})
    assert answer.status_code == 404


async def test_a_second_factor_there_is_asked_for(home: Home) -> None:
    tab, beta, _ = await in_two(home)
    await sql(home, "UPDATE app_user SET totp_confirmed_at = now() WHERE organization_id = $1", beta)
    answer = await tab.api("PUT", "/me/organization", json={"organizationId": str(beta)})
    assert answer.json() == {"needs": "code"}
    assert (await tab.client.get("/me")).status_code == 401
    assert "code" in (await tab.client.get("/sign-in/code")).text
