"""Two who do the same at the same moment: one of them is told that the other was faster, and nothing fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import httpx
import pytest

from passerelle.people.errors import SESSION_OVER
from passerelle.people.single_sign_on import SingleSignOn
from tests.integration.people.browsing import PASSWORD
from tests.integration.people.conftest import Home
from tests.integration.people.test_passkeys import begun
from tests.integration.people.test_scim import CORE, GROUPS, USERS, made, user

ROUNDS = 6


async def together(requests: Iterable[Awaitable[httpx.Response]]) -> list[int]:
    """The statuses of all; none is a failure of ours."""
    answers = await asyncio.gather(*requests)
    assert [one.text for one in answers if one.status_code >= 500] == []
    return sorted(one.status_code for one in answers)


async def test_one_address_is_invited(home: Home) -> None:
    api, enrollments = home.product.api, "/organizations/enrollments"
    for at in range(ROUNDS):
        body = {"email": f"ewa-{at}@example.com", "roleId": "member"}
        assert await together(api.post(enrollments, json=body) for _ in range(4)) == [201] * 4
        listed = (await api.get(enrollments, params={"size": 200})).json()["content"]
        pending = [one for one in listed if one["email"] == body["email"] and one["status"] != "CANCELLED"]
        assert len(pending) == 1


async def test_a_role_is_deleted_and_changed(home: Home) -> None:
    api, roles = home.product.api, f"/workspaces/{home.product.workspace_id}/roles"
    for _ in range(ROUNDS):
        answer = await api.post(roles, json={"name": "clerk", "permissions": []})
        assert answer.status_code == 201, answer.text
        ends = [api.delete(f"{roles}/clerk") for _ in range(2)]
        changes = [api.put(f"{roles}/clerk", json={"permissions": []}) for _ in range(2)]
        assert (await together(changes + ends)).count(204) == 1


async def test_who_proves_twice_who_they_are_goes_on_with_one_secret(home: Home) -> None:
    tab = await home.signed_in()
    before = dict(tab.client.cookies)
    body = {"password": PASSWORD}
    statuses = await together(tab.api("POST", "/me/authenticate", json=body) for _ in range(3))
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, SESSION_OVER.status}
    assert dict(tab.client.cookies) != before
    assert (await tab.client.get("/me")).status_code == 200


async def test_two_providers_take_one_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def any_metadata(self: SingleSignOn, issuer: str) -> dict[str, Any]:
        return {}

    monkeypatch.setattr(SingleSignOn, "_metadata", any_metadata)
    api, providers = home.product.api, "/organizations/identity-providers"
    body = {"issuer": "https://id.example.com", "clientId": "c", "clientSecret": "s", "defaultRole": "member"}
    ids = [(await api.post(providers, json=body | {"name": f"first-{at}"})).json()["id"] for at in range(2)]
    for at in range(ROUNDS):
        name = {"name": f"same-{at}"}
        assert await together(api.put(f"{providers}/{one}", json=body | name) for one in ids) == [200, 409]


def group(name: str, *members: str) -> dict[str, Any]:
    return {"schemas": [f"{CORE}Group"], "displayName": name, "members": [{"value": one} for one in members]}


async def test_groups_are_written_as_a_provider_sends_them(home: Home) -> None:
    """To one name, with members that overlap, and while they are deleted."""
    api = home.product.api
    users = [(await made(home, USERS, user(f"user-{at}@example.com")))["id"] for at in range(5)]
    ids = [(await made(home, GROUPS, group(f"group-{at}")))["id"] for at in range(3)]
    for group_id in ids:
        given = await api.put(f"/organizations/groups/{group_id}/roles", json={"roleId": "admin", "workspaces": []})
        assert given.status_code == 200, given.text
    for at in range(ROUNDS):
        same = group(f"same-{at}")
        assert await together(api.put(f"{GROUPS}/{one}", json=same) for one in ids) == [200, 409, 409]
        written = [
            (ids[number % 3], [one for place, one in enumerate(users) if (place * 7 + number * 3 + at) % 3])
            for number in range(9)
        ]
        assert (
            await together(api.put(f"{GROUPS}/{one}", json=group(f"of {one}", *members)) for one, members in written)
            == [200] * 9
        )
        gone = (await made(home, GROUPS, group(f"gone-{at}")))["id"]
        writes = [api.put(f"{GROUPS}/{gone}", json=group(f"gone-{at}", *users)) for _ in range(3)]
        assert set(await together([*writes, api.delete(f"{GROUPS}/{gone}")])) <= {200, 204, 404}


async def test_what_cannot_be_kept_is_refused_before_anything_is_made(home: Home) -> None:
    api = home.product.api
    ewa = (await made(home, USERS, user()))["id"]
    staff = (await made(home, GROUPS, group("staff")))["id"]
    patched = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
    title = {"op": "replace", "path": "title", "value": "a\0b"}
    for method, path, body in [
        ("POST", USERS, user("jan@example.com", externalId="a\0b")),
        ("POST", USERS, user("jan@example.com", name={"givenName": "a\0b"})),
        ("PUT", f"{USERS}/{ewa}", user(title="a\0b")),
        ("PATCH", f"{USERS}/{ewa}", patched | {"Operations": [title]}),
        ("POST", GROUPS, group("a\0b")),
        ("PUT", f"{GROUPS}/{staff}", group("staff") | {"externalId": "a\0b"}),
        ("PATCH", f"{GROUPS}/{staff}", patched | {"Operations": [title | {"path": "displayName"}]}),
    ]:
        answer = await api.request(method, path, json=body)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue"), answer.text
        assert "NUL" in answer.json()["detail"]
    assert (await api.post(USERS, json=user("jan@example.com"))).status_code == 201


async def test_an_answer_of_a_provider_to_a_browser_that_asked_for_a_passkey_begins_anew(home: Home) -> None:
    """One tab has asked a provider, another one for a passkey: they share what the browser keeps."""
    tab = home.tab()
    await begun(tab)
    back = await tab.client.get("/sign-in/callback", params={"state": "x", "code": "y"})
    assert (back.status_code, back.headers["location"]) == (303, "/sign-in")
