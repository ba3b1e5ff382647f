"""Settings are read once, and everything that is wrong with them is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from passerelle.app.settings import SERVING, SettingsError, load, unknown_names


@pytest.mark.parametrize(
    "address",
    [
        "example.com", "ftp://example.com", "https://", "https://:8080", "https://example.com:0", "https://example.com:99999",
        "https://exa mple.com", "https://user@example.com", "https://example.com?a=1", "https://example.com#a", "https://[::1",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="PASSERELLE_PUBLIC_URL: must look like"):
        load(public_url=address)


def test_an_address_is_taken_with_its_path() -> None:
    assert load(public_url="https://example.com:8443/onboarding/").public_url == "https://example.com:8443/onboarding"


def test_what_is_needed_and_missing_is_told_beside_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PASSERELLE_DATABASE_URL", raising=False)
    with pytest.raises(SettingsError) as caught:
        load(SERVING, secret_key="short", files_url="ftp://example.com")
    told = str(caught.value).splitlines()
    assert [line.partition(" ")[0].rstrip(":") for line in told] == [
        "PASSERELLE_SECRET_KEY", "PASSERELLE_FILES_URL", "PASSERELLE_DATABASE_URL",
    ]  # fmt: skip
    assert "short" not in str(caught.value).replace("too short", "")


def test_a_key_is_never_shown() -> None:
    with pytest.raises(SettingsError) as caught:
        load(secret_key="żółw" * 10)
    assert "żółw" not in str(caught.value)


def test_a_variable_that_is_empty_is_as_one_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "SECRET_KEY", "PUBLIC_URL", "QUOTA_STORAGE"):
        monkeypatch.setenv(f"PASSERELLE_{name}", "")
    with pytest.raises(SettingsError) as refused:
        load(SERVING)
    assert [line.split(" ")[0] for line in str(refused.value).splitlines()] == [
        "PASSERELLE_DATABASE_URL", "PASSERELLE_SECRET_KEY",
    ]  # fmt: skip


def test_what_is_named_as_a_setting_and_is_none_is_found() -> None:
    environment = dict.fromkeys(
        ["PASSERELLE_PUBLIC_URL", "PASSERELLE_URL", "PASSERELLE_TOKEN", "PASSERELLE_SMTPURL", "passerelle_metric_listen",
         "HOME", "PASSERELLE_SERVICE_HOST", "PASSERELLE_SERVICE_PORT", "PASSERELLE_SERVICE_PORT_HTTP",
         "PASSERELLE_SERVE_PORT", "PASSERELLE_PORT", "PASSERELLE_PORT_8080_TCP", "PASSERELLE_PORT_8080_TCP_ADDR"],
        "x",
    )  # fmt: skip
    assert unknown_names(environment) == ["PASSERELLE_SMTPURL", "passerelle_metric_listen"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSION_IDLE", "0s"),
        ("SESSION_LIFETIME", "59s"),
        ("MAIL_DOMAINS", "a b"),
        ("MAIL_DOMAINS", "example.com;example.org"),
        ("MAIL_DOMAINS", "me@example.com"),
    ],
)
def test_a_value_that_nobody_could_work_with_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"PASSERELLE_{name}", value)
    with pytest.raises(SettingsError, match=f"^PASSERELLE_{name}: "):
        load()


@pytest.mark.parametrize("content", ['run_wait = "10s', "run_wait = \xff"])
def test_a_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str) -> None:
    (tmp_path / "passerelle.toml").write_bytes(content.encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=rf"^{re.escape(str(tmp_path))}/passerelle.toml cannot be read: "):
        load()
