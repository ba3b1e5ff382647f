"""Cookies and requests behind a proxy that speaks TLS, which no test with a real browser on this machine has."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from fastapi import Request, Response

from passerelle.end_user.pages.browsers import Browsers
from passerelle.kit.clock import MovedClock
from passerelle.kit.errors import PasserelleError
from passerelle.kit.secrets import SecretBox
from passerelle.links.models import EndUserSession

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SESSION = EndUserSession("s" * 43, UUID(int=1), UUID(int=2), NOW + timedelta(hours=2), "link")


def browsers(public_url: str) -> Browsers:
    return Browsers(
        cast("Any", SimpleNamespace()), SecretBox([Fernet.generate_key().decode()]), MovedClock(NOW), public_url
    )


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.mark.parametrize(("url", "secure"), [("https://pages.example", True), ("http://localhost:8080", False)])
def test_behind_tls_cookies_travel_over_tls_only(url: str, secure: bool) -> None:
    response = Response()
    browsers(url).bind(response, SESSION, "/l/abc")
    cookies = response.headers.getlist("set-cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Secure-" if secure else "passerelle=")
        assert ("Secure;" in f"{cookie};") is secure
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Max-Age=7200" in cookie


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"host": "10.0.0.7:8080", "origin": "https://pages.example"}, True),
        ({"host": "10.0.0.7:8080", "origin": "https://pages.example", "sec_fetch_site": "same-origin"}, True),
        ({"host": "pages.example"}, True),
        ({"host": "pages.example", "origin": "null"}, True),
        ({"host": "pages.example", "origin": "null", "sec_fetch_site": "cross-site"}, False),
        ({"host": "pages.example", "origin": "https://evil.example"}, False),
        ({"host": "pages.example", "origin": "https://pages.example.evil.example"}, False),
        ({"host": "pages.example", "origin": ""}, False),
    ],
)
def test_who_sent_a_form(headers: dict[str, str], ours: bool) -> None:
    with nullcontext() if ours else pytest.raises(PasserelleError, match="another site"):
        browsers("https://pages.example").require_same_site(request(**headers))
