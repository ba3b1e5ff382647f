"""Provisioning over SCIM 2.0: users and groups as an identity provider sends them, and the roles that groups give."""

from __future__ import annotations

from typing import Any

from tests.integration.people.browsing import PASSWORD
from tests.integration.people.conftest import Home

USERS = "/scim/v2/Users"
GROUPS = "/scim/v2/Groups"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"


def user(email: str = "ewa@example.com", **more: Any) -> dict[str, Any]:
    name = {"givenName": "Ewa", "familyName": "Lis"}
    return {"schemas": [f"{CORE}User"], "userName": email, "externalId": "e-1", "name": name, "active": True, **more}


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


async def made(home: Home, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await home.product.api.post(path, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["content-type"].startswith("application/scim+json")
    assert answer.headers["location"].endswith(answer.json()["id"])
    found: dict[str, Any] = answer.json()
    return found


async def test_a_user_is_made_found_changed_and_let_in_no_more(home: Home) -> None:
    api = home.product.api
    ewa = await made(home, USERS, user())
    assert (ewa["userName"], ewa["externalId"], ewa["active"]) == ("ewa@example.com", "e-1", True)
    found = (await api.get(USERS, params={"filter": 'userName eq "EWA@example.com"'})).json()
    assert [one["id"] for one in found["Resources"]] == [ewa["id"]]
    assert (await api.get(USERS, params={"filter": 'externalId eq "nobody"'})).json()["totalResults"] == 0
    page = (await api.get(USERS, params={"startIndex": "2", "count": "1"})).json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (2, 2, 1)
    again = await api.post(USERS, json=user())
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    home_user = await home.people.users.by_email(home.owner.organization_id, "ewa@example.com")
    assert home_user is not None
    await home.people.users.set_password(home_user, PASSWORD)
    tab = await home.signed_in("ewa@example.com")
    assert (await tab.client.get("/me")).status_code == 200
    changed = await api.patch(
        f"{USERS}/{ewa['id']}",
        json=patch(
            {"op": "Replace", "path": "active", "value": "False"}, {"op": "replace", "value": {"title": "Boss"}}
        ),
    )
    assert (changed.json()["active"], changed.json()["title"]) == (False, "Boss"), changed.text
    assert (await tab.client.get("/me")).status_code == 401
    back = await api.put(f"{USERS}/{ewa['id']}", json=user(name={"givenName": "Eva"}))
    assert (back.json()["active"], back.json()["name"]) == (True, {"givenName": "Eva"})
    assert (await api.delete(f"{USERS}/{ewa['id']}")).status_code == 204
    assert (await api.get(f"{USERS}/{ewa['id']}")).json()["active"] is False


async def test_a_group_gives_roles_to_its_members_and_takes_them_away_but_nothing_that_was_given_by_hand(
    home: Home,
) -> None:
    api, workspace = home.product.api, str(home.product.workspace_id)
    ewa = await made(home, USERS, user())
    jan = await made(home, USERS, user("jan@example.com", externalId="j-1"))
    group = await made(
        home, GROUPS, {"schemas": [f"{CORE}Group"], "displayName": "Operators", "members": [{"value": ewa["id"]}]}
    )
    members = f"/workspaces/{workspace}/memberships"
    assert (await api.get(members)).json()["content"] == []
    body = {"roleId": "admin", "workspaces": [{"workspaceId": workspace, "roleId": "operator"}]}
    given = await api.put(f"/organizations/groups/{group['id']}/roles", json=body)
    assert given.status_code == 200, given.text

    async def roles() -> dict[str, str]:
        return {one["email"]: one["role"]["id"] for one in (await api.get(members)).json()["content"]}

    async def organization_role(one: dict[str, Any]) -> str:
        return str((await api.get(f"/organizations/users/{one['id']}")).json()["roleId"])

    assert (await roles(), await organization_role(ewa)) == ({"ewa@example.com": "operator"}, "admin")
    await api.post(members, json={"userId": jan["id"], "roleId": "viewer"})
    path = f"{GROUPS}/{group['id']}"
    await api.patch(path, json=patch({"op": "add", "path": "members", "value": [{"value": jan["id"]}]}))
    assert await roles() == {"ewa@example.com": "operator", "jan@example.com": "viewer"}
    removed = patch({"op": "remove", "path": f'members[value eq "{ewa["id"]}"]'})
    assert len((await api.patch(path, json=removed)).json()["members"]) == 1
    assert (await roles(), await organization_role(ewa)) == ({"jan@example.com": "viewer"}, "member")
    assert (await api.delete(path)).status_code == 204
    assert (await roles(), await organization_role(jan)) == ({"jan@example.com": "viewer"}, "member")
    assert (await api.get(path)).status_code == 404


async def test_a_group_with_somebody_whom_nobody_knows_is_refused_whole(home: Home) -> None:
    api = home.product.api
    ewa = await made(home, USERS, user())
    group = {"schemas": [f"{CORE}Group"], "displayName": "Operators", "members": [{"value": ewa["id"]}]}
    path = f"{GROUPS}/{(await made(home, GROUPS, group))['id']}"
    nobody = "00000000-0000-7000-8000-000000000001"
    for wrong in (nobody, "ewa@example.com"):
        added = patch({"op": "add", "path": "members", "value": [{"value": wrong}]})
        for answer in (
            await api.patch(path, json=added),
            await api.put(path, json=group | {"members": [{"value": ewa["id"]}, {"value": wrong}]}),
            await api.post(GROUPS, json=group | {"displayName": "Others", "members": [{"value": wrong}]}),
        ):
            assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue"), answer.text
            assert wrong in answer.json()["detail"]
    too_long = await api.put(path, json=group | {"displayName": "x" * 201})
    assert (too_long.status_code, too_long.json()["scimType"]) == (400, "invalidValue")
    found = (await api.get(GROUPS)).json()["Resources"]
    assert [(one["displayName"], [each["value"] for each in one["members"]]) for one in found] == [
        ("Operators", [ewa["id"]])
    ]


async def test_what_is_wrong_is_told_in_scims_own_form_and_owners_are_made_by_no_group(home: Home) -> None:
    api = home.product.api
    for answer, status, kind in (
        (await api.get(USERS, params={"filter": "userName is"}), 400, "invalidFilter"),
        (await api.post(USERS, json=user("nobody", emails=[])), 400, "invalidValue"),
        (await api.post(USERS, content=b"{"), 400, "invalidValue"),
        (await api.get(f"{USERS}/nobody"), 404, None),
        (await api.delete(f"{USERS}/{home.owner.id}"), 409, "uniqueness"),
    ):
        assert (answer.status_code, answer.json().get("scimType")) == (status, kind), answer.text
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    group = await made(home, GROUPS, {"schemas": [f"{CORE}Group"], "displayName": "All"})
    refused = await api.put(f"/organizations/groups/{group['id']}/roles", json={"roleId": "owner"})
    assert refused.status_code == 400
    assert (await home.product.stranger.get(f"{GROUPS}/{group['id']}")).status_code == 404
    for path in ("ServiceProviderConfig", "ResourceTypes", "Schemas"):
        assert (await api.get(f"/scim/v2/{path}")).status_code == 200, path
    viewer = await api.post("/keys", json={"name": "viewer", "permissions": ["can_view_workspace"]})
    tokens = (await api.post("/auth/authorize", json={key: viewer.json()[key] for key in ("key", "secret")})).json()
    other = await api.get(USERS, headers={"Authorization": f"Bearer {tokens['accessToken']}"})
    assert other.status_code == 403
