"""Lists on the database: loading, versions, searching, and who may see them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from passerelle.accounts.permissions import EVERYTHING
from passerelle.definitions.revisions.repository import RevisionRepository
from passerelle.definitions.revisions.uses import DefinitionUses
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.http import stack
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.pages import Cursors
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox
from passerelle.lists.endpoints import router
from passerelle.lists.repository import ListRepository
from passerelle.lists.service import MOST_PROBLEMS, ListService

HEADER = "id,schema,name,aliases,birth_date,countries,identifiers,sanctions,dataset\n"
FIRST = (
    HEADER
    + "NK-1,Person,Jane Fiction,J. Fiction;Джейн Фикшн,1970-01-02,ru,,EU-1,EU\nNK-2,Person,John Invented,,,,,,EU\n"
)
SECOND = HEADER + "NK-2,Person,John Invented,,,,,,EU\n"
CSV = {"Content-Type": "text/csv"}


class Everybody:
    """Takes the header for the workspace's id."""

    async def authenticate(self, authorization: bytes | None, address: str | None = None) -> Principal:
        return Principal(UUID((authorization or b"").decode()), UUID(int=1), "compliance", permissions=EVERYTHING)


@pytest.fixture
def lists(database: Database) -> ListService:
    return ListService(ListRepository(database), MovedClock())


@pytest.fixture
async def app(database: Database, lists: ListService) -> FastAPI:
    app, box = FastAPI(), SecretBox(["a-key-for-tests-of-thirty-two-characters"])
    stack.install(app, authenticator=Everybody(), database=database, box=box)
    uses = DefinitionUses(RevisionRepository(database, new_id))
    app.include_router(router(lists, uses, Cursors(box)))
    return app


def client(app: FastAPI, workspace_id: UUID) -> httpx.AsyncClient:
    headers = {"Authorization": str(workspace_id)}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://passerelle.test", headers=headers)


@pytest.fixture
async def api(app: FastAPI, workspace_id: UUID) -> AsyncIterator[httpx.AsyncClient]:
    async with client(app, workspace_id) as opened:
        yield opened


async def load(api: httpx.AsyncClient, text: str | bytes, name: str = "eu") -> httpx.Response:
    return await api.put(f"/lists/{name}", content=text, headers=CSV)


async def test_a_file_becomes_the_newest_version_and_the_same_again_none(api: httpx.AsyncClient) -> None:
    first = await load(api, FIRST)
    again = await load(api, FIRST)
    second = await load(api, SECOND)
    assert [answer.status_code for answer in (first, again, second)] == [201, 200, 201]
    assert first.json() == again.json()
    shown = first.json()
    assert (shown["name"], shown["version"], shown["entries"], shown["loadedBy"]) == ("eu", 1, 2, "compliance")
    assert len(shown["sha256"]) == 64
    assert (second.json()["version"], second.json()["entries"]) == (2, 1)


async def test_an_old_version_can_be_read_as_it_was_loaded(api: httpx.AsyncClient) -> None:
    first = "\ufeff" + FIRST.replace("\n", "\r\n")
    await load(api, first)
    await load(api, SECOND)
    versions = (await api.get("/lists/eu/versions")).json()
    assert [version["version"] for version in versions["data"]] == [2, 1]
    old = await api.get("/lists/eu/versions/1")
    assert (old.content, old.headers["content-type"].partition(";")[0]) == (first.encode(), "text/csv")


async def test_lists_and_versions_come_in_pages(api: httpx.AsyncClient) -> None:
    for name in ("un", "eu", "ofac"):
        await load(api, FIRST, name)
        await load(api, SECOND, name)
    seen, after = [], ""
    for _ in range(3):
        page = (await api.get(f"/lists?limit=1{after}")).json()
        seen += [(shown["name"], shown["version"]) for shown in page["data"]]
        after = f"&after={page['next']}"
    assert (seen, page["next"]) == ([("eu", 2), ("ofac", 2), ("un", 2)], None)
    page = (await api.get("/lists/eu/versions?limit=1")).json()
    rest = (await api.get(f"/lists/eu/versions?limit=1&after={page['next']}")).json()
    assert ([shown["version"] for shown in rest["data"]], rest["next"]) == ([1], None)


async def test_a_broken_file_changes_nothing_and_names_its_lines(api: httpx.AsyncClient) -> None:
    await load(api, FIRST)
    broken = await load(api, FIRST + "NK-3,Person,,,,,,,EU\nNK-4,too short\n")
    assert broken.status_code == 400
    assert [(error["code"], error["message"]) for error in broken.json()["errors"]] == [
        ("LIST_BROKEN", "line 4: has no `name` with letters or digits"),
        ("LIST_BROKEN", "line 5: has 2 columns, and the header has 9"),
    ]
    assert [shown["version"] for shown in (await api.get("/lists")).json()["data"]] == [1]


