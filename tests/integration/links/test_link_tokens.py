"""Tokens: they open the widget once, within 60 minutes, and only as they were signed."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.json import loads
from passerelle.links.models import EndUserSession
from passerelle.webhooks.signing import detached_jws
from tests.integration.links.gatehouse import PUBLIC_URL, Gatehouse, code_of


def part(token: str, number: int) -> dict[str, Any]:
    """A part of a token as a browser decodes it."""
    text = token.split(".")[number]
    decoded: dict[str, Any] = loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


async def signed_anew(gatehouse: Gatehouse, token: str, private: RSAPrivateKey | None = None, **changed: Any) -> str:
    """The token with other claims, by default under the workspace's own key."""
    claims = {name: value for name, value in {**part(token, 1), **changed}.items() if value is not None}
    key = private or (await gatehouse.keys.of_workspace(gatehouse.workspace_id)).private
    return jwt.encode(part(token, 0), claims, RSAKey.import_key(key))


async def test_a_token_says_what_browsers_need_and_its_key_is_published(gatehouse: Gatehouse) -> None:
    made = await gatehouse.token(locale="pl")
    key = await gatehouse.keys.of_workspace(gatehouse.workspace_id)
    assert part(made.token, 0) == {"alg": "RS256", "kid": str(key.id), "typ": "JWT"}
    claims = part(made.token, 1)
    assert (claims["environment"], claims["iss"], claims["locale"]) == ("production", PUBLIC_URL, "pl")
    assert (claims["workflowId"], claims["exp"] - claims["iat"]) == (str(made.execution_id), 3600)
    published = next(
        jwk for jwk in (await gatehouse.keys.jwks(gatehouse.workspace_id))["keys"] if jwk["kid"] == str(key.id)
    )
    assert jwt.decode(made.token, RSAKey.import_key(published), algorithms=["RS256"]).claims == claims


async def test_it_opens_once_of_fifty_at_once(gatehouse: Gatehouse) -> None:
    made = await gatehouse.token()
    results = await asyncio.gather(*(gatehouse.links.open_token(made.token) for _ in range(50)), return_exceptions=True)
    (session,) = [result for result in results if isinstance(result, EndUserSession)]
    assert (session.kind, session.execution_id) == ("token", made.execution_id)
    assert {r.problems[0].code for r in results if isinstance(r, PasserelleError)} == {"WIDGET_TOKEN_SPENT"}
    assert await gatehouse.links.session(session.secret) == session


async def test_it_opens_within_sixty_minutes(gatehouse: Gatehouse) -> None:
    in_time, late = await gatehouse.token(), await gatehouse.token()
    gatehouse.clock.move(timedelta(minutes=60) - timedelta(seconds=1))
    session = await gatehouse.links.open_token(in_time.token)
    gatehouse.clock.move(timedelta(seconds=1))
    assert await code_of(gatehouse.links.open_token(late.token)) == "WIDGET_TOKEN_EXPIRED"
    assert await gatehouse.links.session(session.secret) is not None, "what is open stays open"


async def test_a_request_that_is_sent_again_gets_the_same_token(gatehouse: Gatehouse) -> None:
    execution = new_id()
    first = await gatehouse.token(id=execution)
    gatehouse.clock.move(timedelta(minutes=5))
    assert await gatehouse.token(id=execution) == first


async def test_another_key_does_not_sign_for_the_workspace(gatehouse: Gatehouse) -> None:
    made = await gatehouse.token()
    stranger = rsa.generate_private_key(65537, 2048)
    forged = await signed_anew(gatehouse, made.token, stranger)
    assert await code_of(gatehouse.links.open_token(forged)) == "WIDGET_TOKEN_INVALID"


async def test_another_workspace_does_not_sign_for_this_one(gatehouse: Gatehouse) -> None:
    other = Gatehouse(gatehouse.database, new_id())
    await other.furnish(rsa.generate_private_key(65537, 2048))
    made = await other.token()
    foreign = await signed_anew(other, made.token, workspaceId=str(gatehouse.workspace_id))
    assert await code_of(gatehouse.links.open_token(foreign)) == "WIDGET_TOKEN_INVALID"
    mine = await gatehouse.token()
    swapped = await signed_anew(other, made.token, jti=part(mine.token, 1)["jti"])
    assert await code_of(gatehouse.links.open_token(swapped)) == "WIDGET_TOKEN_INVALID"


async def test_a_rotated_key_still_opens_what_it_has_signed(gatehouse: Gatehouse) -> None:
    made = await gatehouse.token()
    await gatehouse.keys.rotate(gatehouse.workspace_id, timedelta(0))
    gatehouse.clock.move(timedelta(minutes=2))
    await gatehouse.links.open_token(made.token)
    assert part((await gatehouse.token()).token, 0)["kid"] != part(made.token, 0)["kid"]


async def test_changed_claims_and_other_algorithms_are_no_tokens(
    gatehouse: Gatehouse, private_key: RSAPrivateKey
) -> None:
    made = await gatehouse.token()
    head, body, signature = made.token.split(".")
    nothing = base64.urlsafe_b64encode(b'{"alg":"none","kid":"%s"}' % part(made.token, 0)["kid"].encode()).decode()
    key = await gatehouse.keys.of_workspace(gatehouse.workspace_id)
    published = await gatehouse.keys.public_key(key.id)
    as_secret = jwt.encode({"alg": "HS256", "kid": str(key.id)}, part(made.token, 1), OctKey.import_key(b"k" * 40))
    webhook = detached_jws(b"{}", key).replace("..", ".e30.")
    for token in (
        "",
        "x",
        "a.b.c",
        "." * 10,
        "ż.ż.ż",
        "A" * 100_000,
        f"{head}.{body}.",
        f"{nothing.rstrip('=')}.{body}.",
        f"{head}.{body[:-4]}AAAA.{signature}",
        as_secret,
        webhook,
        published.pem,
        await signed_anew(gatehouse, made.token, aud="somebody-else"),
        await signed_anew(gatehouse, made.token, aud=None),
        await signed_anew(gatehouse, made.token, jti="x"),
        await signed_anew(gatehouse, made.token, jti=str(new_id())),
        await signed_anew(gatehouse, made.token, exp=None),
        await signed_anew(gatehouse, made.token, exp=10**18),
        await signed_anew(gatehouse, made.token, workspaceId=None),
    ):
        assert await code_of(gatehouse.links.open_token(token)) == "WIDGET_TOKEN_INVALID", token[:80]
    await gatehouse.links.open_token(made.token)


async def test_whoever_comes_last_with_a_good_credential_has_the_execution(gatehouse: Gatehouse) -> None:
    """An execution has one browser at a time, whichever way it came in."""
    execution = new_id()
    token, link = await gatehouse.token(id=execution), await gatehouse.link(id=execution)
    secret = link.url.rpartition("/")[2]
    by_token = await gatehouse.links.open_token(token.token)
    by_link = await gatehouse.links.activate(secret, await gatehouse.links.challenge(secret))
    assert by_token.execution_id == by_link.execution_id
    assert await gatehouse.links.session(by_token.secret) is None
    assert await gatehouse.links.session(by_link.secret) == by_link


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
async def test_a_token_of_an_ended_execution_opens_its_end_page(gatehouse: Gatehouse, status: str) -> None:
    made = await gatehouse.token()
    await gatehouse.end_execution(made.execution_id, status)
    assert (await gatehouse.links.open_token(made.token)).execution_id == made.execution_id
