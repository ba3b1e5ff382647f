"""PostgreSQL's settings, chosen for a laptop or a small machine of two cores.

Given on the command line at every start, so that they follow the release of Passerelle and not the day
on which the data was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

ROLE: Final = "passerelle"
DATABASE: Final = "passerelle"
PORT: Final = 5432
"""Only a part of the socket's name, since nothing listens on the network."""

SETTINGS: Final[Mapping[str, str]] = {
    # Nothing but the private socket.
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(PORT),
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    # What is acknowledged is on the disk. All three are defaults; they are what the product promises.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Nothing replicates: no process for it, and the log need not carry what only a replica reads.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    # Page images after a checkpoint are most of a quiet log; the binaries have no lz4.
    "wal_compression": "pglz",
    # Rare checkpoints: fewer page images and stalls, for a recovery of some seconds after a crash.
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "shared_buffers": "128MB",
    # Short queries on two cores that the application needs: no compiling, no parallel workers, and reads
    # in the process that wants them. This also keeps the use of /dev/shm small, 64 MB in many containers.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "random_page_cost": "1.1",  # solid-state disks
    # Queues and executions rewrite the same few rows: vacuum them early, with few processes.
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "30s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    # Warnings and errors, without the statements and values, which hold personal data.
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "log_startup_progress_interval": "10s",  # tells a long recovery from a hanging start
    "timezone": "UTC",
    "log_timezone": "UTC",
}

INITDB: Final = (
    "--username=postgres",  # the superuser, which has no password and which no rule lets in
    "--encoding=UTF8",
    # Order by code point, built in: the same on every machine and after every update of its libraries.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--auth=reject",
    "--no-instructions",
)

HBA: Final = """\
# Who may connect. Written by Passerelle when the database was made.
local  all  postgres  reject
local  all  all       scram-sha-256
"""


def arguments(settings: Mapping[str, str]) -> list[str]:
    """As arguments of `postgres`."""
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def url(password: str, sockets: Path) -> str:
    """The database's address, for asyncpg and libpq alike; complete, so that no PG* variable plays in."""
    secret, host = quote(password, safe=""), quote(str(sockets), safe="/")
    return f"postgresql://{ROLE}:{secret}@/{DATABASE}?host={host}&port={PORT}"


def birth(password: str) -> list[str]:
    """The statements that complete a fresh cluster, one a line.

    The role is no superuser, like what a hosted PostgreSQL gives: what works here works there. It may make
    databases and roles, which migrations and tests do, and read statistics.
    """
    return [
        f"CREATE ROLE {ROLE} LOGIN CREATEROLE CREATEDB PASSWORD {literal(password)}",
        f"GRANT pg_monitor TO {ROLE}",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    ]


def new_password(password: str) -> list[str]:
    """The statements for a cluster whose password was lost."""
    return [f"ALTER ROLE {ROLE} PASSWORD {literal(password)}"]


def literal(text: str) -> str:
    """As an SQL string, with PostgreSQL's standard_conforming_strings."""
    return "'" + text.replace("'", "''") + "'"
