"""Bodies and answers of the definition endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from passerelle.definitions.model import Definition, Parameter
from passerelle.definitions.revisions.models import RevisionEntry, StoredRevision
from passerelle.definitions.revisions.uses import FoundUses
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.bounds import Number32


class PublishBody(Body):
    """Which revision executions start on from now on."""

    revision: Number32
    """The revision to publish, an older one too."""
    note: str | None = Field(default=None, max_length=500, description="Why; stands beside the revision.")
    instead_of: Number32 | None = None
    """The revision that was published when this was decided: where another one is by now, that is refused."""


class PushedAnswer(Answer):
    """A definition that was pushed."""

    id: UUID
    """The definition's id."""
    name: str
    """Its name."""
    revision: int
    """The revision that this text is."""
    published: bool
    """Whether that revision is the one that starts."""
    proposal: UUID | None
    """The proposal to publish it, where publishing needs a second person and it waits for one; else null."""
    warnings: list[str] = Field(description="What may fail in a run, and may be meant: line, place and what to write")


class ParameterAnswer(Answer):
    """A value that executions are started with."""

    name: str
    """The parameter's name."""
    type: str
    """The type of its value."""
    required: bool
    """Whether it must be given."""
    default: Any
    """What counts where it is not given."""
    title: Any
    """What people call it; null where it has no title."""


class DefinitionAnswer(Answer):
    """A definition in its published revision, else in its newest."""

    id: UUID
    """The definition's id."""
    name: str
    """Its name."""
    title: Any
    """Its title; null where it has none."""
    revision: int
    """The newest revision, drafts included."""
    execution_type: Literal["BACKGROUND", "INTERACTIVE"]
    """`INTERACTIVE` where an end user takes part, else `BACKGROUND`."""
    parameters: list[ParameterAnswer]
    """What it is started with."""
    published: bool
    """Whether it can be started."""


class RevisionAnswer(Answer):
    """One revision of a definition."""

    revision: int
    """The revision's number."""
    created_date: Moment
    """When it was pushed."""
    created_by: str
    """Who pushed it."""
    published_date: Moment | None
    """When it was last published; null for a draft."""
    published_by: str | None
    """Who published it; null for a draft."""
    note: str | None
    """What was said when it was last published."""
    approved_by: str | None
    """The second person, where it was published by two."""
    current: bool
    """Whether it is the one that starts."""


class RevisionTextAnswer(Answer):
    """A revision of a definition, whole."""

    revision: int
    """The revision's number."""
    text: str
    """The definition as it was pushed."""
    document: Any = Field(description="The same as a JSON value: what a comparison by step is made of.")


class RevisionsAnswer(Answer):
    """Every revision of a definition, newest first."""

    data: list[RevisionAnswer]
    """The revisions, newest first."""
    next: None = None
    """Always null: every revision is listed."""


def pushed_answer(stored: StoredRevision, warnings: Sequence[str] = (), proposal: UUID | None = None) -> PushedAnswer:
    """What a push or a publication answers."""
    return PushedAnswer(
        id=stored.definition_id,
        name=stored.name,
        revision=stored.number,
        published=stored.published,
        proposal=proposal,
        warnings=list(warnings),
    )


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
        note=entry.note,
        approved_by=entry.approved_by,
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


class DefinitionUseAnswer(Answer):
    """A revision that uses something, the published or the newest one of its definition."""

    definition_id: UUID
    """The definition's id."""
    name: str
    """The definition's name."""
    revision: int
    """The revision's number."""
    published: bool
    """Whether it is the published one."""
    steps: list[str] = Field(description="The steps that use it; an empty text stands for what is in no step.")


class UsesAnswer(Answer):
    """Where something is used."""

    data: list[DefinitionUseAnswer]
    """By the definition's name."""
    complete: bool = Field(description="Whether every definition was looked through.")


def uses_answer(found: FoundUses) -> UsesAnswer:
    """Where something is used."""
    return UsesAnswer(
        data=[
            DefinitionUseAnswer(
                definition_id=one.stored.definition_id,
                name=one.stored.name,
                revision=one.stored.number,
                published=one.stored.published,
                steps=list(one.steps),
            )
            for one in found.uses
        ],
        complete=found.complete,
    )
