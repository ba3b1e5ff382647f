"""`Idempotency-Key`: one effect, the same answer, also when a process dies in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from structlog.testing import capture_logs

from passerelle.accounts.models import Workspace
from passerelle.accounts.service import Accounts
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database, fetch_one
from passerelle.kit.http.claims import Claim, Claims
from passerelle.kit.http.idempotency import forget_old
from passerelle.kit.secrets import SecretBox
from tests.integration.accounts.things import Effects


@pytest.fixture
async def headers(accounts: Accounts, workspace: Workspace) -> dict[str, str]:
    token = (await accounts.create_token(workspace.id, "organization")).secret
    return {"Authorization": token, "Idempotency-Key": "order-1"}


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["errors"][0]["code"]
    return code


async def create(client: httpx.AsyncClient, headers: dict[str, str], name: str = "x") -> httpx.Response:
    return await client.post("/things", json={"name": name}, headers=headers)


async def test_the_same_request_again_gets_the_same_answer(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    first = await create(client, headers)
    again = await create(client, headers)

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert len(effects.created) == 1
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"] == "application/json;version=1"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


async def test_two_at_once_have_one_effect(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    answers = await asyncio.gather(*(create(client, headers) for _ in range(8)))

    assert len(effects.created) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert code_of(answer) == "IDEMPOTENCY_KEY_IN_USE"
            assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("path", "accept", "name"),
    [
        ("/things", None, "other"),
        ("/things?x=1", None, "x"),
        ("/things", "application/json;version=2", "x"),
        ("/reports", None, "x"),
    ],
)
async def test_another_request_with_the_same_key_is_refused(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    effects: Effects,
    path: str,
    accept: str | None,
    name: str,
) -> None:
    await create(client, headers)
    other = {**headers, "Accept": accept} if accept else headers

    answer = await client.post(path, json={"name": name}, headers=other)

    assert (answer.status_code, code_of(answer)) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(effects.created) == 1


async def test_the_same_version_in_other_words_is_the_same_request(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    await create(client, {**headers, "Accept": "application/json;version=2"})

    again = await create(client, {**headers, "Accept": 'Application/JSON; version="2"'})

    assert again.headers["idempotent-replayed"] == "true"


async def test_a_key_belongs_to_one_workspace(
    client: httpx.AsyncClient, accounts: Accounts, headers: dict[str, str], effects: Effects
) -> None:
    other = await accounts.create_workspace("other")
    token = (await accounts.create_token(other.id, "organization")).secret
    await create(client, headers)

    answer = await create(client, {**headers, "Authorization": token}, name="quite different")

    assert answer.status_code == 201
    assert len(effects.created) == 2


async def test_a_failure_of_ours_is_tried_again_with_the_same_id(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    effects.fail_after = RuntimeError("the answer was lost")
    with capture_logs() as logged:
        failed = await create(client, headers)
    effects.fail_after = None

    answer = await create(client, headers)

    assert (failed.status_code, answer.status_code) == (500, 201)
    assert effects.created[0] == effects.created[1]
    assert failed.json()["fingerprint"] in [line.get("fingerprint") for line in logged]


async def test_a_refused_request_is_refused_again(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    first = await client.post("/things", json={"nam": "x"}, headers=headers)
    again = await client.post("/things", json={"nam": "x"}, headers=headers)

    assert first.status_code == 400
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"


async def test_after_a_crash_the_id_is_the_same(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    effects: Effects,
    workspace: Workspace,
    database: Database,
    clock: MovedClock,
) -> None:
    """The process died after the effect: the claim is there, locked, without an answer."""
    answered = await create(client, headers)
    async with database.workspace(workspace.id) as connection:
        await connection.execute("UPDATE idempotency_key SET status = NULL, headers = NULL, body = NULL")

    clock.move(timedelta(seconds=29))
    locked = await create(client, headers)
    clock.move(timedelta(seconds=1))
    answer = await create(client, headers)

    assert (locked.status_code, code_of(locked)) == (409, "IDEMPOTENCY_KEY_IN_USE")
    assert answer.status_code == 201
    assert "idempotent-replayed" not in answer.headers
    assert effects.created == [UUID(answered.json()["id"])] * 2


async def test_after_a_crash_the_key_still_refuses_another_request(
    client: httpx.AsyncClient,
    headers: dict[str, str],
    workspace: Workspace,
    database: Database,
    clock: MovedClock,
) -> None:
    await create(client, headers)
    async with database.workspace(workspace.id) as connection:
        await connection.execute("UPDATE idempotency_key SET status = NULL, headers = NULL, body = NULL")
    clock.move(timedelta(seconds=31))

    assert code_of(await create(client, headers, name="other")) == "IDEMPOTENCY_KEY_REUSED"


async def test_after_a_day_the_key_is_free(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects, clock: MovedClock
) -> None:
    await create(client, headers)
    clock.move(timedelta(hours=24, seconds=1))

    answer = await create(client, headers, name="other")

    assert answer.status_code == 201
    assert effects.created[0] != effects.created[1]


async def test_old_keys_are_forgotten(
    client: httpx.AsyncClient, headers: dict[str, str], database: Database, clock: MovedClock
) -> None:
    await create(client, headers)
    await forget_old(database, clock)
    assert (await create(client, headers)).headers["idempotent-replayed"] == "true"

    clock.move(timedelta(hours=24, seconds=1))

    assert await forget_old(database, clock) >= 1


async def test_a_stored_answer_is_encrypted(
    client: httpx.AsyncClient, headers: dict[str, str], workspace: Workspace, database: Database
) -> None:
    await create(client, headers, name="a-secret-of-the-caller")

    async with database.workspace(workspace.id) as connection:
        row = await fetch_one(connection, "SELECT * FROM idempotency_key")

    assert row["status"] == 201
    assert b"a-secret" not in row["body"]


async def test_the_first_of_two_answers_stays(
    database: Database, box: SecretBox, workspace: Workspace, clock: MovedClock
) -> None:
    """A process that counted as dead comes back and answers: whoever got the first answer keeps getting it."""
    claims = Claims(database, box, clock)
    first = await claims.claim(workspace.id, "slow", b"hash")
    clock.move(timedelta(seconds=30))
    second = await claims.claim(workspace.id, "slow", b"hash")
    assert isinstance(first, Claim)
    assert isinstance(second, Claim)
    assert first.resource_id == second.resource_id

    await claims.release(first)  # must not open what the second one holds now
    assert not isinstance(await claims.claim(workspace.id, "slow", b"hash"), Claim)


@pytest.mark.parametrize("key", ["", "a b", "ż", "x" * 256])
async def test_a_key_that_is_none_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects, key: str
) -> None:
    sent = {name.encode(): value.encode() for name, value in {**headers, "Idempotency-Key": key}.items()}

    answer = await client.post("/things", json={"name": "x"}, headers=sent)

    assert (answer.status_code, code_of(answer)) == (400, "IDEMPOTENCY_KEY_INVALID")
    assert effects.created == []


async def test_without_credentials_a_key_claims_nothing(
    client: httpx.AsyncClient, database: Database, workspace: Workspace, headers: dict[str, str]
) -> None:
    answer = await client.post("/things", json={"name": "x"}, headers={"Idempotency-Key": "order-1"})
    signed_in = await client.post(
        "/auth/authorize", json={"key": "psk", "secret": "pss"}, headers={"Idempotency-Key": "order-1"}
    )

    assert answer.status_code == signed_in.status_code == 401
    async with database.workspace(workspace.id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM idempotency_key") == 0


async def test_without_the_header_every_request_has_its_own_effect(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    del headers["Idempotency-Key"]
    await create(client, headers)
    await create(client, headers)

    assert len(set(effects.created)) == 2


@pytest.mark.parametrize("path", ["/exports", "/reports"])
async def test_an_answer_that_is_not_kept_is_made_again_with_the_same_id(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects, path: str
) -> None:
    """What is no JSON, or too large to keep: the request is done again, and finds what it created before."""
    first = await client.post(path, headers=headers)
    again = await client.post(path, headers=headers)

    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "idempotent-replayed" not in again.headers
    assert effects.created[0] == effects.created[1]


async def test_an_upload_is_the_same_request_whatever_its_boundary(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    first = await client.post("/files", files={"file": b"x" * 2_000_000}, headers=headers)
    again = await client.post("/files", files={"file": b"x" * 2_000_000}, headers=headers)

    assert first.status_code == again.status_code == 204
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert again.headers["idempotent-replayed"] == "true"
    assert len(effects.created) == 1


async def test_a_body_too_large_to_compare_claims_nothing(
    client: httpx.AsyncClient, headers: dict[str, str], effects: Effects
) -> None:
    answer = await client.post("/things", json={"name": "x" * 1_000_001}, headers=headers)

    assert (answer.status_code, code_of(answer)) == (413, "BODY_TOO_LARGE")
    assert (await create(client, headers)).status_code == 201
