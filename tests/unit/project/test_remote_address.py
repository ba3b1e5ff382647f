"""Where the commands find Passerelle that talk to a running one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from passerelle.cli.api_client import connected
from passerelle.kit.errors import CommandError

DEMO = {"organizationToken": "pso_demo", "baseUrl": "http://localhost:8123"}


@pytest.mark.parametrize(
    ("url", "token", "expected"),
    [
        (None, None, "http://localhost:8123"),
        (None, "pso_other", "http://localhost:8123"),
        ("https://own.example", None, "https://own.example"),
    ],
)
def test_the_demo_is_found_on_its_own_port(url: str | None, token: str | None, expected: str, tmp_path: Path) -> None:
    """`passerelle dev --port 8123` needs no --url; a token alone does not lead to whatever else listens somewhere."""
    (tmp_path / "demo.json").write_text(json.dumps(DEMO))
    with connected(url, token, tmp_path) as client:
        assert str(client.base_url) == expected
        assert client.headers["authorization"] == f"Bearer {token or 'pso_demo'}"


def test_without_a_demo_the_address_has_to_be_given(tmp_path: Path) -> None:
    """A token is not sent to a guess."""
    with pytest.raises(CommandError, match="--url or PASSERELLE_URL"), connected(None, "pso_other", tmp_path):
        pass
