"""The files that a command line names: tables and definitions, told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from passerelle.definitions.source import read_source
from passerelle.errors import CommandError

TABLES = "tables"
"""The folder, beside the definitions, in which every file is a table's."""
_SCENARIOS = ".test"


@dataclass
class Gathered:
    """Files with their texts, in the order in which they were named, and what could not be read."""

    tables: list[tuple[Path, str]] = field(default_factory=list)
    definitions: list[tuple[Path, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def require(self) -> Gathered:
        """The same. Raises `CommandError` where a file could not be read."""
        if self.problems:
            raise CommandError("\n".join(self.problems))
        return self


def gather(paths: Iterable[Path]) -> Gathered:
    """Read every file; of a folder its `*.yaml` without scenarios, and those of its folder `tables`.

    Raises `CommandError` for a folder without any.
    """
    gathered = Gathered()
    for path in dict.fromkeys(file for given in paths for file in _files(given)):
        try:
            text = read_text(path)
        except CommandError as error:
            gathered.problems.append(str(error))
        else:
            (gathered.tables if _is_table(path, text) else gathered.definitions).append((path, text))
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
        for folder in (path, path / TABLES)
        for file in sorted(folder.glob("*.yaml"))
        if not file.stem.endswith(_SCENARIOS)
    ]
    if not found:
        raise CommandError(f"{path}: holds no definitions (*.yaml) and no tables ({TABLES}/*.yaml)")
    yield from found


def _is_table(path: Path, text: str) -> bool:
    """By its folder, or by what it says: tables have fields, definitions have steps."""
    if path.absolute().parent.name == TABLES:
        return True
    value = read_source(text).value if "fields" in text else None
    return isinstance(value, dict) and "fields" in value and "steps" not in value
