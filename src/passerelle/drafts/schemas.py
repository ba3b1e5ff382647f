"""Bodies and answers of the draft endpoints."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field as Described

from passerelle.definitions.compiler import CheckedText
from passerelle.definitions.problems import DefinitionProblem
from passerelle.drafts.models import DefinitionDraft, DraftPresence
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.bodies import Body
from passerelle.kit.http.bounds import Number32

LONGEST = 900_000
LONGEST_SCENARIOS = 200_000
_NAME = "What people call it; the definition's name is in its text"


class DraftBody(Body):
    """A new draft."""

    name: str = Described(min_length=1, max_length=100, description=_NAME)
    text: str = Described(max_length=LONGEST, description="The definition as it is typed; nothing of it is checked")
    scenarios: str = Described(default="", max_length=LONGEST_SCENARIOS, description="Scenarios to try it with")
    scenarios_version: int = Described(
        default=0, ge=0, lt=2**31, description="The version of the definition's scenarios that these rest on; 0: none"
    )
    definition_id: UUID | None = Described(default=None, description="The definition that it changes; null: a new one")
    base_revision: Number32 | None = Described(default=None, description="The revision that the work begins with")
    shared: bool = Described(default=False, description="Whether everybody who may change definitions sees it")


class DraftChangeBody(Body):
    """What changes of a draft."""

    name: str | None = Described(default=None, min_length=1, max_length=100, description=_NAME)
    text: str | None = Described(default=None, max_length=LONGEST, description="The definition as it is typed")
    scenarios: str | None = Described(default=None, max_length=LONGEST_SCENARIOS, description="Scenarios to try it")
    shared: bool | None = Described(default=None, description="Whether others see it; only its maker says so")
    definition_id: UUID | None = Described(default=None, description="The definition that was made of it")
    base_revision: Number32 | None = Described(default=None, description="The revision that it rests on from now on")


class DraftSummaryAnswer(Answer):
    """A draft without its text."""

    id: UUID
    """The draft's id."""
    name: str
    """What people call it."""
    definition_id: UUID | None
    """The definition that it changes; null: a new one."""
    base_revision: int | None
    """The revision that the work began with."""
    newest_revision: int | None
    """The definition's newest revision; where it is newer than `baseRevision`, somebody pushed meanwhile."""
    shared: bool
    """Whether everybody who may change definitions sees it."""
    mine: bool
    """Whether the caller made it."""
    owner: str
    """Who made it."""
    version: int
    """Counts its changes, from 1; also its `ETag`."""
    updated_by: str
    """Who changed it last."""
    updated_at: Moment
    """When that was."""


class DraftAnswer(DraftSummaryAnswer):
    """A draft."""

    text: str
    """The definition as it was typed."""
    scenarios: str
    """The scenarios beside it."""
    scenarios_version: int
    """The version of the definition's own scenarios that they rest on; 0: none."""


class PresenceAnswer(Answer):
    """How a draft stands, and who else has it open."""

    version: int
    """The draft's version."""
    updated_by: str
    """Who made that one."""
    people: list[str]
    """Who else said within the last half minute that they have it open."""


class EvaluationBody(Body):
    """An expression, and sample values for what it reads."""

    text: str = Described(max_length=4_000, description="The expression or, with `template`, a text with `${…}` in it")
    template: bool = Described(default=False, description="Whether `text` is a text with `${…}` in it")
    values: dict[str, Any] = Described(
        default_factory=dict, description="Values by the first name of what is read: `parameters`, `steps`, `form`…"
    )


class EvaluationAnswer(Answer):
    """What an expression gives."""

    value: Any
    """The value; null where there is none."""
    problem: str | None
    """What is wrong: it does not compile, or not with these values. Null: nothing."""
    reads: list[str]
    """What it reads, such as `steps.company.number`."""


class SourceBody(Body):
    """Where definitions come from."""

    files_only: bool
    """Whether the builder keeps no drafts and publishes nothing, but gives a patch for the files."""


class SourceAnswer(Answer):
    """Where the workspace's definitions come from."""

    files_only: bool
    """Whether the builder keeps no drafts and publishes nothing, but gives a patch for the files."""


class DefinitionProblemAnswer(Answer):
    """Something that is wrong with a definition, or may be."""

    line: int
    """The line, from 1."""
    column: int
    """The column, from 1."""
    path: list[str | int]
    """Where in the definition: keys, and numbers of items."""
    where: str
    """The same for people: `steps.registry.http.url`."""
    message: str
    """What is wrong, and what would be right."""


class CheckAnswer(Answer):
    """What a check says of a definition."""

    sound: bool
    """Whether it could be pushed."""
    problems: list[DefinitionProblemAnswer]
    """What is wrong."""
    warnings: list[DefinitionProblemAnswer]
    """What may fail in a run, and may be meant."""
    definition_id: UUID | None
    """The definition that has this name already; null: a push would make a new one."""


def summary_answer(draft: DefinitionDraft, caller_id: UUID) -> DraftSummaryAnswer:
    """A draft in a list."""
    return DraftSummaryAnswer(
        id=draft.id,
        name=draft.name,
        definition_id=draft.definition_id,
        base_revision=draft.base_revision,
        newest_revision=draft.newest_revision,
        shared=draft.shared,
        mine=draft.owner_id == caller_id,
        owner=draft.owner_name,
        version=draft.version,
        updated_by=draft.updated_by,
        updated_at=draft.updated_at,
    )


def draft_answer(draft: DefinitionDraft, caller_id: UUID) -> DraftAnswer:
    """A draft as the API shows it."""
    return DraftAnswer(
        **summary_answer(draft, caller_id).model_dump(),
        text=draft.text,
        scenarios=draft.scenarios,
        scenarios_version=draft.scenarios_version,
    )


def presence_answer(presence: DraftPresence) -> PresenceAnswer:
    """Who else is there."""
    return PresenceAnswer(version=presence.version, updated_by=presence.updated_by, people=list(presence.people))


def check_answer(checked: CheckedText, definition_id: UUID | None) -> CheckAnswer:
    """What a check found."""
    return CheckAnswer(
        sound=not checked.problems,
        problems=[_problem(one) for one in checked.problems],
        warnings=[_problem(one) for one in checked.warnings],
        definition_id=definition_id,
    )


def _problem(problem: DefinitionProblem) -> DefinitionProblemAnswer:
    return DefinitionProblemAnswer(
        line=problem.line,
        column=problem.column,
        path=list(problem.path),
        where=problem.where,
        message=problem.message,
    )
