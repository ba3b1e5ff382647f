"""What was agreed to is compared with its hash, without a server; a file that does not say it is no proof of anything."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from passerelle.cli.executions import app

STATEMENT = '{"text":"Dear Ada"}'
HASH = sha256(STATEMENT.encode()).hexdigest()


def verified(file: Path, data: Any) -> tuple[int, str]:
    """What the command says of a file that holds `data`."""
    file.write_text(json.dumps(data))
    done = CliRunner().invoke(app, ["verify-consents", str(file)])
    return done.exit_code, done.output + str(done.exception or "")


def test_a_statement_is_intact_until_a_letter_of_it_changes(tmp_path: Path) -> None:
    consent = {"step": "terms", "statement": STATEMENT, "hash": HASH}
    assert verified(tmp_path / "proof.json", {"data": [consent]}) == (0, f"terms: intact  {HASH}\n")
    changed = consent | {"statement": STATEMENT.replace("Ada", "Eve")}
    status, said = verified(tmp_path / "proof.json", {"data": [consent, changed]})
    assert status == 1
    assert f"terms: not what was hashed  {HASH}" in said


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"data": [{"step": "terms", "statement": None, "hash": HASH}]}, "masked: write it with"),
        ({"data": [{"step": "terms"}]}, "holds no consents: write it with"),
        ([], "holds no consents"),
    ],
)
def test_a_file_without_statements_is_no_proof_and_says_how_to_get_one(tmp_path: Path, data: Any, why: str) -> None:
    status, said = verified(tmp_path / "proof.json", data)
    assert status == 1
    assert why in said
    assert "not what was hashed" not in said
