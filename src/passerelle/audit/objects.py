"""What an object is at a moment, for `before` and `after`: one statement a kind, without secrets.

$1 is the chain (the workspace, or the organization), $2 the object's id or name, $3 what its path names besides.
Whoever changes a record tells what it was and is (`kit.observer.note_change`). Other kinds that are not here have
neither; what they are is told by the action.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from passerelle.audit.models import differing, masked
from passerelle.kit.database import Connection, fetch_one
from passerelle.kit.ids import parse_id
from passerelle.kit.json import JsonObject

STATEMENTS: Final[Mapping[str, str]] = {
    "definition": """
        SELECT jsonb_build_object('name', d.name,
            'published', (SELECT r.number FROM revision r WHERE r.workspace_id = $1 AND r.id = d.published_revision),
            'newest', (SELECT max(r.number) FROM revision r WHERE r.workspace_id = $1 AND r.definition_id = d.id))
        FROM definition d WHERE d.workspace_id = $1 AND d.id = $2
    """,
    "table": """
        SELECT jsonb_build_object('name', t.name, 'title', t.title, 'version', t.version, 'fields', t.fields)
        FROM record_table t WHERE t.workspace_id = $1 AND $2 IN (t.id::text, t.name)
    """,
    "publishing": """
        SELECT jsonb_build_object('secondPerson', p.second_person) FROM publishing_rule p WHERE p.workspace_id = $1
    """,
    "retention": """
        SELECT coalesce(jsonb_object_agg(r.kind, coalesce(r.keep::text, 'ever')
                || CASE WHEN r.archive THEN ', archived' ELSE '' END), '{}')
        FROM retention_rule r WHERE r.workspace_id = $1
    """,
    "hold": """
        SELECT jsonb_build_object('kind', h.kind, 'objectId', h.object_id, 'reason', h.reason,
            'released', h.released_at IS NOT NULL)
        FROM legal_hold h WHERE h.workspace_id = $1 AND h.id = $2
    """,
    "proposal": """
        SELECT jsonb_build_object('definition', d.name, 'definitionId', d.id, 'revision', r.number, 'sha256', p.sha256,
            'status', p.status, 'proposedBy', p.proposed_by, 'decidedBy', p.decided_by)
        FROM proposal p JOIN definition d ON d.workspace_id = p.workspace_id AND d.id = p.definition_id
        JOIN revision r ON r.workspace_id = p.workspace_id AND r.id = p.revision_id
        WHERE p.workspace_id = $1 AND p.id = $2
    """,
    "key": """
        SELECT jsonb_build_object('name', k.name, 'kind', k.kind, 'permissions', k.permissions, 'roles', k.roles,
            'networks', k.networks, 'expiresAt', k.expires_at, 'revoked', k.revoked_at IS NOT NULL)
        FROM api_key k WHERE k.workspace_id = $1 AND k.id = $2
    """,
    "endpoint": """
        SELECT jsonb_build_object('url', e.url, 'description', e.description, 'events', e.events,
            'apiVersion', e.api_version, 'contact', e.contact, 'fields', e.fields, 'piiClasses', e.pii,
            'status', e.status, 'secret', left(encode(sha256(e.secret), 'hex'), 8))
        FROM webhook_endpoint e WHERE e.workspace_id = $1 AND e.id = $2
    """,
    "secret": """
        SELECT jsonb_build_object('version', s.version) FROM workspace_secret s
        WHERE s.workspace_id = $1 AND s.name = $2
    """,
    "list": """
        SELECT jsonb_build_object('version', l.version, 'entries', l.entries, 'sha256', l.sha256)
        FROM name_list_version l WHERE l.workspace_id = $1 AND l.name = $2
        ORDER BY l.version DESC LIMIT 1
    """,
    "theme": """
        SELECT jsonb_build_object('name', t.name, 'font', t.font, 'colours', t.colours, 'logo', t.logo_digest,
            'allowedOrigins', t.allowed_origins, 'redirectTargets', t.redirect_targets)
        FROM theme t WHERE t.workspace_id = $1
    """,
    "workflow": """
        SELECT jsonb_build_object('status', e.status, 'revision',
            (SELECT r.number FROM revision r WHERE r.workspace_id = $1 AND r.id = e.revision_id))
        FROM execution e WHERE e.workspace_id = $1 AND e.id = $2
    """,
    "link": """
        SELECT jsonb_build_object('workflowId', l.execution_id, 'expiresAt', l.expires_at,
            'deleted', l.deleted_at IS NOT NULL)
        FROM link l WHERE l.workspace_id = $1 AND l.id = $2
    """,
    "user": """
        SELECT jsonb_build_object('email', u.email, 'firstName', u.first_name, 'lastName', u.last_name,
            'title', u.title, 'role', u.role, 'state', u.state, 'language', u.language, 'timeZone', u.time_zone,
            'passwordChangedAt', u.password_changed_at, 'secondFactor', u.totp_confirmed_at IS NOT NULL)
        FROM app_user u WHERE u.organization_id = $1 AND u.id = $2
    """,
    "enrollment": """
        SELECT jsonb_build_object('email', e.email, 'role', e.role, 'workspaces', e.memberships,
            'expiresAt', e.expires_at, 'cancelled', e.cancelled_at IS NOT NULL)
        FROM enrolment e WHERE e.organization_id = $1 AND e.id = $2
    """,
    "identity-provider": """
        SELECT jsonb_build_object('name', p.name, 'issuer', p.issuer, 'clientId', p.client_id, 'scopes', p.scopes,
            'groupClaim', p.group_claim, 'groupRoles', p.group_roles, 'defaultRole', p.default_role)
        FROM identity_provider p WHERE p.organization_id = $1 AND p.id = $2
    """,
    "membership": """
        SELECT jsonb_build_object('role', m.role) FROM membership m
        WHERE m.organization_id = $1 AND m.user_id::text = $2 AND m.workspace_id::text = $3
    """,
    "role": """
        SELECT jsonb_build_object('description', r.description, 'permissions', r.permissions) FROM workspace_role r
        WHERE r.organization_id = $1 AND r.name = $2 AND r.workspace_id::text = $3
    """,
}

_WITHIN: Final[Mapping[str, str]] = {"membership": "workspaceId", "role": "workspaceId"}
_CHANGED: Final = "SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS changed"
DELETED: Final = "(deleted)"
"""Of a record: no field's name."""
_ALONE: Final = frozenset({"theme", "publishing", "retention"})
"""Kinds of which there is one."""


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object at a moment: its values by name, and which of them are personal."""

    values: JsonObject
    personal: frozenset[str] = frozenset()


async def look(
    connection: Connection, chain: object, kind: str | None, object_id: str | None, within: Mapping[str, str]
) -> ObjectState | None:
    """The object as the transaction sees it; None where it is not there, or its kind is not known."""
    asked = _asked(chain, kind, object_id, within)
    return None if asked is None else _state(await connection.fetchval(asked[0], *asked[1]))


async def look_again(
    connection: Connection, chain: object, kind: str | None, object_id: str | None, within: Mapping[str, str]
) -> tuple[bool, ObjectState | None]:
    """Whether the transaction has changed anything, and the object as `look` gives it, in one statement."""
    asked = _asked(chain, kind, object_id, within)
    if asked is None:
        return bool(await connection.fetchval(_CHANGED)), None
    statement, given = asked
    row = await fetch_one(connection, f"{_CHANGED}, ({statement}) AS found", *given)
    return row["changed"], _state(row["found"])


def _asked(
    chain: object, kind: str | None, object_id: str | None, within: Mapping[str, str]
) -> tuple[str, list[object]] | None:
    """The statement for an object, with what it is given; None where there is none."""
    statement = STATEMENTS.get(kind or "")
    if statement is None or (object_id is None and kind not in _ALONE):
        return None
    # An id is compared as one: as a text it would be looked for in the whole table.
    named: object = parse_id(object_id or "") if ".id = $2" in statement else object_id
    if named is None and kind not in _ALONE:
        return None
    given = (chain, named, within.get(_WITHIN.get(kind or "", "")))
    return statement, [value for place, value in enumerate(given, 1) if f"${place}" in statement]


def _state(found: Any) -> ObjectState | None:
    if found is None:
        return None
    return ObjectState(orjson.loads(found) if isinstance(found, str) else found)


def told(kind: str | None, values: JsonObject | None) -> ObjectState | None:
    """An object as whoever changed it tells."""
    if values is None:
        return None
    # The audit cannot be erased, and any field may say something of a person: what it said is in the record's history.
    return ObjectState(values, frozenset(values) - {DELETED} if kind == "record" else frozenset())


def change_of(before: ObjectState | None, after: ObjectState | None) -> tuple[JsonObject | None, JsonObject | None]:
    """What differs, with personal values hidden."""
    personal = frozenset[str]().union(*(one.personal for one in (before, after) if one is not None))
    old, new = differing(*(None if one is None else one.values for one in (before, after)))
    return masked(old, personal), masked(new, personal)
