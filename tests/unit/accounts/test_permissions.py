"""The vocabulary of permissions, and what the built-in roles hold of it."""

from __future__ import annotations

from passerelle.accounts.permissions import (
    EVERYTHING,
    IN_WORKSPACES,
    ORGANIZATION_ROLES,
    PERMISSIONS,
    WORKSPACE_ROLES,
)
from passerelle.kit.http.authentication import Principal
from passerelle.kit.ids import new_id

GIVEN = (
    "can_read_data can_edit_data can_read_attachments can_edit_attachments can_comment can_run can_view_workspace "
    "can_manage_users can_reset_2fa can_manage_workspace_access"
)
"""Names that existing clients know."""


def test_the_names_that_clients_know_are_there_and_each_says_what_it_allows() -> None:
    assert set(GIVEN.split()) <= PERMISSIONS.keys()
    assert all(one.allows.endswith(".") and one.name.startswith("can_") for one in PERMISSIONS.values())


def test_no_role_of_a_workspace_reaches_beyond_it() -> None:
    for role in WORKSPACE_ROLES.values():
        assert role.permissions <= IN_WORKSPACES, role.name
        assert "can_view_workspace" in role.permissions, role.name


def test_who_reviews_cannot_change_what_is_reviewed() -> None:
    changing = {name for name in EVERYTHING if "_manage_" in name or "_edit_" in name or "publish" in name}
    assert not WORKSPACE_ROLES["reviewer"].permissions & changing


def test_who_builds_sees_no_personal_data_and_who_views_changes_nothing() -> None:
    assert "can_read_personal_data" not in WORKSPACE_ROLES["developer"].permissions
    viewer = WORKSPACE_ROLES["viewer"].permissions
    assert all(name.startswith(("can_view_", "can_read_")) for name in viewer)
    assert "can_read_personal_data" not in viewer


def test_owners_and_admins_may_do_everything_and_members_nothing_by_themselves() -> None:
    assert ORGANIZATION_ROLES["owner"].permissions == ORGANIZATION_ROLES["admin"].permissions == EVERYTHING
    assert ORGANIZATION_ROLES["member"].permissions == frozenset()


def test_a_refusal_says_why() -> None:
    key = Principal(new_id(), new_id(), "shop", permissions=frozenset({"can_run"}))
    person = Principal(new_id(), new_id(), "Ewa", roles=frozenset({"viewer"}), kind="user")

    assert key.may("can_run")
    assert key.may("can_erase").reason == "the key `shop` was not given `can_erase`"
    assert person.may("can_run").reason == "you are `viewer` here, which does not include `can_run`"
