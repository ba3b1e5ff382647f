"""The order of migrations: the numbers that their files' names begin with."""

from __future__ import annotations

from pathlib import Path

VERSIONS = Path(__file__).parent / "versions"


def numbers() -> list[str]:
    """Every migration of this release, oldest first."""
    return sorted(path.name.split("_", 1)[0] for path in VERSIONS.glob("[0-9]*_*.py"))


def before(revision: str) -> str | None:
    """The migration that comes before `revision`; None for the first."""
    earlier = [number for number in numbers() if number < revision]
    return earlier[-1] if earlier else None
