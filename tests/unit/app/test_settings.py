"""Settings are read once, and everything that is wrong with them is told."""

from __future__ import annotations

import pytest

from passerelle.app.settings import SERVING, SettingsError, load


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
