"""`passerelle deprecations`, typed against a running Passerelle."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.commanding import passerelle
from tests.acceptance.running import Dev, codes


@pytest.fixture
def old(dev: Dev) -> Iterator[httpx.Client]:
    """A client of version 1; the mode that a test sets ends with it."""
    with dev.api() as client:
        del client.headers["Accept"]
        client.headers["User-Agent"] = "till/2.0"
        yield client
        assert client.put("/deprecations/mode", json={}).is_success


def test_who_still_uses_version_one_is_listed(dev: Dev, old: httpx.Client) -> None:
    assert old.post("/cases", json={}).status_code == 201
    listed = passerelle(dev, "deprecations")
    assert listed.returncode == 0, listed.stderr
    for part in ("POST /cases", "till/2.0", "demo"):
        assert part in " ".join(listed.stdout.split()), listed.stdout
    assert "nobody uses a deprecated version" in passerelle(dev, "deprecations", "--since", "2999-01-01").stdout
    assert passerelle(dev, "deprecations", "--since", "yesterday").returncode != 0


def test_version_one_is_ended_and_brought_back_by_command(dev: Dev, old: httpx.Client) -> None:
    assert "version 1 is on (the installation's)" in passerelle(dev, "deprecations", "mode").stdout
    times = "2020-01-01T00:00Z/2999-01-01T00:00Z"
    shown = passerelle(dev, "deprecations", "mode", "brownout", "--brownouts", times).stdout
    assert "version 1 is brownout (set for this workspace)" in shown
    assert "to 2999-01-01T00:00:00.000Z" in shown
    assert codes(old.post("/cases", json={})) == ["V1_BROWNOUT"]
    passerelle(dev, "deprecations", "mode", "off")
    assert codes(old.post("/cases", json={})) == ["V1_REMOVED"]
    wrong = passerelle(dev, "deprecations", "mode", "brownout", "--brownouts", "sometimes")
    assert (wrong.returncode, "is no stretch of time" in wrong.stderr) == (1, True)
    assert "version 1 is on (the installation's)" in passerelle(dev, "deprecations", "mode", "default").stdout
    assert old.post("/cases", json={}).status_code == 201
