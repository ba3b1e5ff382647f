"""Each cell of the matrix in the reference is tried: every endpoint with every role that is built in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from passerelle.people.models import NewUser
from tests.integration.people.browsing import PASSWORD, Tab
from tests.integration.people.conftest import Home

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "permissions.md"
ROLES = ("operator", "reviewer", "developer", "viewer")


def cells() -> Iterator[tuple[str, str, str, dict[str, bool]]]:
    """Method, path and permission of each endpoint, and for each role whether it may."""
    head, *lines = [line for line in PAGE.read_text().partition("## Endpoints")[2].splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in head.strip("|").split("|")][3:]
    for line in lines[1:]:
        endpoint, permission, _, *marks = [cell.strip() for cell in line.strip("|").split("|")]
        method, _, path = endpoint.strip("`").partition(" ")
        yield (
            method,
            path,
            permission.strip("`"),
            {role: mark == "yes" for role, mark in zip(columns, marks, strict=True)},
        )


async def joined(home: Home, role: str) -> Tab:
    """A browser in which a member with this role has signed in."""
    email = f"{role}@example.com"
    user = await home.people.users.make(home.owner.organization_id, NewUser(email, "member", role), PASSWORD)
    await home.people.users.put_member(home.owner.organization_id, home.product.workspace_id, user.id, role)
    return await home.signed_in(email)


@pytest.mark.timeout(300)
async def test_every_endpoint_lets_in_whom_the_reference_says_and_names_the_permission_to_all_others(
    home: Home,
) -> None:
    tabs = {"owner, admin": await home.signed_in(), **{role: await joined(home, role) for role in ROLES}}
    wrong, tried = [], 0
    for method, path, permission, allowed in cells():
        address = re.sub(r"\{(\w+)\}", lambda found: str(uuid4()), path)
        for role, tab in tabs.items():
            # Nothing is sent along: what is let in fails for want of it, or because nothing has this id.
            answer = await tab.api(method, address, headers={"X-Workspace": str(home.product.workspace_id)})
            refused = answer.status_code == 403 and "PERMISSION_DENIED" in answer.text
            named = f"`{permission}`" in answer.text
            tried += 1
            if refused == allowed[role] or (refused and not named) or answer.status_code in (401, 500):
                wrong.append(f"{role}: {method} {path}: {answer.status_code} {answer.text[:150]}")
    assert tried > 500
    assert wrong == []
