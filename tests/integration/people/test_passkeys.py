"""Passkeys: what a device signs is taken once, from our origin, and from whoever was not deactivated."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import cbor2
import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.people import passkey_repository, passkeys
from tests.integration.people.browsing import Tab
from tests.integration.people.conftest import Home

ORIGIN = "http://localhost:8080"
"""Where the product under test believes to be."""


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Device:
    """Something that holds a passkey, and signs whatever it is told."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = uuid4().bytes

    async def known_to(self, home: Home) -> Device:
        """As if it had been added at `/set-up`."""
        point = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})
        connection = await asyncpg.connect(home.product.database_url)
        await connection.execute(
            "INSERT INTO passkey (organization_id, user_id, id, credential_id, public_key, sign_count, name, created_at) "
            "VALUES ($1, $2, $3, $4, $5, 0, 'phone', now())",
            home.owner.organization_id, home.owner.id, new_id(), self.id, public,
        )  # fmt: skip
        await connection.close()
        return self

    def signed(
        self, challenge: str, *, origin: str = ORIGIN, host: str = "localhost", flags: int = 5
    ) -> dict[str, Any]:
        client = json.dumps({"type": "webauthn.get", "challenge": challenge, "origin": origin}).encode()
        data = hashlib.sha256(host.encode()).digest() + bytes([flags]) + (0).to_bytes(4)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return {
            "id": text(self.id), "rawId": text(self.id), "type": "public-key", "clientExtensionResults": {},
            "response": {name: text(raw) for name, raw in parts.items()},
        }  # fmt: skip


async def begun(tab: Tab) -> tuple[str, str]:
    """The form's token, and a challenge."""
    token = re.search(r'name="_token" value="(\w+)"', (await tab.client.get("/sign-in")).text)
    assert token is not None
    asked = await tab.client.post("/sign-in/passkey/begin", json={"token": token[1]})
    assert asked.status_code == 200, asked.text
    return token[1], asked.json()["options"]["challenge"]


async def entered(tab: Tab, token: str, credential: dict[str, Any]) -> httpx.Response:
    return await tab.client.post("/sign-in/passkey", json={"token": token, "next": "/app/x", "credential": credential})


async def test_a_passkey_is_enough_to_sign_in(home: Home) -> None:
    device, tab = await Device().known_to(home), home.tab()
    token, challenge = await begun(tab)
    answer = await entered(tab, token, device.signed(challenge))
    assert (answer.status_code, answer.json()) == (200, {"next": "/app/x"})
    assert (await tab.client.get("/me")).json()["session"]["factors"] == ["passkey"]


async def test_what_was_signed_elsewhere_or_without_a_person_is_refused(home: Home) -> None:
    device = await Device().known_to(home)
    wrong: list[dict[str, Any]] = [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8080.evil.example"},
        {"host": "evil.example"},
        {"flags": 1},
        {"flags": 0},
    ]
    for changes in wrong:
        tab = home.tab()
        token, challenge = await begun(tab)
        answer = await entered(tab, token, device.signed(challenge, **changes))
        assert answer.status_code == 401, changes
        assert (await tab.client.get("/me")).status_code == 401
    anna = await home.signed_in()
    refused = {"of": "organization", "action": "signIn", "outcome": "refused"}
    entries = (await anna.api("GET", "/audit", params=refused)).json()["data"]
    assert {one["object"]["id"] for one in entries} == {str(home.owner.id)}
    assert {one["within"]["factors"] for one in entries} == {"passkey"}


async def test_what_was_signed_is_taken_once(home: Home) -> None:
    device, tab, other = await Device().known_to(home), home.tab(), home.tab()
    token, challenge = await begun(tab)
    signed = device.signed(challenge)
    other_token, _ = await begun(other)
    assert (await entered(other, other_token, signed)).status_code == 401
    assert (await entered(tab, token, signed)).status_code == 200
    assert (await entered(tab, token, signed)).status_code == 401


async def test_a_device_that_nobody_added_is_refused(home: Home) -> None:
    known, forger, tab = await Device().known_to(home), Device(), home.tab()
    forger.id = known.id
    for device in (forger, Device()):
        token, challenge = await begun(tab)
        assert (await entered(tab, token, device.signed(challenge))).status_code == 401


async def test_who_was_deactivated_does_not_come_in_by_a_passkey(home: Home) -> None:
    device, tab = await Device().known_to(home), home.tab()
    connection = await asyncpg.connect(home.product.database_url)
    await connection.execute("UPDATE app_user SET state = 'deactivated' WHERE id = $1", home.owner.id)
    await connection.close()
    token, challenge = await begun(tab)
    assert (await entered(tab, token, device.signed(challenge))).status_code == 401


async def test_another_site_cannot_begin(home: Home) -> None:
    assert (await home.tab().client.post("/sign-in/passkey/begin", json={"token": "0" * 64})).status_code == 403


async def test_a_passkey_that_cannot_be_kept_is_refused_and_not_dropped(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than a person may have, and one with an id that no index holds."""
    ids = [bytes([at]) * 16 for at in range(passkey_repository.MOST + 1)]

    def registered(**_: Any) -> Any:
        return SimpleNamespace(credential_id=ids.pop(), credential_public_key=b"key", sign_count=0)

    keys = home.people.passkeys
    monkeypatch.setattr(passkeys, "verify_registration_response", registered)
    for _ in range(passkey_repository.MOST):
        await keys.add(home.owner, b"", {}, "phone")
    with pytest.raises(PasserelleError, match="take one away"):
        await keys.add(home.owner, b"", {}, "phone")
    ids.append(b"x" * 2_700)
    with pytest.raises(PasserelleError) as refused:
        await keys.add(home.owner, b"", {}, "phone")
    assert refused.value.problems[0].code == "SIGN_IN_FAILED"
    assert len(await keys.of_user(home.owner)) == passkey_repository.MOST
    with pytest.raises(PasserelleError, match="take one away"):
        await keys.offer(home.owner)


async def test_who_has_as_many_passkeys_as_one_person_may_is_told_before_a_device_makes_another(home: Home) -> None:
    tab = await home.signed_in()
    for _ in range(passkey_repository.MOST - 1):
        await Device().known_to(home)
    assert 'id="add-passkey"' in (await tab.client.get("/set-up")).text
    await Device().known_to(home)
    page = (await tab.client.get("/set-up")).text
    assert 'id="add-passkey"' not in page
    assert "as many as one person may have" in page


@pytest.mark.parametrize(
    "credential",
    [{}, {"id": 5}, {"id": "x", "rawId": "x", "type": "public-key", "response": {"attestationObject": "o", "clientDataJSON": "e30"}}],
)  # fmt: skip
async def test_a_passkey_that_makes_no_sense_is_refused(home: Home, credential: dict[str, Any]) -> None:
    with pytest.raises(PasserelleError) as refused:
        await home.people.passkeys.add(home.owner, b"challenge", credential, "phone")
    assert refused.value.problems[0].code == "SIGN_IN_FAILED"
