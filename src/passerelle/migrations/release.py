"""What a release wants of its database: its line of migrations, its functions, and the job queue's own tables."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

from passerelle.kit.version import VERSION

FOLDER: Final = Path(__file__).parent


class LineError(Exception):
    """The migrations are no line; the message says which one, and what to write."""


@dataclass(frozen=True, slots=True)
class SchemaMigration:
    """One step of the schema, as its file declares it."""

    name: str
    follows: str | None
    """The migration before it; None for the baseline."""
    breaks: str | None
    """What releases that do not know this migration could no longer do; None: they go on."""

    @classmethod
    def read(cls, path: Path) -> SchemaMigration:
        """Read the declarations without running the file. Raises `LineError` where one is no literal."""
        found: dict[str, str | None] = {}
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.Assign([ast.Name("revision" | "down_revision" | "breaks" as name)], ast.Constant(value)) if (
                    value is None or isinstance(value, str)
                ):
                    found[name] = value
                case ast.Assign([ast.Name("revision" | "down_revision" | "breaks" as name)]):
                    raise LineError(f"{path.name}: write `{name}` as a literal text")
        if found.get("revision") != path.stem:
            raise LineError(f'{path.name}: write `revision = "{path.stem}"`, the name of the file')
        if "down_revision" not in found:
            raise LineError(f"{path.name}: name the migration before it as `down_revision`")
        return cls(path.stem, found["down_revision"], found.get("breaks"))


def line(migrations: Iterable[SchemaMigration]) -> tuple[SchemaMigration, ...]:
    """The migrations in their order. Raises `LineError` for a branch, a gap or a second beginning."""
    following: dict[str | None, SchemaMigration] = {}
    for migration in migrations:
        other = following.setdefault(migration.follows, migration)
        if other is not migration:
            first, second = sorted((other.name, migration.name))
            raise LineError(
                f"{first} and {second} both follow {migration.follows}: "
                f"let the one that is not in use yet follow the other"
            )
    ordered: list[SchemaMigration] = []
    after: str | None = None
    while after in following:
        ordered.append(following.pop(after))
        after = ordered[-1].name
    if following:
        lost = sorted(f"{one.name} follows {one.follows}" for one in following.values())
        raise LineError(f"no migration leads there: {', '.join(lost)}")
    return tuple(ordered)


@dataclass(frozen=True)
class Release:
    """A release as the database sees it. Tests make others: one with a migration more, one with another function."""

    version: str = VERSION
    versions: tuple[Path, ...] = (FOLDER / "versions",)
    """The folders of its migrations."""
    functions: tuple[Path, ...] = (FOLDER / "functions",)
    """The folders of its functions."""

    @cached_property
    def migrations(self) -> tuple[SchemaMigration, ...]:
        """In their order."""
        return line(SchemaMigration.read(path) for folder in self.versions for path in sorted(folder.glob("*.py")))

    @cached_property
    def sql(self) -> str:
        """The text of all functions."""
        return "\n".join(path.read_text("utf-8") for folder in self.functions for path in sorted(folder.glob("*.sql")))

    @property
    def functions_digest(self) -> str:
        """What tells this release's functions from another's."""
        return sha256(self.sql.encode()).hexdigest()[:16]

    @property
    def queue(self) -> str:
        """The version of PgQueuer, which has tables of its own."""
        return version("pgqueuer")


THIS: Final = Release()
