"""Signing in, refreshing, and who is let in with what."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key
from joserfc import jws
from joserfc.jwk import KeySet, RSAKey

from passerelle.accounts.access_tokens import AccessTokens
from passerelle.accounts.models import NewKey, Workspace
from passerelle.accounts.service import LEEWAY, Accounts, UnknownWorkspaceError
from passerelle.kit.clock import MovedClock
from passerelle.kit.database import Database
from passerelle.kit.memory import AGE, Memory
from passerelle.kit.secrets import SecretBox


async def sign_in(client: httpx.AsyncClient, key: NewKey) -> dict[str, str]:
    answer = await client.post("/auth/authorize", json={"key": key.key, "secret": key.secret})
    assert answer.status_code == 200, answer.text
    tokens: dict[str, str] = answer.json()
    return tokens


async def whoami(client: httpx.AsyncClient, authorization: str) -> httpx.Response:
    return await client.get("/whoami", headers={"Authorization": authorization})


def code_of(answer: httpx.Response) -> str:
    code: str = answer.json()["errors"][0]["code"]
    return code


async def test_a_key_and_its_secret_give_an_access_token(
    client: httpx.AsyncClient, key: NewKey, workspace: Workspace
) -> None:
    answer = await client.post("/auth/authorize", json={"key": key.key, "secret": key.secret})

    assert answer.status_code == 200
    assert set(answer.json()) == {"accessToken", "refreshToken", "expiryDuration", "tokenType"}
    assert answer.json()["expiryDuration"] == 3600
    assert answer.json()["tokenType"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    seen = await whoami(client, f"Bearer {answer.json()['accessToken']}")
    assert seen.json() == {"workspaceId": str(workspace.id), "name": "integration"}


async def test_a_wrong_secret_and_an_unknown_key_look_alike(client: httpx.AsyncClient, key: NewKey) -> None:
    wrong = await client.post("/auth/authorize", json={"key": key.key, "secret": "pss_wrong"})
    unknown = await client.post("/auth/authorize", json={"key": "psk_unknown", "secret": key.secret})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["errors"] == unknown.json()["errors"]
    assert code_of(wrong) == "INVALID_CREDENTIALS"


async def test_the_eleventh_failure_in_a_minute_is_turned_away(client: httpx.AsyncClient, key: NewKey) -> None:
    guess = {"key": key.key, "secret": "pss_wrong"}
    answers = await asyncio.gather(*(client.post("/auth/authorize", json=guess) for _ in range(14)))

    statuses = sorted(answer.status_code for answer in answers)
    # Two sign-ins are checked at a time, so at most one guess too many slips through.
    assert statuses.count(401) in (10, 11)
    turned_away = next(answer for answer in answers if answer.status_code == 429)
    assert code_of(turned_away) == "TOO_MANY_ATTEMPTS"
    assert 1 <= int(turned_away.headers["retry-after"]) <= 60


async def test_failures_with_one_key_do_not_lock_out_another(
    client: httpx.AsyncClient, accounts: Accounts, workspace: Workspace, key: NewKey
) -> None:
    other = await accounts.create_key(workspace.id, "other")
    for _ in range(11):
        await client.post("/auth/authorize", json={"key": key.key, "secret": "pss_wrong"})

    assert await sign_in(client, other)


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  ", ""])
async def test_an_organization_token_is_taken_raw_and_after_bearer(
    client: httpx.AsyncClient, accounts: Accounts, workspace: Workspace, scheme: str
) -> None:
    token = (await accounts.create_token(workspace.id, "organization")).secret

    answer = await whoami(client, scheme + token)

    assert answer.json() == {"workspaceId": str(workspace.id), "name": "organization"}


async def test_without_credentials_the_answer_says_which_to_send(client: httpx.AsyncClient) -> None:
    answer = await client.get("/whoami")

    assert answer.status_code == 401
    assert code_of(answer) == "CREDENTIALS_MISSING"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "POST /auth/authorize" in answer.json()["errors"][0]["message"]


async def test_an_address_that_does_not_exist_needs_credentials_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nothing")).status_code == 401


async def test_an_access_token_ends_after_an_hour(client: httpx.AsyncClient, key: NewKey, clock: MovedClock) -> None:
    tokens = await sign_in(client, key)
    clock.move(timedelta(minutes=59, seconds=59))
    assert (await whoami(client, f"Bearer {tokens['accessToken']}")).status_code == 200

    clock.move(timedelta(seconds=1))
    answer = await whoami(client, f"Bearer {tokens['accessToken']}")

    assert answer.status_code == 401
    assert code_of(answer) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer not-a-token",
        "Bearer a.b.c",
        "Bearer pso_" + "A" * 43,
        "Basic dXNlcjpwYXNz",
        "Bearer " + base64.urlsafe_b64encode(b"[" * 2500).decode() + ".e30.AAAA",
        "Bearer " + "x" * 5000,
        "Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJwYXNzZXJlbGxlIn0.",
    ],
)
async def test_what_is_no_token_of_ours_is_refused(client: httpx.AsyncClient, authorization: str) -> None:
    answer = await whoami(client, authorization)

    assert answer.status_code == 401
    assert code_of(answer) == "TOKEN_INVALID"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_of_another_server_is_refused(
    client: httpx.AsyncClient, workspace: Workspace, key: NewKey, clock: MovedClock
) -> None:
    foreign = AccessTokens(SecretBox(["of-another-server-" + "x" * 32]))

    answer = await whoami(client, "Bearer " + foreign.sign(workspace.id, key.id, uuid4(), clock()))

    assert code_of(answer) == "TOKEN_INVALID"


async def test_a_token_that_names_a_key_of_another_workspace_is_refused(
    client: httpx.AsyncClient, accounts: Accounts, box: SecretBox, key: NewKey, clock: MovedClock
) -> None:
    other = await accounts.create_workspace("other")

    answer = await whoami(client, "Bearer " + AccessTokens(box).sign(other.id, key.id, uuid4(), clock()))

    assert code_of(answer) == "TOKEN_INVALID"


async def test_a_new_secret_key_in_front_leaves_old_tokens_valid(
    database: Database, box: SecretBox, client: httpx.AsyncClient, key: NewKey, clock: MovedClock
) -> None:
    tokens = await sign_in(client, key)
    rotated = Accounts(
        database, SecretBox(["a-newer-key-" + "y" * 32, "a-key-for-tests-of-thirty-two-characters"]), clock
    )

    found = await rotated.authenticator.authenticate(f"Bearer {tokens['accessToken']}".encode())

    assert found.id == key.id


async def test_a_revoked_key_is_refused_at_once_here_and_within_seconds_elsewhere(
    client: httpx.AsyncClient,
    accounts: Accounts,
    database: Database,
    box: SecretBox,
    key: NewKey,
    workspace: Workspace,
    clock: MovedClock,
) -> None:
    tokens = await sign_in(client, key)
    authorization = f"Bearer {tokens['accessToken']}"
    seconds = [0.0]
    elsewhere = Accounts(database, box, clock, Memory(lambda: seconds[0]))
    await elsewhere.authenticator.authenticate(authorization.encode())
    assert (await whoami(client, authorization)).status_code == 200

    assert await accounts.revoke_key(workspace.id, key.id)

    assert code_of(await whoami(client, authorization)) == "TOKEN_INVALID"
    seconds[0] += AGE
    with pytest.raises(Exception, match="revoked"):
        await elsewhere.authenticator.authenticate(authorization.encode())
    refused = await client.post("/auth/authorize", json={"key": key.key, "secret": key.secret})
    assert code_of(refused) == "INVALID_CREDENTIALS"
    refused = await client.post("/auth/refresh", json={"refreshToken": tokens["refreshToken"]})
    assert code_of(refused) == "INVALID_CREDENTIALS"
    assert not await accounts.revoke_key(workspace.id, key.id)


async def test_a_refresh_token_gives_new_tokens_once(client: httpx.AsyncClient, key: NewKey) -> None:
    first = await sign_in(client, key)

    second = await client.post("/auth/refresh", json={"refreshToken": first["refreshToken"]})

    assert second.status_code == 200
    assert second.json()["refreshToken"] != first["refreshToken"]
    assert (await whoami(client, f"Bearer {second.json()['accessToken']}")).status_code == 200


async def test_a_refresh_token_that_comes_again_ends_its_family(
    client: httpx.AsyncClient, key: NewKey, clock: MovedClock
) -> None:
    first = await sign_in(client, key)
    apart = await sign_in(client, key)
    second = (await client.post("/auth/refresh", json={"refreshToken": first["refreshToken"]})).json()
    assert (await whoami(client, f"Bearer {second['accessToken']}")).status_code == 200
    clock.move(LEEWAY + timedelta(seconds=1))

    again = await client.post("/auth/refresh", json={"refreshToken": first["refreshToken"]})

    assert code_of(again) == "INVALID_CREDENTIALS"
    after = await client.post("/auth/refresh", json={"refreshToken": second["refreshToken"]})
    assert code_of(after) == "INVALID_CREDENTIALS"
    clock.move(timedelta(seconds=10))
    assert code_of(await whoami(client, f"Bearer {second['accessToken']}")) == "TOKEN_INVALID"
    assert (await whoami(client, f"Bearer {apart['accessToken']}")).status_code == 200


async def test_two_processes_that_refresh_at_once_get_the_same_successor(
    client: httpx.AsyncClient, key: NewKey, clock: MovedClock
) -> None:
    body = {"refreshToken": (await sign_in(client, key))["refreshToken"]}

    answers = await asyncio.gather(*(client.post("/auth/refresh", json=body) for _ in range(3)))
    clock.move(LEEWAY)
    answers.append(await client.post("/auth/refresh", json=body))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["refreshToken"] for answer in answers}) == 1
    for answer in answers:
        assert (await whoami(client, f"Bearer {answer.json()['accessToken']}")).status_code == 200


async def test_a_refresh_token_whose_successor_was_used_ends_its_family_in_the_leeway_too(
    client: httpx.AsyncClient, key: NewKey
) -> None:
    first = {"refreshToken": (await sign_in(client, key))["refreshToken"]}
    second = {"refreshToken": (await client.post("/auth/refresh", json=first)).json()["refreshToken"]}
    third = (await client.post("/auth/refresh", json=second)).json()

    assert code_of(await client.post("/auth/refresh", json=first)) == "INVALID_CREDENTIALS"
    ended = await client.post("/auth/refresh", json={"refreshToken": third["refreshToken"]})
    assert code_of(ended) == "INVALID_CREDENTIALS"


async def test_a_refresh_token_lives_ninety_days(
    client: httpx.AsyncClient, accounts: Accounts, key: NewKey, clock: MovedClock
) -> None:
    early, late = await sign_in(client, key), await sign_in(client, key)
    clock.move(timedelta(days=90) - timedelta(seconds=1))
    kept = await client.post("/auth/refresh", json={"refreshToken": early["refreshToken"]})
    clock.move(timedelta(seconds=1))

    ended = await client.post("/auth/refresh", json={"refreshToken": late["refreshToken"]})

    assert kept.status_code == 200
    assert code_of(ended) == "INVALID_CREDENTIALS"
    # It was never used, so nobody stole it: what else stems from that sign-in is not revoked.
    assert (await client.post("/auth/refresh", json={"refreshToken": kept.json()["refreshToken"]})).status_code == 200


async def test_expired_refresh_tokens_are_forgotten(
    client: httpx.AsyncClient, accounts: Accounts, key: NewKey, clock: MovedClock
) -> None:
    await sign_in(client, key)
    await accounts.forget_old()
    assert await accounts.forget_old() == 0

    clock.move(timedelta(days=91))

    assert await accounts.forget_old() >= 1


async def test_the_public_key_checks_what_the_workspace_signs(
    client: httpx.AsyncClient, accounts: Accounts, workspace: Workspace
) -> None:
    signing = await accounts.signing_keys.of_workspace(workspace.id)
    private = RSAKey.import_key(signing.private)
    signed = jws.serialize_compact({"alg": "RS256", "kid": str(signing.id)}, b"exact bytes", private)

    pem = await client.get(f"/auth/webhooks/key/{workspace.signing_key_id}?pem=true")
    der = await client.get(f"/auth/webhooks/key/{workspace.signing_key_id}?pem=false")
    jwks = await client.get("/.well-known/jwks.json", params={"workspace": str(workspace.id)})

    assert signing.id == workspace.signing_key_id
    assert pem.headers["content-type"].startswith("text/plain")
    assert jws.deserialize_compact(signed, RSAKey.import_key(pem.text)).payload == b"exact bytes"
    key_set = KeySet.import_key_set(jwks.json())
    assert jws.deserialize_compact(signed, key_set).payload == b"exact bytes"
    assert load_der_public_key(base64.b64decode(der.text, validate=True)) == load_pem_public_key(pem.content)
    assert "d" not in next(one for one in jwks.json()["keys"] if one["kid"] == str(signing.id))


async def test_nobody_is_told_which_keys_or_workspaces_there_are(
    client: httpx.AsyncClient, workspace: Workspace
) -> None:
    unnamed = await client.get("/.well-known/jwks.json")
    assert (unnamed.status_code, unnamed.json()["errors"][0]["code"]) == (400, "QUERY_INVALID")
    another = await client.get("/.well-known/jwks.json", params={"workspace": str(uuid4())})
    assert another.json() == {"keys": []}
    own = await client.get("/.well-known/jwks.json", params={"workspace": str(workspace.id)})
    assert [key["kid"] for key in own.json()["keys"]] == [str(workspace.signing_key_id)]


async def test_an_unknown_signing_key_is_not_found(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"/auth/webhooks/key/{uuid4()}")

    assert (answer.status_code, code_of(answer)) == (404, "SIGNING_KEY_NOT_FOUND")
    assert (await client.get("/auth/webhooks/key/none")).status_code == 404
    wrong = await client.get(f"/auth/webhooks/key/{uuid4()}?pem=maybe")
    assert (wrong.status_code, code_of(wrong)) == (400, "QUERY_INVALID")


async def test_a_signing_key_is_encrypted_at_rest(database: Database, workspace: Workspace) -> None:
    async with database.workspace(workspace.id) as connection:
        kept = await connection.fetchval("SELECT private_pem FROM signing_key")

    assert b"PRIVATE KEY" not in kept


async def test_no_secret_is_kept_as_it_is(
    client: httpx.AsyncClient, accounts: Accounts, database: Database, workspace: Workspace, key: NewKey
) -> None:
    token = (await accounts.create_token(workspace.id, "organization")).secret
    refresh = (await sign_in(client, key))["refreshToken"]
    async with database.workspace(workspace.id) as connection:
        kept = str(await connection.fetch("SELECT to_jsonb(api_key) FROM api_key"))
        kept += str(await connection.fetch("SELECT to_jsonb(refresh_token) FROM refresh_token"))

    assert key.key in kept
    assert not any(secret in kept for secret in (key.secret, token, refresh))


async def test_a_key_pins_the_version_of_requests_that_name_none(
    client: httpx.AsyncClient, accounts: Accounts, workspace: Workspace
) -> None:
    token = (await accounts.create_token(workspace.id, "new", api_version=2)).secret
    headers = {"Authorization": token}

    pinned = await client.post("/things", json={"name": "x"}, headers={**headers, "Accept": "*/*"})
    named = await client.post(
        "/things", json={"name": "x"}, headers={**headers, "Accept": "application/json;version=1"}
    )

    assert pinned.json()["version"] == 2
    assert named.json()["version"] == 1
    assert pinned.headers["content-type"] == "application/json;version=2"
    assert pinned.headers["vary"] == "Accept"


async def test_a_key_needs_a_workspace(accounts: Accounts) -> None:
    with pytest.raises(UnknownWorkspaceError, match="passerelle workspace create"):
        await accounts.create_key(UUID(int=7), "orphan")
