"""Webhooks for a laptop: events are fetched from the server and sent on from here."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from standardwebhooks import Webhook

from passerelle.cli.api_client import require_success
from passerelle.kit.version import VERSION

WAIT: Final = 50
"""Seconds that one question for events may take."""
PAUSE: Final = 1.0
"""Seconds until the next question where the server is away."""


def forward(
    client: httpx.Client, to: str, types: Sequence[str], secret: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """Send every event from now on to `to`; one line for each. Ends only with the program.

    What the receiver refuses is said and not sent again. A server that goes away is waited for, and nothing is missed
    meanwhile. Raises `CommandError` where the server refuses, `httpx.HTTPError` where it is away from the beginning.
    """
    wanted = {"wait": str(WAIT), "jws": "true"} | ({"types": ",".join(types)} if types else {})
    with httpx.Client(timeout=10, trust_env=False) as receiver:
        after = _read(client, {"since": datetime.now(UTC).isoformat()})["next"]
        away = False
        while True:
            try:
                page = _read(client, {"after": after, **wanted})
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if not away:
                    yield f"the server does not answer ({error}): waiting until it does"
                away = True
                sleep(PAUSE)
                continue
            away = False
            for event in page["data"]:
                yield f"{event['createdDate']} {event['type']} {event['id']}: {_send(receiver, to, event, secret)}"
            after = page["next"]


def _read(client: httpx.Client, params: dict[str, str]) -> Any:
    answer = client.get("/events", params=params, timeout=WAIT + 10)
    if answer.is_server_error:
        raise httpx.HTTPStatusError(f"HTTP {answer.status_code}", request=answer.request, response=answer)
    require_success(answer)
    return answer.json()


def _send(receiver: httpx.Client, to: str, event: dict[str, str], secret: str) -> str:
    signature = event.pop("jws")  # made by the server, whose private key it needs, over the bytes that follow
    body = json.dumps(event, separators=(",", ":"))
    now = datetime.now(UTC)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Passerelle/{VERSION}",
        "JWS-SIGNATURE": signature,
        "webhook-id": event["id"],
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(event["id"], now, body),
    }
    try:
        return str(receiver.post(to, content=body, headers=headers).status_code)
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"