async def test_a_file_with_very_many_broken_lines_says_how_many(api: httpx.AsyncClient) -> None:
    errors = (await load(api, HEADER + "short\n" * (MOST_PROBLEMS + 1234))).json()["errors"]
    assert len(errors) == MOST_PROBLEMS + 1
    assert errors[-1]["message"] == "and 1,234 more"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/lists/EU%20list", CSV, 400, "LIST_NAME_INVALID"),
        ("/lists/eu", {"Content-Type": "application/json"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ("/lists/eu", {**CSV, "Content-Length": "200000001"}, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_other_bad_loads_say_what_is_wrong(
    api: httpx.AsyncClient, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await api.put(path, content=FIRST.encode(), headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


async def test_what_is_not_there_is_not_found(api: httpx.AsyncClient, app: FastAPI) -> None:
    await load(api, FIRST)
    async with client(app, new_id()) as stranger:
        for caller, path in (
            (api, "/lists/un/versions"),
            (api, "/lists/eu/versions/2"),
            (stranger, "/lists/eu/versions/1"),
        ):
            answer = await caller.get(path)
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "LIST_NOT_FOUND")
        assert (await stranger.get("/lists")).json()["data"] == []


async def test_a_search_goes_through_the_newest_versions(lists: ListService, workspace_id: UUID) -> None:
    await lists.load(workspace_id, "eu", FIRST.encode(), "ops")
    await lists.load(workspace_id, "un", SECOND.encode(), "ops")
    found = await lists.search(workspace_id, "fiction jane", None, 80)
    assert [(hit.list.name, hit.list.version, hit.score, hit.name) for hit in found.hits] == [
        ("eu", 1, 100, "Jane Fiction")
    ]
    assert found.hits[0].entry["birth_date"] == "1970-01-02"
    assert [(version.name, version.version) for version in found.lists] == [("eu", 1), ("un", 1)]
    await lists.load(workspace_id, "eu", SECOND.encode(), "ops")
    assert (await lists.search(workspace_id, "fiction jane", None, 80)).hits == ()
    both = await lists.search(workspace_id, "Invented John", None, 80)
    assert [(hit.list.name, hit.list.version) for hit in both.hits] == [("eu", 2), ("un", 1)]


async def test_a_search_names_the_lists_that_are_missing(lists: ListService, workspace_id: UUID) -> None:
    await lists.load(workspace_id, "eu", FIRST.encode(), "ops")
    found = await lists.search(workspace_id, "Jane Fiction", ["eu", "ofac"], 80)
    assert ([version.name for version in found.lists], found.missing, len(found.hits)) == (["eu"], ("ofac",), 1)
    theirs = await lists.search(new_id(), "Jane Fiction", ["eu"], 80)
    assert (theirs.hits, theirs.lists, theirs.missing) == ((), (), ("eu",))


async def test_loads_of_one_list_at_the_same_time_take_turns(lists: ListService, workspace_id: UUID) -> None:
    files = [HEADER + f"NK-{number},Person,Jane Fiction,,,,,,EU\n" for number in range(6)]
    loaded = await asyncio.gather(*[lists.load(workspace_id, "eu", text.encode(), "ops") for text in files])
    assert sorted(load.version.version for load in loaded) == [1, 2, 3, 4, 5, 6]


async def test_a_search_that_is_given_up_does_not_spoil_it_for_others(lists: ListService, workspace_id: UUID) -> None:
    await lists.load(workspace_id, "eu", FIRST.encode(), "ops")
    impatient = asyncio.create_task(lists.search(workspace_id, "Jane Fiction", None, 80))
    patient = asyncio.create_task(lists.search(workspace_id, "Jane Fiction", None, 80))
    await asyncio.sleep(0)
    impatient.cancel()
    assert len((await patient).hits) == 1


async def test_the_database_refuses_to_change_a_version(
    lists: ListService, database: Database, workspace_id: UUID
) -> None:
    await lists.load(workspace_id, "eu", FIRST.encode(), "ops")
    async with database.workspace(workspace_id) as connection:
        for statement in ("UPDATE name_list_version SET entries = 0", "DELETE FROM name_list_version"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_a_bad_name_is_refused_before_the_file_is_read(lists: ListService, workspace_id: UUID) -> None:
    with pytest.raises(PasserelleError, match="no name of a list"):
        await lists.load(workspace_id, "../eu", b"", "ops")


async def test_a_version_knows_when_it_was_loaded(database: Database, workspace_id: UUID) -> None:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    loaded = await ListService(ListRepository(database), lambda: at).load(workspace_id, "eu", FIRST.encode(), "ops")
    assert loaded.version.loaded_at == at
    assert (await ListRepository(database).newest(workspace_id, None))[0] == loaded.version


async def test_a_list_is_deleted_unless_a_definition_names_it(
    app: FastAPI, database: Database, workspace_id: UUID
) -> None:
    revisions = RevisionRepository(database, new_id)
    text = "name: screened\nsteps:\n  - id: a\n    check: {name: sanctions, with: {name: Jane%s}}\n"
    async with client(app, workspace_id) as api:
        for name in ("eu", "ofac"):
            await api.put(f"/lists/{name}", content=FIRST, headers=CSV)
        await revisions.push(workspace_id, "screened", text % ", lists: [eu]", publish=True, by="test")
        refused = await api.delete("/lists/eu")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "LIST_USED")
        assert "screened (revision 1)" in refused.json()["errors"][0]["message"]
        assert (await api.delete("/lists/ofac")).status_code == 204
        await revisions.push(workspace_id, "screened", text % "", publish=True, by="test")
        assert (await api.delete("/lists/eu")).status_code == 204
        assert (await api.get("/lists")).json()["data"] == []
        assert (await api.delete("/lists/eu")).status_code == 404
