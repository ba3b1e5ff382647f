"""Each statement names the workspace of every table that it reads or writes, and joins no rows of two workspaces.

Row-level security stands behind that; it is not the only thing that keeps workspaces apart. And each statement that is
not listed runs where its workspace is, if a database is divided by workspace (decision 0222).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pglast import parse_sql

from tests.unit.project.joins import Reach, reach
from tests.unit.project.sql import PUT_IN_TABLE, Statement, statements_of_code, statements_of_functions, tables

KNOWN = tables() | {"audit_entry", "audit_chain", PUT_IN_TABLE}

FUNCTIONS = {
    "find_end_user_session": "whose browser it is names no workspace",
    "find_handover": "who has a code names no workspace",
    "find_key": "who signs in names no workspace",
    "find_link": "who opens a link names no workspace",
    "find_organization_token": "who signs in names no workspace",
    "find_public_signing_key": "a public key is asked for by its id alone",
    "outer_signing_keys": "whether the keys of a process are those of the installation, at its start",
    "find_refresh_token": "who refreshes names no workspace",
    "find_visit": "whose browser it is names no workspace",
    "session_stands": "the workspaces of an organization, of which a user looks at one",
    "claim_deliveries": "the queue of deliveries: workspaces take turns",
    "dispatch_events": "the queue of deliveries",
    "endpoints_failing_since": "the queue of deliveries",
    "events_to_deliver": "the queue of deliveries, after a restore",
    "new_events": "the events that readers of several workspaces wait for",
    "record_attempts": "the queue of deliveries: what became of a batch of them",
    "release_deliveries": "the queue of deliveries",
    "seal_audit": "the queue of entries without a place",
    "stranded_children": "the queue of executions",
    "stranded_executions": "the queue of executions",
    "unused_executions": "the queue of executions",
    "expire_links": "the queue of links that run out",
    "settle_visitor_files": "the queue of files of executions that have ended",
    "calls_ended": "what a journal of the whole installation is compared with, after a restore",
    "last_moment": "what a journal of the whole installation is read from, after a restore",
    "audit_over": "retention over all",
    "forget_deliveries": "retention over all",
    "forget_deprecated_uses": "retention over all",
    "forget_dry_migrations": "retention over all",
    "forget_events": "retention over all",
    "forget_idempotency_keys": "retention over all",
    "forget_link_traces": "retention over all",
    "forget_operations": "retention over all",
    "forget_refresh_tokens": "retention over all",
    "forget_visitor_drafts": "retention over all",
    "records_deleted_before": "retention over all",
    "workspaces_with_retention": "retention over all",
    "count_deprecated_uses": "figures of the installation: what a process has counted of all",
    "deprecated_counts": "figures of the installation",
    "execution_counts": "figures of the installation",
    "file_sizes": "figures of the installation",
    "webhook_counts_of": "figures of the installation, where no workspace is named",
}
"""Functions of the database that look across workspaces, and why."""
CODE = {
    "events/restored.py: _AHEAD": "after a restore",
    "events/restored.py: _ahead": "after a restore",
    "events/restored.py: _LOWER": "after a restore",
    "events/restored.py: bring_back_numbers": "after a restore",
    "operations/rekeying.py: _IN_DOCUMENTS": "`passerelle rekey`: everything is encrypted anew",
    "people/group_repository.py: put_memberships": "what a group gives its members, in all workspaces of the organization",
    "people/repository.py: places_of": "the workspaces of an organization that a user may enter",
}
"""Statements of the code that do."""
ELSEWHERE = {
    "definitions/revisions/repository.py: _COLUMNS": "the condition comes after it",
    "definitions/revisions/repository.py: _one": "the condition is `_BY_ID` or one that its callers name",
    "links/repository.py: JOINED": "the condition comes after it",
    "records/duplicates.py: _rows": "the first of its conditions",
    "records/plans.py: _index_source": "the first of its conditions",
    "tables/repository.py: _COLUMNS": "the condition comes after it",
}
"""Statements that name their workspace where it cannot be seen here."""


def read() -> Iterator[tuple[Statement, Reach]]:
    for statement in (*statements_of_functions(), *statements_of_code()):
        yield statement, reach(statement.tree, KNOWN)


def test_each_join_compares_the_workspace() -> None:
    found = list(read())
    assert len(found) > 600
    assert sorted({one.where for one, reached in found if not reached.is_joined}) == []


def test_only_what_is_listed_reaches_more_than_one_workspace() -> None:
    """A queue, retention, figures of the installation, and what is found by a secret: each has its reason."""
    across = {one.where for one, reached in read() if not reached.is_of_one}
    assert across == {*FUNCTIONS, *CODE, *ELSEWHERE}


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM link l JOIN execution e ON e.workspace_id = l.workspace_id AND e.id = l.execution_id WHERE l.workspace_id = $1",
        "SELECT FROM link l, execution e WHERE l.workspace_id = $1 AND e.workspace_id = $1",
        "SELECT FROM link l JOIN execution e USING (workspace_id) WHERE l.workspace_id = $1::uuid",
        "SELECT FROM link l WHERE workspace_id = $1 AND EXISTS (SELECT FROM visit v WHERE v.workspace_id = l.workspace_id)",
        "SELECT FROM link l WHERE (l.workspace_id, l.id) = ($1, $2)",
        "WITH e AS (SELECT * FROM execution WHERE workspace_id = $1) UPDATE link l SET email = '' FROM e WHERE l.workspace_id = e.workspace_id",
        "INSERT INTO link (id, workspace_id) SELECT e.id, e.workspace_id FROM execution e WHERE e.workspace_id = $1",
        "INSERT INTO link (id, workspace_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "DELETE FROM link WHERE workspace_id = OLD.workspace_id",
        "SELECT FROM link WHERE workspace_id = nullif(current_setting('passerelle.workspace', true), '')::uuid",
        "SELECT FROM link WHERE workspace_id = $1 UNION SELECT FROM visit WHERE workspace_id = $1",
        "SELECT FROM execution e, LATERAL (SELECT * FROM link l WHERE l.workspace_id = e.workspace_id) l WHERE e.workspace_id = $1",
    ],
)
def test_a_statement_of_one_workspace_is_told(statement: str) -> None:
    reached = reach(parse_sql(statement)[0].stmt, KNOWN)
    assert reached.is_joined
    assert reached.is_of_one


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM link l JOIN execution e ON e.id = l.execution_id WHERE l.workspace_id = $1",
        "SELECT FROM link l, execution e WHERE l.workspace_id = $1 AND e.workspace_id = $2",
        "SELECT FROM link l JOIN execution e ON e.workspace_id = l.workspace_id OR e.id = l.execution_id WHERE l.workspace_id = $1",
        "SELECT FROM link l WHERE workspace_id = $1 AND EXISTS (SELECT FROM visit v WHERE v.execution_id = l.execution_id)",
        "SELECT FROM link l JOIN (SELECT id FROM execution) e ON e.id = l.execution_id WHERE l.workspace_id = $1",
        "WITH e AS (SELECT * FROM execution) UPDATE link l SET email = '' FROM e WHERE l.execution_id = e.id AND l.workspace_id = $1",
        "DELETE FROM link l USING execution e WHERE e.id = l.execution_id AND e.workspace_id = $1",
    ],
)
def test_a_join_that_does_not_compare_the_workspace_is_seen(statement: str) -> None:
    reached = reach(parse_sql(statement)[0].stmt, KNOWN)
    assert not (reached.is_joined and reached.is_of_one)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM link",
        "SELECT FROM link WHERE workspace_id = $1 OR true",
        "SELECT FROM link WHERE workspace_id <> $1",
        "SELECT FROM link WHERE workspace_id = ANY ($1)",
        "SELECT FROM link l JOIN execution e USING (workspace_id)",
        "INSERT INTO link (workspace_id, id) SELECT e.workspace_id, e.id FROM execution e",
        "SELECT (SELECT count(*) FROM link)",
        "SELECT delete_some('link', 'true', now(), 1)",
    ],
)
def test_a_statement_that_reaches_all_workspaces_is_seen(statement: str) -> None:
    assert not reach(parse_sql(statement)[0].stmt, KNOWN).is_of_one
