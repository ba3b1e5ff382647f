"""The address of a database, read in one place for everything that connects to one."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

SCHEMES: Final = ("postgresql", "postgres")
TLS_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_FILES: Final = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")
_TAKEN: Final = frozenset(
    (*_FILES, "sslmode", "sslpassword", "ssl_min_protocol_version", "ssl_max_protocol_version", "sslnegotiation")
) | {"host", "port", "user", "password", "dbname", "target_session_attrs"}
_LEFT_OUT: Final = frozenset({"application_name", "connect_timeout"})
"""Ours: the name says which part of Passerelle connects, and every wait has its end."""
_INSTEAD: Final = {
    "channel_binding": "channel_binding=require is not possible: sslmode=verify-full protects against the same",
    "options": "`options` is not taken: PASSERELLE_DATABASE_SCHEMA says which schema the tables are in",
    "pgbouncer": "`pgbouncer` is not taken: PASSERELLE_DATABASE_POOLED says whether a pooler stands in between",
}
_SYSTEM: Final = "system"
_SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
PUBLIC: Final = "public"


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """How to connect."""

    url: str
    tls: ssl.SSLContext | None
    """Where the system's certificates are trusted; else the driver reads `sslmode` and the files from the address."""
    shown: str
    """Host and database: never a password."""
    schema: str = PUBLIC
    """Where our tables are. It stands in the address as `schema`, so that whoever connects knows it."""

    def arguments(self) -> dict[str, Any]:
        """What asyncpg takes."""
        return {"dsn": self.url} if self.tls is None else {"dsn": self.url, "ssl": self.tls}


def parse_address(text: str) -> DatabaseAddress:
    """`postgresql://user:password@host:5432/database?sslmode=verify-full&sslrootcert=…`.

    Raises `ValueError` with everything that is wrong, which shows no password.
    """
    try:
        parts = urlsplit(text.strip())
        _ = parts.port
    except ValueError:
        raise ValueError("must look like postgresql://user:password@host:5432/database") from None
    if parts.scheme not in SCHEMES:
        raise ValueError("must begin with postgresql://")
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    schema = given.pop("schema", PUBLIC)
    if _SCHEMA_NAME.fullmatch(schema) is None:
        raise ValueError(f"`{schema}` is no schema: use small letters, digits and `_`")
    wrong = [problem for name, value in given.items() if (problem := _wrong(name, value)) is not None]
    if wrong:
        raise ValueError("; ".join(wrong))
    mode, tls = given.get("sslmode", "prefer"), None
    if mode.startswith("verify-") and given.get("sslrootcert", _SYSTEM) == _SYSTEM:
        tls = ssl.create_default_context()
        tls.check_hostname = mode == "verify-full"
        given = {name: value for name, value in given.items() if not name.startswith("ssl")}
    kept = {name: value for name, value in given.items() if name in _TAKEN}
    url = parts._replace(scheme="postgresql", query=urlencode(kept)).geturl()
    host = given.get("host") or parts.netloc.rpartition("@")[2] or "localhost"
    return DatabaseAddress(url, tls, f"{host}/{given.get('dbname') or parts.path.strip('/')}", schema)


def in_schema(url: str, schema: str) -> str:
    """The address, with the schema that our tables are in."""
    parts = urlsplit(url)
    if schema == PUBLIC or "schema" in dict(parse_qsl(parts.query)):
        return url
    return parts._replace(query="&".join(part for part in (parts.query, f"schema={schema}") if part)).geturl()


def _wrong(name: str, value: str) -> str | None:
    if name in _LEFT_OUT or (name == "channel_binding" and value != "require"):
        return None
    if name not in _TAKEN:
        return _INSTEAD.get(name) or f"there is no `{name}`: known are {', '.join(sorted(_TAKEN))}"
    if name == "sslmode" and value not in TLS_MODES:
        return f"sslmode is one of {', '.join(TLS_MODES)}, not `{value}`"
    if name in _FILES and value != _SYSTEM and not _is_readable(value):
        return f"{name}: the file {value} is not there, or cannot be read"
    return None


def _is_readable(file: str) -> bool:
    try:
        with Path(file).open("rb"):
            return True
    except OSError:
        return False


def why_refused(error: BaseException) -> str:
    """Why a database could not be connected to, for people; never shows a password."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = getattr(error, "verify_message", "") or error
        return (
            f"its certificate is not accepted ({why}): give the authority's with "
            "?sslmode=verify-full&sslrootcert=/path/to/authority.pem, and the host's name as the certificate has it"
        )
    if isinstance(error, ssl.SSLError):
        return f"no TLS could be agreed on ({error.reason or error})"
    if "rejected SSL" in str(error):
        return "the server offers no TLS, which sslmode in the address asks for"
    return _why_unreached(error) if isinstance(error, OSError) else str(error)


def _why_unreached(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    if isinstance(error, socket.gaierror):
        return "there is no such host"
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.filename} may not be read, which may have settings of it: set HOME, or the file's rights"
    return "nothing answers there"
