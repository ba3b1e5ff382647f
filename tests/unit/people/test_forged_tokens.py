"""An id token is believed only if everything about it is right."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import OctKey, RSAKey

from passerelle.kit.clock import system_clock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.outgoing import OutgoingAnswer
from passerelle.kit.outgoing.fake import FakeOutgoing, SentRequest
from passerelle.kit.secrets import SecretBox
from passerelle.people.models import Provider, User
from passerelle.people.single_sign_on import SingleSignOn

ISSUER = "https://id.example.com"
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
FOREIGN = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
SECRET = "of-the-client-a-secret-of-enough-length"


class Elsewhere:
    """A provider that answers with whatever token a test makes."""

    def __init__(self) -> None:
        self.token = ""

    def respond(self, request: SentRequest) -> OutgoingAnswer:
        path = urlsplit(request.url).path
        answers: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys", "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            },
            "/keys": {"keys": [KEY.as_dict(private=False)]},
            "/token": {"id_token": self.token, "access_token": "a", "token_type": "Bearer"},
        }  # fmt: skip
        return OutgoingAnswer(200, {}, orjson.dumps(answers[path]))


class Taking(SingleSignOn):
    """Ends where the claims are believed: what follows needs a database."""

    async def _user(self, provider: Provider, person: Any) -> User:
        return cast("User", SimpleNamespace(email=person.proved_email))


async def outcome(changes: dict[str, Any], *, key: Any = KEY, alg: str = "RS256") -> str:
    """What comes of a sign-in whose token is right but for `changes`: an address, or the code of the refusal."""
    elsewhere = Elsewhere()
    service = Taking(
        cast("Any", None), cast("Any", None), FakeOutgoing(elsewhere.respond), SecretBox(["x" * 40]), system_clock,
        new_id, "https://passerelle.example",
    )  # fmt: skip
    provider = Provider(
        new_id(), new_id(), "Elsewhere", ISSUER, "passerelle", (), None, {}, "member", system_clock(), SECRET
    )
    begun = await service.begin(provider, "/app")
    asked = parse_qs(urlsplit(begun.address).query)
    assert asked["code_challenge_method"] == ["S256"]
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": "passerelle", "sub": "7", "nonce": asked["nonce"][0], "iat": now, "exp": now + 300,
        "email": "ewa@example.com", "email_verified": True,
    } | changes  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    text = json.dumps(claims).encode()
    elsewhere.token = jws.serialize_compact({"alg": alg, "kid": "one"}, text, key, algorithms=[alg])
    try:
        user = await service.finish(provider, begun.pending, {"state": asked["state"][0], "code": "c"})
    except PasserelleError as error:
        return error.problems[0].code
    return user.email


@pytest.mark.parametrize("changes", [{}, {"aud": ["passerelle", "other"], "azp": "passerelle"}, {"azp": "passerelle"}])
async def test_a_token_that_is_right_is_taken(changes: dict[str, Any]) -> None:
    assert await outcome(changes) == "ewa@example.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["passerelle", "other"], "azp": "other"},
        {"aud": ["passerelle", "other"]},
        {"aud": None},
        {"nonce": "of-another-sign-in"},
        {"nonce": None},
        {"exp": int(time.time()) - 600},
        {"exp": None},
        {"iat": int(time.time()) + 6000},
        {"sub": None},
    ],
    ids=[
        "iss",
        "iss gone",
        "aud",
        "azp",
        "azp gone",
        "aud gone",
        "nonce",
        "nonce gone",
        "exp past",
        "exp gone",
        "iat to come",
        "sub gone",
    ],
)
async def test_a_token_that_is_wrong_in_one_thing_is_refused(changes: dict[str, Any]) -> None:
    assert await outcome(changes) == "SINGLE_SIGN_ON_FAILED"


async def test_a_token_that_another_key_signed_is_refused() -> None:
    assert await outcome({}, key=FOREIGN) == "SINGLE_SIGN_ON_FAILED"


async def test_a_token_that_is_signed_with_the_clients_secret_is_refused() -> None:
    """The provider lists HS256 and none; we take neither, whatever it says."""
    assert await outcome({}, key=OctKey.import_key(SECRET), alg="HS256") == "SINGLE_SIGN_ON_FAILED"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"email": None}, "SINGLE_SIGN_ON_FAILED"),
        ({"email": 5}, "SINGLE_SIGN_ON_FAILED"),
        ({"email": "a" * 5_000 + "@example.com"}, "SINGLE_SIGN_ON_FAILED"),
        ({"sub": "a\0b"}, "SINGLE_SIGN_ON_FAILED"),
        ({"given_name": "a\0b"}, "SINGLE_SIGN_ON_FAILED"),
        ({"family_name": "\ud800"}, "SINGLE_SIGN_ON_FAILED"),
        ({"given_name": {"of": "another type"}}, "ewa@example.com"),
        ({"exp": "soon"}, "SINGLE_SIGN_ON_FAILED"),
    ],
)
async def test_claims_that_make_no_sense_are_refused_or_do_without(changes: dict[str, Any], expected: str) -> None:
    assert await outcome(changes) == expected


async def test_a_provider_that_describes_itself_by_nonsense_is_told_as_that() -> None:
    """Whatever stands in its document: the answer is a discovery, or IDENTITY_PROVIDER_INVALID."""
    elsewhere = Elsewhere()
    said: dict[str, Any] = {}

    def respond(request: SentRequest) -> OutgoingAnswer:
        right = orjson.loads(elsewhere.respond(request).body)
        return OutgoingAnswer(200, {}, orjson.dumps(right | said))

    service = Taking(
        cast("Any", None), cast("Any", None), FakeOutgoing(respond), SecretBox(["x" * 40]), system_clock, new_id,
        "https://passerelle.example",
    )  # fmt: skip
    names = (
        "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported", "subject_types_supported",
        "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported", "grant_types_supported",
        "token_endpoint_auth_methods_supported", "code_challenge_methods_supported", "op_policy_uri", "op_tos_uri",
        "registration_endpoint", "acr_values_supported", "ui_locales_supported", "claims_parameter_supported",
    )  # fmt: skip
    nonsense: list[Any] = [5, None, [], {}, "x", [5], True, "https://["]
    told: list[str] = []
    for name in names:
        for value in nonsense:
            said = {name: value}
            try:
                await service.discover(ISSUER)
            except PasserelleError as error:
                told += [one.code for one in error.problems]
    assert set(told) == {"IDENTITY_PROVIDER_INVALID"}
    assert len(told) > len(names)
