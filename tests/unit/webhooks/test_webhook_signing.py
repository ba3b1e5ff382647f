"""What is sent can be checked by others: the published vectors, whatever the data holds."""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import json
import weakref
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from passerelle.accounts.models import SigningKey
from passerelle.events.models import Event, body_of, payload
from passerelle.webhooks.signing import new_secret, signed_headers

ROOT = Path(__file__).parents[3]
VECTORS: Any = json.loads((ROOT / "docs/reference/webhook-vectors.json").read_text(encoding="utf-8"))
ID = UUID("0198c2f4-8f5e-7c3a-9d1b-2a6f4e5d7c80")
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
KEY = SigningKey(ID, rsa.generate_private_key(65537, 2048))


def jws_holds(signature: str, body: str, pem: str) -> bool:
    try:
        jws.deserialize_compact(signature, RSAKey.import_key(pem), algorithms=["RS256"], payload=body.encode())
    except JoseError:
        return False
    return True


def hmac_holds(headers: dict[str, str], body: str, secret: str) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split()


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_published_vectors_are_right(vector: Any) -> None:
    headers, body = vector["headers"], vector["body"]
    assert jws_holds(headers["JWS-SIGNATURE"], body, VECTORS["publicKey"]) is vector["valid"]
    assert hmac_holds(headers, body, VECTORS["secret"]) is vector["valid"]


def test_the_vectors_are_what_we_would_send() -> None:
    for vector in VECTORS["vectors"]:
        if vector["valid"]:
            sent = json.loads(vector["body"])
            moment = datetime.fromisoformat(sent["createdDate"])
            event = Event(UUID(sent["workspaceId"]), UUID(sent["id"]), sent["type"], sent["data"], moment)
            assert body_of(event, 2).decode() == vector["body"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_a_body_is_ascii_always_the_same_and_loses_nothing(data: dict[str, Any]) -> None:
    event = Event(ID, ID, "workflow.completed", data, NOW)
    body = body_of(event, 1)
    assert body.isascii()
    assert body == body_of(event, 1)
    assert json.loads(body)["data"] == payload(event, 1)["data"]


def test_every_valid_secret_signs() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers(b"{}", ID, NOW, KEY, [new, old])
    assert hmac_holds(headers, "{}", old)
    assert hmac_holds(headers, "{}", new)
    assert not hmac_holds(headers, "{}", new_secret())


def test_secrets_are_random_and_long() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert len(base64.b64decode(new_secret().removeprefix("whsec_"))) == 32


def test_a_key_goes_when_it_is_forgotten() -> None:
    """It is read anew every few seconds: what was made of it must not stay."""
    key = SigningKey(ID, rsa.generate_private_key(65537, 2048))
    signed_headers(b"{}", ID, NOW, key, [new_secret()])
    made = weakref.ref(key.jwk)
    assert key.jwk is made(), "it is made once"
    del key
    gc.collect()
    assert made() is None
