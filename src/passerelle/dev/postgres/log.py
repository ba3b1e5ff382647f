"""PostgreSQL's log: one file that PostgreSQL appends to, cut by the supervisor, and one older."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

LIMIT = 5_000_000
"""Bytes; twice this much is kept at most, beside what is written between two looks."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """The file at `path`; the one before it has `.1` added."""

    path: Path

    def open(self) -> int:
        """A descriptor that appends, for a child's output."""
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def size(self) -> int:
        """In bytes; grows while PostgreSQL has something to say."""
        return self.path.stat().st_size if self.path.exists() else 0

    def trim(self, limit: int = LIMIT) -> None:
        """Start anew above the limit. Copied and emptied, not renamed: PostgreSQL keeps its descriptor."""
        if self.size() <= limit:
            return
        older = self.path.with_name(f"{self.path.name}.1")
        shutil.copyfile(self.path, older)
        older.chmod(0o600)
        os.truncate(self.path, 0)

    def last_lines(self, since: int, count: int = 8) -> list[str]:
        """The last lines written after the byte `since`, at most `count`, without empty ones."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(max(since, self.size() - 8192))
            text = file.read().decode(errors="replace")
        return [line.strip() for line in text.splitlines() if line.strip()][-count:]
