"""Answers of the list endpoints."""

from __future__ import annotations

from passerelle.engine.screening import ListVersion
from passerelle.kit.http.answers import Answer, Moment


class ListVersionAnswer(Answer):
    """One version of a list."""

    name: str
    version: int
    entries: int
    sha256: str
    loaded_date: Moment
    loaded_by: str


def list_version_answer(version: ListVersion) -> ListVersionAnswer:
    """A version as the API shows it."""
    return ListVersionAnswer(
        name=version.name,
        version=version.version,
        entries=version.entries,
        sha256=version.sha256,
        loaded_date=version.loaded_at,
        loaded_by=version.loaded_by,
    )
