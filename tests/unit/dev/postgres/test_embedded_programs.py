"""How PostgreSQL's programs are called, and what is said when they fail."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import asdict

import pytest

from passerelle.dev.postgres import launcher, programs
from passerelle.dev.postgres.errors import EmbeddedError


def test_the_installed_programs_are_of_the_version_we_run() -> None:
    home = programs.installation()
    for path in ("bin/postgres", "bin/initdb", "share/postgresql/postgres.bki"):
        assert (home / path).is_file()
    first_line, *_ = (home / "share/postgresql/postgres.bki").read_text().splitlines()
    assert first_line == f"# PostgreSQL {programs.MAJOR}"


def test_a_missing_package_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda name: importlib.util.find_spec("no_such_package"))
    with pytest.raises(EmbeddedError, match=r"install passerelle\[embedded\], or run `serve`"):
        programs.installation()


def test_the_environment_holds_nothing_that_changes_postgresql_and_no_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PGDATA", "PGPORT", "LC_ALL", "PASSERELLE_SECRET_KEY"):
        monkeypatch.setenv(name, "ours")
    monkeypatch.setenv("PATH", "/bin")
    environment = programs.environment()
    assert "ours" not in environment.values()
    assert environment["PATH"] == "/bin"


def test_a_failure_is_one_line_with_the_last_words() -> None:
    said = [f"line {number}" for number in range(20)] + ["", "FATAL: no space left"]
    sentence = str(programs.failure("initdb failed", 1, said))
    assert sentence.startswith("PostgreSQL cannot be started: initdb failed with exit status 1: ")
    assert sentence.endswith("line 19 | FATAL: no space left")
    assert "line 3" not in sentence
    assert "it said nothing" in str(programs.failure("initdb failed", -9, []))


def test_the_launchers_refusal_is_passed_on_as_it_is() -> None:
    assert str(programs.failure("initdb failed", launcher.REFUSED, ["do this"])) == "do this"


def test_an_order_survives_its_way_to_the_launcher() -> None:
    order = launcher.LaunchOrder(1, 2, None, 4, ("/a b", "/ż"))
    assert launcher.LaunchOrder(**json.loads(order.json())) == launcher.LaunchOrder(
        **{**asdict(order), "reads": ["/a b", "/ż"]}
    )
