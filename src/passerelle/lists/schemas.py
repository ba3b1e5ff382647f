"""Answers of the list endpoints."""

from __future__ import annotations

from passerelle.engine.screening import ListVersion
from passerelle.kit.http.answers import Answer, Moment


class ListVersionAnswer(Answer):
    """One version of a list."""

    name: str
    """The list's name."""
    version: int
    """The version's number, from 1."""
    entries: int
    """How many entries it has."""
    sha256: str
    """The file's hash."""
    loaded_date: Moment
    """When it was loaded."""
    loaded_by: str
    """Who loaded it."""


def list_version_answer(version: ListVersion) -> ListVersionAnswer:
    """A version as the API shows it."""
    return ListVersionAnswer.made_from(version, loaded_date=version.loaded_at)
