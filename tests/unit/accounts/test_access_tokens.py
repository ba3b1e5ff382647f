"""Access tokens: only ours, only unaltered, only for an hour."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from passerelle.accounts.access_tokens import ACCESS_LIFETIME, AccessTokens
from passerelle.kit.errors import PasserelleError
from passerelle.kit.secrets import SecretBox

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WORKSPACE, KEY, FAMILY = UUID(int=1), UUID(int=2), UUID(int=3)
BOX = SecretBox(["a-key-of-this-server:-" + "x" * 20])
TOKENS = AccessTokens(BOX)
TOKEN = TOKENS.sign(WORKSPACE, KEY, FAMILY, NOW)


def code_of(token: str, now: datetime = NOW, tokens: AccessTokens = TOKENS) -> str:
    with pytest.raises(PasserelleError) as caught:
        tokens.verify(token, now)
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"] == "Bearer"
    return caught.value.problems[0].code


def signed(claims: dict[str, Any]) -> str:
    """A token with these claims, signed with our own key."""
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(BOX.derive("access token")))


def test_a_token_says_what_was_signed() -> None:
    claims = TOKENS.verify(TOKEN, NOW)

    assert (claims.workspace_id, claims.key_id, claims.family) == (WORKSPACE, KEY, FAMILY)
    assert claims.expires_at == NOW + ACCESS_LIFETIME


def test_a_token_ends_when_its_hour_is_over() -> None:
    assert TOKENS.verify(TOKEN, NOW + ACCESS_LIFETIME - timedelta(seconds=1))
    assert code_of(TOKEN, NOW + ACCESS_LIFETIME) == "TOKEN_EXPIRED"


def test_two_tokens_are_never_the_same() -> None:
    assert TOKENS.sign(WORKSPACE, KEY, FAMILY, NOW) != TOKEN


@given(st.data())
def test_an_altered_token_is_refused(data: st.DataObject) -> None:
    head, body, signature = TOKEN.split(".")
    parts = [bytearray(base64.urlsafe_b64decode(part + "==")) for part in (head, body, signature)]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))

    altered = ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)

    assert code_of(altered) == "TOKEN_INVALID"


@given(st.text())
def test_whatever_is_sent_as_a_token_is_refused(text: str) -> None:
    assert code_of(text) == "TOKEN_INVALID"


def test_a_token_without_a_signature_is_refused() -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()

    assert code_of(f"{head}.{TOKEN.split('.')[1]}.") == "TOKEN_INVALID"


def test_a_token_of_another_purpose_or_server_is_refused() -> None:
    claims = {"iss": "passerelle", "sub": str(KEY), "wid": str(WORKSPACE), "fam": str(FAMILY), "exp": 1e10}
    foreign = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(BOX.derive("cursor")))

    assert code_of(foreign) == "TOKEN_INVALID"
    assert code_of(AccessTokens(SecretBox(["other-" * 8])).sign(WORKSPACE, KEY, FAMILY, NOW)) == "TOKEN_INVALID"


@pytest.mark.parametrize(
    "changed",
    [{"iss": "other"}, {"sub": "none"}, {"wid": 7}, {"fam": None}, {"exp": "soon"}, {"exp": 1e30}],
)
def test_a_token_with_claims_that_are_not_ours_is_refused(changed: dict[str, Any]) -> None:
    claims = {"iss": "passerelle", "sub": str(KEY), "wid": str(WORKSPACE), "fam": str(FAMILY), "exp": 4e9}

    assert code_of(signed({**claims, **changed})) == "TOKEN_INVALID"
    missing = {name: value for name, value in claims.items() if name not in changed}
    assert code_of(signed(missing)) == "TOKEN_INVALID"


def test_every_key_of_the_list_verifies_and_the_first_signs() -> None:
    rotated = AccessTokens(SecretBox(["newer-" * 8, "a-key-of-this-server:-" + "x" * 20]))

    assert rotated.verify(TOKEN, NOW).key_id == KEY
    assert code_of(rotated.sign(WORKSPACE, KEY, FAMILY, NOW)) == "TOKEN_INVALID"
