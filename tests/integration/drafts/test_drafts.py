"""Drafts: kept as typed, one's own unless shared, and no change of one person undoes another's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from passerelle.accounts.permissions import EVERYTHING
from passerelle.definitions.revisions.endpoints import router as revision_router
from passerelle.definitions.revisions.repository import RevisionRepository
from passerelle.definitions.revisions.rule import PublishingRule
from passerelle.definitions.revisions.service import Revisions
from passerelle.drafts import service
from passerelle.drafts.endpoints import router
from passerelle.drafts.repository import DraftRepository
from passerelle.drafts.service import Drafts
from passerelle.engine.registry import load_kinds
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.http import stack
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox

TEXT = "name: opening\nsteps:\n  - id: done\n    set: {a: 1}\n"


class ByName:
    """Takes the header for the person's name."""

    def __init__(self, workspace_id: UUID) -> None:
        self._workspace_id = workspace_id

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        name = (authorization or b"").decode()
        workspace = UUID(int=9) if name == "stranger" else self._workspace_id
        return Principal(workspace, UUID(int=sum(name.encode())), name, permissions=EVERYTHING)


class Alone:
    """Nobody has to agree."""

    async def rule(self, workspace_id: UUID) -> PublishingRule:
        return PublishingRule(False)

    async def propose_pushed(self, by: Principal, definition_id: UUID, number: int) -> UUID:
        raise NotImplementedError


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def app(database: Database, workspace_id: UUID, clock: MovedClock) -> FastAPI:
    app, box = FastAPI(), SecretBox(["a-key-for-tests-of-thirty-two-characters"])
    stack.install(app, authenticator=ByName(workspace_id), database=database, box=box)
    revisions = Revisions(RevisionRepository(database, new_id), load_kinds())
    drafts = Drafts(DraftRepository(database), revisions, clock, new_id)
    app.include_router(router(drafts, revisions))
    app.include_router(revision_router(revisions, Alone(), drafts, Cursors(box)))
    return app


async def call(app: FastAPI, who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    more: dict[str, Any] = {"content": body} if isinstance(body, str) else {"json": body}
    if isinstance(body, str):
        headers = {"Content-Type": "application/yaml", **headers}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://passerelle.test", headers={"Authorization": who, **headers}
    ) as client:
        return await client.request(method, path, **more)


