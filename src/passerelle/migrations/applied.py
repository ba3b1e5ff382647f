"""What a database has had applied, and whether a release can work with that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import asyncpg
from packaging.version import Version

from passerelle.kit.connections import APP_ROLE
from passerelle.kit.errors import CommandError
from passerelle.migrations.release import Release

Kind = Literal["migration", "functions", "queue"]

VERSION_TABLE: Final = "schema_version"
"""Alembic's own. Another than the former chain's, whose processes go on reading theirs."""


class SchemaError(CommandError):
    """The database cannot be used; one sentence says what to do."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One row of `schema_applied`."""

    kind: Kind
    name: str
    release: str
    at: datetime
    breaks: str | None


@dataclass(frozen=True)
class SchemaComparison:
    """The whole of what a database has had, beside the whole of what a release wants."""

    release: Release
    applied: tuple[Applied, ...]

    @property
    def missing(self) -> list[str]:
        """The release's migrations that the database has not had, in their order."""
        had = self._had("migration")
        return [one.name for one in self.release.migrations if one.name not in had]

    @property
    def unknown(self) -> list[Applied]:
        """What the database has had and the release does not know."""
        known = {one.name for one in self.release.migrations}
        return [one for one in self.applied if one.kind == "migration" and one.name not in known]

    @property
    def skipped(self) -> list[str]:
        """What is missing although the database has had something that comes after it."""
        had = self._had("migration")
        last = max((place for place, one in enumerate(self.release.migrations) if one.name in had), default=-1)
        return [one.name for one in self.release.migrations[: max(last, 0)] if one.name not in had]

    @property
    def is_of_a_newer_release(self) -> bool:
        """A newer release has migrated the database: this one must leave it as it is."""
        ours = Version(self.release.version)
        return bool(self.unknown) or any(Version(one.release) > ours for one in self.applied)

    @property
    def newer(self) -> str | None:
        """What has migrated the database and is newer than this release, as an operator reads it."""
        if not self.is_of_a_newer_release:
            return None
        last = max(self.applied, key=lambda one: Version(one.release)).release
        return f"a newer release ({last})" if last != self.release.version else f"a newer build of release {last}"

    @property
    def other_functions(self) -> str | None:
        """Whose functions the database has, where they are not this release's, as an operator reads it.

        Two builds of one version tell each other apart by nothing else.
        """
        last = next((one for one in reversed(self.applied) if one.kind == "functions"), None)
        if last is None or last.name == self.release.functions_digest:
            return None
        build = "another build of " if last.release == self.release.version else ""
        return f"those of {build}release {last.release}, applied at {last.at:%Y-%m-%d %H:%M:%S%z}"

    @property
    def to_do(self) -> list[str]:
        """What `migrate` does, as an operator reads it: also what a process can start without."""
        other = self.other_functions
        if other is None or self.is_of_a_newer_release or self.release.functions_digest not in self._had("functions"):
            return self.lacks
        return [*self.lacks, f"the functions of this build, in place of {other}"]

    @property
    def lacks(self) -> list[str]:
        """What has to be done before a process of this release may start, as an operator reads it."""
        lacks = [f"the migration {name}" for name in self.missing]
        if not self.is_of_a_newer_release:
            if self.release.functions_digest not in self._had("functions"):
                lacks.append("the functions of this release")
            if self.release.queue not in self._had("queue"):
                lacks.append(f"the job queue's tables of PgQueuer {self.release.queue}")
        return lacks

    def require_usable(self) -> None:
        """Raises `SchemaError` unless this release works with the database as it is, or after `migrate`."""
        unknown = ", ".join(f"{one.name} (by release {one.release} on {one.at:%Y-%m-%d})" for one in self.unknown)
        breaking = [one for one in self.unknown if one.breaks]
        if breaking:
            reasons = "; ".join(f"since {one.name} {one.breaks}" for one in breaking)
            raise SchemaError(
                f"the database has had migrations that this release ({self.release.version}) does not know: {unknown}. "
                f"It cannot work with them: {reasons}. Install at least release {breaking[-1].release}"
            )
        if self.unknown and self.missing:
            raise SchemaError(
                f"the database and this release ({self.release.version}) have parted: the database has had {unknown}, "
                f"which this release does not know, and lacks {', '.join(self.missing)}. Install the release that "
                f"knows them all, or restore the dump from before"
            )
        if self.skipped:
            raise SchemaError(
                f"the database lacks {', '.join(self.skipped)} although it has had migrations that come after: it was "
                f"made by a version in which they stood in another order. Restore the dump from before that version, "
                f"and migrate with this release ({self.release.version})"
            )

    def require_current(self) -> None:
        """Raises `SchemaError` unless a process of this release may start now."""
        self.require_usable()
        if self.lacks:
            raise SchemaError(f"the database lacks {', '.join(self.lacks)}: run `passerelle migrate`")

    def _had(self, kind: Kind) -> set[str]:
        return {one.name for one in self.applied if one.kind == kind}


_TABLES: Final = f"""
    CREATE TABLE IF NOT EXISTS schema_applied (
        kind       text NOT NULL CHECK (kind IN ('migration', 'functions', 'queue')),
        name       text NOT NULL,
        release    text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        breaks     text,
        PRIMARY KEY (kind, name)
    );
    COMMENT ON COLUMN schema_applied.breaks IS 'what releases that do not know it could no longer do';
    GRANT SELECT ON schema_applied TO {APP_ROLE};
    CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (version_num text PRIMARY KEY);
"""

INSERT: Final = """
    INSERT INTO schema_applied (kind, name, release, breaks) VALUES ($1, $2, $3, $4)
    ON CONFLICT (kind, name) DO UPDATE SET release = excluded.release, applied_at = excluded.applied_at
"""


async def prepare(connection: asyncpg.Connection) -> None:
    """Make the tables that the rest is written into."""
    await connection.execute(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}")
    await connection.execute(_TABLES)


async def read(connection: asyncpg.Connection) -> tuple[Applied, ...] | None:
    """Everything that the database has had, oldest first; None where nothing was ever written down."""
    if await connection.fetchval("SELECT to_regclass('schema_applied')") is None:
        return None
    rows: Sequence[asyncpg.Record] = await connection.fetch("SELECT * FROM schema_applied ORDER BY applied_at, name")
    return tuple(Applied(row["kind"], row["name"], row["release"], row["applied_at"], row["breaks"]) for row in rows)


async def write(
    connection: asyncpg.Connection, kind: Kind, name: str, release: Release, breaks: str | None = None
) -> None:
    """Note that something was applied now, by this release."""
    await connection.execute(INSERT, kind, name, release.version, breaks)
