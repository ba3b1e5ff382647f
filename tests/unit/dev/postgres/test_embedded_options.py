"""PostgreSQL's settings, statements and address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from passerelle.dev.postgres import options

texts = st.text(st.characters(exclude_categories=["Cs"]))


def test_acknowledged_commits_are_on_the_disk() -> None:
    for promise in ("fsync", "synchronous_commit", "full_page_writes"):
        assert options.SETTINGS[promise] == "on"


def test_nothing_listens_on_the_network() -> None:
    assert options.SETTINGS["listen_addresses"] == ""
    rules = [line.split() for line in options.HBA.splitlines() if not line.startswith("#")]
    assert {rule[0] for rule in rules} == {"local"}
    assert {rule[-1] for rule in rules} == {"reject", "scram-sha-256"}


def test_the_log_holds_no_statements_and_no_values() -> None:
    assert options.SETTINGS["log_min_error_statement"] == "panic"
    assert options.SETTINGS["log_error_verbosity"] == "terse"


def test_settings_become_arguments() -> None:
    assert options.arguments({"port": "1", "listen_addresses": ""}) == ["-c", "port=1", "-c", "listen_addresses="]


@given(password=texts, sockets=texts)
def test_the_address_brings_password_and_socket_through(password: str, sockets: str) -> None:
    parts = urlsplit(options.url(password, Path("/run", sockets)))
    query = parse_qs(parts.query, strict_parsing=True)
    assert (parts.username, unquote(parts.password or ""), parts.hostname) == ("passerelle", password, None)
    assert parts.path == "/passerelle"
    assert query == {"host": [str(Path("/run", sockets))], "port": ["5432"]}


@given(password=texts)
def test_a_password_stays_inside_its_literal(password: str) -> None:
    literal = options.literal(password)
    assert literal[1:-1].replace("''", "") == password.replace("'", "")
    assert literal[1:-1].count("'") % 2 == 0
    assert literal[0] == literal[-1] == "'"


def test_the_role_is_no_superuser() -> None:
    statement = options.birth("secret")[0]
    assert "SUPERUSER" not in statement
    assert statement.endswith("PASSWORD 'secret'")
    assert options.new_password("it's") == ["ALTER ROLE passerelle PASSWORD 'it''s'"]
