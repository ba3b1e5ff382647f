"""The database's address is read in one place: what it may say, and what is told of one that is wrong."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from passerelle.kit.address import in_schema, parse_address, why_refused


def test_what_the_driver_knows_is_left_to_it(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.touch()
    address = parse_address(f"postgres://a:b%40c@db.example:6432/one?sslmode=verify-full&sslrootcert={root}")
    assert address.url.startswith("postgresql://a:b%40c@db.example:6432/one?sslmode=verify-full&sslrootcert=")
    assert (address.tls, address.shown) == (None, "db.example:6432/one")
    local = "postgresql://a:b@/one?host=/run/postgresql&port=5433"
    assert parse_address(local).shown == "/run/postgresql/one"


@pytest.mark.parametrize(("mode", "named"), [("verify-full", True), ("verify-ca", False)])
def test_without_a_file_the_system_s_authorities_are_trusted(mode: str, named: bool) -> None:
    for query in (f"sslmode={mode}", f"sslmode={mode}&sslrootcert=system"):
        address = parse_address(f"postgresql://a:b@db.example/one?{query}")
        assert address.tls is not None
        assert (address.tls.check_hostname, address.tls.verify_mode) == (named, ssl.CERT_REQUIRED)
        assert "ssl" not in address.url


def test_what_other_clients_write_and_is_ours_to_say_is_left_out() -> None:
    address = parse_address("postgresql://a:b@h/one?application_name=x&connect_timeout=5&channel_binding=prefer")
    assert address.url == "postgresql://a:b@h/one"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mysql://a:hush@h/one", "must begin with postgresql://"),
        ("postgresql://a:hush@h:port/one", "must look like postgresql://user:password@host:5432/database"),
        ("postgresql://a:hush@h/one?sslmode=yes", "sslmode is one of disable, allow, prefer, require, verify-ca"),
        ("postgresql://a:hush@h/one?sslrootcert=/nowhere.pem", "the file /nowhere.pem is not there"),
        ("postgresql://a:hush@h/one?pgbouncer=true", "PASSERELLE_DATABASE_POOLED"),
        ("postgresql://a:hush@h/one?options=-csearch_path=x", "PASSERELLE_DATABASE_SCHEMA"),
        ("postgresql://a:hush@h/one?channel_binding=require", "sslmode=verify-full"),
        ("postgresql://a:hush@h/one?schema=no;", "`no;` is no schema"),
        ("postgresql://a:hush@h/one?sllmode=require&x=1", "there is no `sllmode`: .*; there is no `x`: "),
    ],
)
def test_everything_that_is_wrong_is_told_and_no_password(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told) as raised:
        parse_address(text)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (TimeoutError(), "does not answer in time"),
        (ConnectionRefusedError(), "nothing answers there"),
        (ConnectionError('PostgreSQL server at "h" rejected SSL upgrade'), "offers no TLS"),
        (ssl.SSLCertVerificationError("x"), "sslrootcert"),
    ],
)
def test_why_nothing_came_of_it(error: Exception, told: str) -> None:
    assert told in why_refused(error)


def test_the_schema_stands_in_the_address_and_is_not_the_drivers() -> None:
    url = in_schema("postgresql://a:b@h/one?sslmode=require", "second")
    assert parse_address(url).schema == "second"
    assert parse_address(url).url == "postgresql://a:b@h/one?sslmode=require"
    assert in_schema(url, "third") == url
    assert parse_address(in_schema("postgresql://a:b@h/one", "public")).schema == "public"
