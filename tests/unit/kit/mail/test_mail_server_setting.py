"""`PASSERELLE_SMTP_URL` and `PASSERELLE_MAIL_FROM`: read once, and nothing of a wrong one is shown."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.app.settings import SettingsError, load
from passerelle.kit.mail.server import SmtpServer


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 587, tls=False)),
        ("smtps://mail.example", SmtpServer("mail.example", 465, tls=True)),
        ("smtp://localhost:25/", SmtpServer("localhost", 25, tls=False)),
        ("smtp://[::1]:2525", SmtpServer("::1", 2525, tls=False)),
        ("smtp://a%40b.example:p%3A%2F@h:587", SmtpServer("h", 587, tls=False, user="a@b.example", password="p:/")),
    ],
)
def test_urls_that_are_understood(url: str, server: SmtpServer) -> None:
    assert SmtpServer.parse(url) == server
    assert "p:/" not in repr(server)


@pytest.mark.parametrize(
    "url",
    ["", "mail.example:587", "http://u:hunter2@h", "smtp://", "smtp://u:hunter2@h:none", "smtp://u:hunter2@h:99999",
     "smtp://hunter2@h", "smtp://u:hunter2@h/path", "smtp://u:hun/ter2@h", "smtp://u:hunter2@h?tls=no", "smtp://["],
)  # fmt: skip
def test_a_wrong_url_is_refused_with_what_would_be_right_and_without_the_password(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(smtp_url=url)
    assert str(refused.value).startswith("PASSERELLE_SMTP_URL: ")
    assert "smtp://user:password@host:587" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_wrong_sender_is_refused() -> None:
    with pytest.raises(SettingsError, match="PASSERELLE_MAIL_FROM: is no e-mail address"):
        load(mail_from="nobody")


def test_a_password_does_not_show_in_the_settings() -> None:
    settings: Any = load(smtp_url="smtps://user:hunter2@mail.example")
    assert "hunter2" not in repr(settings)