async def made(app: FastAPI, who: str = "anna", **more: Any) -> dict[str, Any]:
    answer = await call(app, who, "POST", "/drafts", {"name": "Opening", "text": TEXT, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def codes(answer: httpx.Response) -> list[str]:
    return [one["code"] for one in answer.json()["errors"]]


async def test_a_draft_is_kept_as_it_is_typed_also_where_it_is_no_definition(app: FastAPI) -> None:
    text = "name: [\r\n\tnothing yet  \r\n"
    kept = await made(app, text=text)
    assert (await call(app, "anna", "GET", f"/drafts/{kept['id']}")).json()["text"] == text


async def test_own_drafts_are_ones_own_until_they_are_shared(app: FastAPI) -> None:
    kept = await made(app)
    path = f"/drafts/{kept['id']}"
    assert codes(await call(app, "ben", "GET", path)) == ["DRAFT_NOT_FOUND"]
    assert (await call(app, "ben", "GET", "/drafts")).json()["data"] == []
    assert (await call(app, "anna", "PATCH", path, {"shared": True})).is_success
    [listed] = (await call(app, "ben", "GET", "/drafts")).json()["data"]
    assert (listed["owner"], listed["mine"], "text" in listed) == ("anna", False, False)
    assert codes(await call(app, "ben", "PATCH", path, {"shared": False})) == ["DRAFT_NOT_YOURS"]
    assert codes(await call(app, "ben", "DELETE", path)) == ["DRAFT_NOT_YOURS"]
    assert codes(await call(app, "stranger", "GET", path)) == ["DRAFT_NOT_FOUND"]
    assert (await call(app, "anna", "DELETE", path)).status_code == 204


async def test_two_in_one_draft_lose_nothing(app: FastAPI) -> None:
    kept = await made(app, shared=True)
    path = f"/drafts/{kept['id']}"
    first = await call(app, "anna", "PATCH", path, {"text": TEXT + "# anna\n"}, **{"If-Match": '"1"'})
    assert (first.status_code, first.headers["ETag"]) == (200, '"2"')
    late = await call(app, "ben", "PATCH", path, {"text": TEXT + "# ben\n"}, **{"If-Match": '"1"'})
    assert (late.status_code, codes(late)) == (412, ["DRAFT_VERSION_CONFLICT"])
    assert "anna saved version 2" in late.text
    blind = await call(app, "ben", "PATCH", path, {"text": "x"})
    assert codes(blind) == ["DRAFT_VERSION_MISSING"]
    assert (await call(app, "ben", "GET", path)).json()["text"].endswith("# anna\n")


async def test_who_has_a_draft_open_is_told_to_the_others_for_half_a_minute(app: FastAPI, clock: MovedClock) -> None:
    kept = await made(app, shared=True)
    path = f"/drafts/{kept['id']}/presence"
    assert (await call(app, "anna", "POST", path)).json() == {"version": 1, "updatedBy": "anna", "people": []}
    assert (await call(app, "ben", "POST", path)).json()["people"] == ["anna"]
    clock.move(timedelta(seconds=31))
    assert (await call(app, "ben", "POST", path)).json()["people"] == []


async def test_who_closes_a_draft_is_gone_at_once_and_the_others_hear_of_it(
    app: FastAPI, database: Database, workspace_id: UUID
) -> None:
    kept = await made(app, shared=True)
    path = f"/drafts/{kept['id']}/presence"
    await call(app, "anna", "POST", path)
    for _ in range(2):
        assert (await call(app, "anna", "DELETE", path)).status_code == 204
    assert (await call(app, "ben", "POST", path)).json()["people"] == []
    async with database.workspace(workspace_id) as connection:
        rows = await connection.fetch("SELECT type FROM event WHERE type LIKE 'draft.%' ORDER BY id")
    assert [row["type"] for row in rows] == ["draft.opened", "draft.closed", "draft.opened"]


async def test_a_draft_that_is_let_go_while_others_say_that_they_are_there_is_gone_for_them(app: FastAPI) -> None:
    for _ in range(6):
        path = f"/drafts/{(await made(app, shared=True))['id']}"
        there = [call(app, who, "POST", f"{path}/presence") for who in ("ben", "carl", "dora", "anna")]
        answers = await asyncio.gather(*there, call(app, "anna", "DELETE", path))
        assert {one.status_code for one in answers} <= {200, 204, 404}, [one.text for one in answers]


async def test_who_opens_and_saves_a_shared_draft_is_told_to_the_stream_while_others_are_there(
    app: FastAPI, database: Database, workspace_id: UUID
) -> None:
    own, shared = await made(app), await made(app, shared=True)
    for kept in (own, shared):
        path = f"/drafts/{kept['id']}"
        await call(app, "anna", "POST", f"{path}/presence")
        await call(app, "anna", "POST", f"{path}/presence")
        await call(app, "anna", "PATCH", path, {"text": "alone"}, **{"If-Match": '"1"'})
    await call(app, "ben", "POST", f"/drafts/{shared['id']}/presence")
    await call(app, "ben", "PATCH", f"/drafts/{shared['id']}", {"text": "two"}, **{"If-Match": '"2"'})
    async with database.workspace(workspace_id) as connection:
        rows = await connection.fetch("SELECT type, data FROM event WHERE type LIKE 'draft.%' ORDER BY id")
    assert {row["data"]["draftId"] for row in rows} == {shared["id"]}
    assert [(row["type"], row["data"]["version"]) for row in rows] == [
        ("draft.opened", 1), ("draft.opened", 2), ("draft.saved", 3)
    ]  # fmt: skip


async def test_a_push_tells_of_drafts_that_rest_on_an_older_revision(app: FastAPI) -> None:
    pushed = (await call(app, "anna", "POST", "/definitions", TEXT)).json()
    about = {"definitionId": pushed["id"], "baseRevision": 1}
    await made(app, shared=True, **about)
    await made(app, name="Secret", **about)
    again = (await call(app, "ben", "POST", "/definitions", TEXT + "# more\n")).json()
    assert again["warnings"] == ["the draft `Opening` of anna rests on revision 1: tell them of this one"]
    own = (await call(app, "anna", "POST", "/definitions", TEXT + "# and more\n")).json()
    assert set(own["warnings"]) == {
        f"your draft `{name}` rests on revision 1: take this one into it" for name in ("Opening", "Secret")
    }
    listed = (await call(app, "anna", "GET", f"/drafts?definitionId={pushed['id']}")).json()["data"]
    assert {(one["baseRevision"], one["newestRevision"]) for one in listed} == {(1, 3)}


async def test_a_draft_names_a_definition_and_a_revision_that_are_there(app: FastAPI) -> None:
    nowhere = {"name": "x", "text": "", "definitionId": str(UUID(int=5))}
    assert (await call(app, "anna", "POST", "/drafts", nowhere)).status_code == 404
    pushed = (await call(app, "anna", "POST", "/definitions", TEXT)).json()
    lost = await call(app, "anna", "POST", "/drafts", {**nowhere, "definitionId": pushed["id"], "baseRevision": 7})
    assert codes(lost) == ["REVISION_NOT_FOUND"]


async def test_where_definitions_come_from_files_only_no_draft_is_kept(app: FastAPI) -> None:
    kept = await made(app)
    assert (await call(app, "anna", "PUT", "/definitions/source", {"filesOnly": True})).is_success
    assert (await call(app, "ben", "GET", "/definitions/source")).json() == {"filesOnly": True}
    assert codes(await call(app, "anna", "POST", "/drafts", {"name": "x", "text": ""})) == ["DRAFTS_NOT_KEPT"]
    path = f"/drafts/{kept['id']}"
    assert codes(await call(app, "anna", "PATCH", path, {"text": ""}, **{"If-Match": '"1"'})) == ["DRAFTS_NOT_KEPT"]
    assert (await call(app, "anna", "GET", path)).is_success
    assert (await call(app, "anna", "PUT", "/definitions/source", {"filesOnly": False})).is_success
    await made(app, name="Again")


async def test_a_person_has_as_many_drafts_as_they_may_have(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_DRAFTS", 1)
    await made(app)
    assert codes(await call(app, "anna", "POST", "/drafts", {"name": "x", "text": ""})) == ["DRAFTS_TOO_MANY"]
    await made(app, "ben")


async def test_a_check_says_all_that_is_wrong_with_its_place_and_keeps_nothing(app: FastAPI) -> None:
    wrong = "name: opening\nsteps:\n  - id: a\n    wait: {for: soon}\n  - id: a\n    set: {b: '${steps.c.d}'}\n"
    found = (await call(app, "anna", "POST", "/definitions/check", wrong)).json()
    assert (found["sound"], found["definitionId"]) == (False, None)
    first, *others = found["problems"]
    assert (first["line"], first["path"], len(others)) == (4, ["steps", 0, "wait", "for"], 2)
    assert (await call(app, "anna", "POST", "/definitions/check", TEXT)).json()["sound"]
    assert (await call(app, "anna", "GET", "/definitions")).json()["data"] == []
    pushed = (await call(app, "anna", "POST", "/definitions", TEXT)).json()
    assert (await call(app, "anna", "POST", "/definitions/check", TEXT)).json()["definitionId"] == pushed["id"]


async def test_an_expression_is_evaluated_for_sample_values_and_says_what_it_reads(app: FastAPI) -> None:
    async def given(text: str, **more: Any) -> dict[str, Any]:
        answer = await call(app, "anna", "POST", "/definitions/evaluate", {"text": text, **more})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    values = {"steps": {"risk": {"score": 80}}}
    assert await given("steps.risk.score > 70", values=values) == {
        "value": True, "problem": None, "reads": ["steps.risk.score"]
    }  # fmt: skip
    assert (await given("Risk ${steps.risk.score}", template=True, values=values))["value"] == "Risk 80"
    assert "steps.risk.colour" in (await given("steps.risk.colour == 'red'", values=values))["problem"]
    assert (await given("1 +"))["problem"]
    assert "secrets" in (await given("secrets.KEY"))["problem"]
    heavy = "[1,2,3,4,5,6,7,8,9].all(a, " * 5 + "true" + ")" * 5
    assert "work" in (await given(heavy))["problem"]
