"""What makes a delivery checkable: a detached JWS with the workspace's RSA key, and a Standard Webhooks signature
with the endpoint's secret, both over the exact bytes that are sent."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from joserfc import jws
from standardwebhooks import Webhook

from passerelle.accounts.models import SigningKey
from passerelle.kit.version import VERSION

_PREFIX: Final = "whsec_"


def new_secret() -> str:
    """A fresh secret of 256 bits, as Standard Webhooks writes it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signed_headers(
    body: bytes, event_id: UUID, sent_at: datetime, key: SigningKey, endpoint_secrets: Sequence[str]
) -> dict[str, str]:
    """The headers of one attempt. Every secret that is valid signs: one is enough for the receiver."""
    signatures = [Webhook(secret).sign(str(event_id), sent_at, body.decode("ascii")) for secret in endpoint_secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Passerelle/{VERSION}",
        "JWS-SIGNATURE": detached_jws(body, key),
        "webhook-id": str(event_id),
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def detached_jws(body: bytes, key: SigningKey) -> str:
    """`header..signature` (RFC 7515, appendix F), RS256."""
    header = {"alg": "RS256", "kid": str(key.id), "typ": "JWT"}
    return jws.detach_content(jws.serialize_compact(header, body, key.jwk))
