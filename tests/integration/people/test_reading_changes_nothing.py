"""GET is safe: whatever is read, by whoever may do everything, nothing that is kept is another afterwards."""

from __future__ import annotations

import re
from uuid import uuid4

import asyncpg
import pytest
from fastapi.routing import iter_route_contexts

from tests.integration.people.conftest import Home
from tests.integration.tenancy.test_every_endpoint import filled

OF_THE_READING = {"attempt_count", "audit_chain", "audit_entry", "deprecated_use"}
"""What is written of the reading itself: the audit, what limits count, and who still calls version 1."""
PART = re.compile(r"\{(\w+)(?::path)?\}")
ENDLESS = ("/events",)
"""What goes on until the caller leaves."""


async def kept(home: Home) -> dict[str, str | None]:
    """A fingerprint of each table."""
    connection = await asyncpg.connect(home.product.database_url)
    names = await connection.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found = {}
    for (name,) in names:
        rows = f"SELECT md5(string_agg(one::text, ',' ORDER BY one::text)) FROM {name} AS one"
        found[name] = await connection.fetchval(rows)
    await connection.close()
    return found


def camel(name: str) -> str:
    """As the API's document writes it."""
    first, *others = name.split("_")
    return first + "".join(one.capitalize() for one in others)


@pytest.mark.timeout(300)
async def test_no_get_changes_anything(home: Home) -> None:
    ids = await filled(home.product)
    tab = await home.signed_in()
    routes = iter_route_contexts(home.product.app.routes)
    paths = sorted({str(route.path) for route in routes if "GET" in (route.methods or ())})
    before, statuses = await kept(home), []
    for path in paths:
        if path not in ENDLESS:
            address = PART.sub(lambda part: ids.get(camel(part[1]), str(uuid4())), path)
            statuses.append((await tab.api("GET", address)).status_code)
    after = await kept(home)
    changed = {name for name in after if after[name] != before.get(name)}
    assert statuses.count(200) > 90
    assert 500 not in statuses
    assert changed <= OF_THE_READING
