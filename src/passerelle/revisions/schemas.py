"""Bodies and answers of the definition endpoints."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from passerelle.definitions.model import Definition, Parameter
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.revisions.repository import RevisionEntry, StoredRevision


class PublishBody(Body):
    """Which revision executions start on from now on."""

    revision: int


class PushedAnswer(Answer):
    """A definition that was pushed."""

    id: UUID
    name: str
    revision: int
    published: bool


class ParameterAnswer(Answer):
    """A value that executions are started with."""

    name: str
    type: str
    required: bool
    default: Any
    title: Any


class DefinitionAnswer(Answer):
    """A definition in its published revision, else in its newest."""

    id: UUID
    name: str
    title: Any
    revision: int
    execution_type: Literal["BACKGROUND", "INTERACTIVE"]
    parameters: list[ParameterAnswer]
    published: bool


class RevisionAnswer(Answer):
    """One revision of a definition."""

    revision: int
    created_date: Moment
    created_by: str
    published_date: Moment | None
    published_by: str | None
    current: bool


class RevisionsAnswer(Answer):
    """Every revision of a definition, newest first."""

    data: list[RevisionAnswer]
    next: None = None


def pushed_answer(stored: StoredRevision) -> PushedAnswer:
    """What a push or a publication answers."""
    return PushedAnswer(id=stored.definition_id, name=stored.name, revision=stored.number, published=stored.published)


def definition_answer(stored: StoredRevision, definition: Definition) -> DefinitionAnswer:
    """A definition as the API shows it."""
    return DefinitionAnswer(
        id=stored.definition_id,
        name=stored.name,
        title=definition.title,
        revision=stored.number,
        execution_type=definition.execution_type,
        parameters=[_parameter(parameter) for parameter in definition.parameters.values()],
        published=stored.published,
    )


def revision_answer(entry: RevisionEntry) -> RevisionAnswer:
    """One line of a definition's history."""
    return RevisionAnswer(
        revision=entry.number,
        created_date=entry.created_at,
        created_by=entry.created_by,
        published_date=entry.published_at,
        published_by=entry.published_by,
        current=entry.current,
    )


def _parameter(parameter: Parameter) -> ParameterAnswer:
    return ParameterAnswer(
        name=parameter.name,
        type=parameter.type,
        required=parameter.required,
        default=parameter.default,
        title=parameter.title,
    )
