"""The vocabulary of permissions, and the roles that are built in.

A permission is a word: what an endpoint requires, what a role gives, what a key was given. Roles of an organization
reach every workspace of it where they say so; roles of a workspace only that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from passerelle.kit.grants import VIEW, Grant, Granted, Grants, Kind

Scope = Literal["organization", "workspace"]


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that may be allowed.

    scope   whether the organization or one workspace of it is concerned
    of      the kinds of things on which alone it may be given, by a grant
    fields  whether a grant on a table may name fields, and `rows`: records
    """

    name: str
    allows: str
    scope: Scope = "workspace"
    of: tuple[Kind, ...] = ()
    fields: bool = False
    rows: bool = False


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    """A role that every organization or workspace has; it cannot be changed."""

    name: str
    description: str
    permissions: frozenset[str]


_ALL: Final = (
    Permission("can_view_workspace", "See that the workspace is there, its definitions, tables, lists and theme."),
    Permission(
        "can_read_data",
        "Read and search records, their history and comments, and export them.",
        of=("table",),
        fields=True,
        rows=True,
    ),
    Permission(
        "can_edit_data", "Make, change, import, merge and delete records.", of=("table",), fields=True, rows=True
    ),
    Permission("can_read_attachments", "List and download the files of records.", of=("table",), rows=True),
    Permission("can_edit_attachments", "Add files to records, and delete them.", of=("table",), rows=True),
    Permission("can_comment", "Comment on records.", of=("table",), rows=True),
    Permission(
        "can_read_personal_data",
        "See personal values as they are, instead of masked.",
        of=("table", "definition"),
        fields=True,
    ),
    Permission("can_erase", "Erase a person's data for good."),
    Permission("can_run", "Start executions, make tokens and links for them, send them events.", of=("definition",)),
    Permission("can_view_executions", "See executions, their timelines, results and events.", of=("definition",)),
    Permission("can_operate_executions", "Retry, cancel and move executions.", of=("definition",)),
    Permission(
        "can_review", "See reviews and decide those that are assigned to one's role, or to nobody.", of=("review",)
    ),
    Permission("can_manage_definitions", "Push drafts of definitions.", of=("definition",)),
    Permission(
        "can_publish_definitions", "Publish definitions, and move running executions to them.", of=("definition",)
    ),
    Permission("can_manage_tables", "Make, change and delete tables."),
    Permission("can_manage_links", "List, send and withdraw links."),
    Permission("can_manage_themes", "Change how pages look, and which sites may show them."),
    Permission("can_manage_lists", "Load and delete lists of names."),
    Permission("can_view_webhooks", "See the endpoints of webhooks and what was delivered to them."),
    Permission("can_manage_webhooks", "Make, change and delete endpoints of webhooks; deliver again."),
    Permission("can_manage_secrets", "Write and delete secrets, whose values nobody can read."),
    Permission("can_manage_keys", "Make, list and revoke keys, with no permission that one has not."),
    Permission(
        "can_manage_retention",
        "Say how long the workspace keeps what; place and release legal holds.",
    ),
    Permission("can_view_audit", "Read and export the audit trail."),
    Permission(
        "can_view_operations",
        "See how the workspace stands, and the installation if the organization runs it; send a test e-mail.",
        "organization",
    ),
    Permission("can_manage_users", "Invite, change, deactivate and reinstate users.", "organization"),
    Permission("can_reset_2fa", "Take away a user's second factor, so that a new one is set up.", "organization"),
    Permission(
        "can_manage_workspace_access",
        "Say who is a member of which workspace, with which role; make and change a workspace's own roles.",
        "organization",
    ),
)

PERMISSIONS: Final[Mapping[str, Permission]] = {one.name: one for one in _ALL}
"""Every permission by its name."""

EVERYTHING: Final = frozenset(PERMISSIONS)
IN_WORKSPACES: Final = frozenset(one.name for one in _ALL if one.scope == "workspace")
"""What roles of a workspace can give."""

_VIEWER: Final = frozenset(
    {"can_view_workspace", "can_read_data", "can_read_attachments", "can_view_executions", "can_view_webhooks"}
)
_REVIEWER: Final = _VIEWER - {"can_view_webhooks"} | {"can_review", "can_comment", "can_read_personal_data"}
_OPERATOR: Final = (
    _VIEWER
    | _REVIEWER
    | {"can_edit_data", "can_edit_attachments", "can_run", "can_operate_executions", "can_manage_links"}
)
_DEVELOPER: Final = _VIEWER | {
    "can_comment",
    "can_run",
    "can_operate_executions",
    "can_manage_definitions",
    "can_publish_definitions",
    "can_manage_tables",
    "can_manage_links",
    "can_manage_themes",
    "can_manage_lists",
    "can_manage_webhooks",
    "can_manage_secrets",
    "can_manage_keys",
}

WORKSPACE_ROLES: Final[Mapping[str, BuiltInRole]] = {
    one.name: one
    for one in (
        BuiltInRole("operator", "Runs the daily work: executions, records, reviews.", _OPERATOR),
        BuiltInRole("reviewer", "Decides reviews and sees what it needs for that.", _REVIEWER),
        BuiltInRole(
            "developer", "Builds and publishes: definitions, tables, webhooks, keys. Sees no personal data.", _DEVELOPER
        ),
        BuiltInRole("viewer", "Sees everything but personal data, and changes nothing.", _VIEWER),
    )
}
"""The roles of every workspace by name."""

ORGANIZATION_ROLES: Final[Mapping[str, BuiltInRole]] = {
    one.name: one
    for one in (
        BuiltInRole("owner", "May do everything in every workspace, and makes other owners.", EVERYTHING),
        BuiltInRole("admin", "May do everything in every workspace; cannot make or change owners.", EVERYTHING),
        BuiltInRole("member", "Has only what the roles in workspaces give.", frozenset()),
    )
}
"""The roles of every organization by name. What one gives holds in each workspace of the organization."""


def unknown_permissions(names: frozenset[str]) -> list[str]:
    """Those of `names` that are no permission, in order."""
    return sorted(names - EVERYTHING)


def looked_up(kept: Iterable[Granted]) -> Grants:
    """Grants as they are looked up, each with the view of what it is on."""
    given = [grant for one in kept for grant in one.grants() if _is_grantable(grant)]
    seen = [Grant(one.kind, one.resource, VIEW) for one in given if one.kind != "review"]
    return Grants.of([*seen, *given])


def _is_grantable(grant: Grant) -> bool:
    """A permission that this release does not know gives nothing."""
    return grant.permission in PERMISSIONS and grant.kind in PERMISSIONS[grant.permission].of
