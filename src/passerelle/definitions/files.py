"""The files that a command line names: tables, definitions and roles, told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from passerelle.definitions.source import read_source
from passerelle.kit.errors import CommandError

TABLES = "tables"
"""The folder, beside the definitions, in which every file is a table's."""
ROLES = "roles"
"""And the one in which every file is a role's."""
_SCENARIOS = ".test"


@dataclass
class Gathered:
    """Files with their texts, in the order in which they were named, and what could not be read."""

    tables: list[tuple[Path, str]] = field(default_factory=list)
    definitions: list[tuple[Path, str]] = field(default_factory=list)
    roles: list[tuple[Path, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def require(self) -> Gathered:
        """The same. Raises `CommandError` where a file could not be read."""
        if self.problems:
            raise CommandError("\n".join(self.problems))
        return self


def gather(paths: Iterable[Path]) -> Gathered:
    """Read every file; of a folder its `*.yaml` without scenarios, and those of its folders `tables` and `roles`.

    Raises `CommandError` for a folder without any.
    """
    gathered = Gathered()
    for path in dict.fromkeys(file for given in paths for file in _files(given)):
        try:
            text = read_text(path)
        except CommandError as error:
            gathered.problems.append(str(error))
        else:
            _list_of(gathered, path, text).append((path, text))
    return gathered


def read_text(path: Path) -> str:
    """A file's text, ends of lines as they are. Raises `CommandError`."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: is not UTF-8 from byte {error.start} on; save it as UTF-8") from None


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = [
        file
        for folder in (path, path / TABLES, path / ROLES)
        for file in sorted(folder.glob("*.yaml"))
        if not file.stem.endswith(_SCENARIOS)
    ]
    if not found:
        raise CommandError(
            f"{path}: holds no definitions (*.yaml), no tables ({TABLES}/*.yaml) and no roles ({ROLES}/*.yaml)"
        )
    yield from found


def _list_of(gathered: Gathered, path: Path, text: str) -> list[tuple[Path, str]]:
    """By its folder, or by what it says: tables have fields, roles have permissions, definitions have steps."""
    folder = path.absolute().parent.name
    if folder in (TABLES, ROLES):
        return gathered.tables if folder == TABLES else gathered.roles
    value = read_source(text).value if "fields" in text or "permissions" in text else None
    if not isinstance(value, dict) or "steps" in value:
        return gathered.definitions
    if "fields" in value:
        return gathered.tables
    return gathered.roles if "permissions" in value else gathered.definitions
