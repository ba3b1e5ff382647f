"""What the end user sees, as the pages get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from passerelle.definitions.model import Definition, Text
from passerelle.engine.model import Status
from passerelle.engine.store import LoadedExecution
from passerelle.kit.errors import Problem
from passerelle.kit.json import Json, JsonObject


@dataclass(frozen=True, slots=True)
class FieldProblem(Problem):
    """What is wrong with one field, for pages in any language.

    keyword     stable: a keyword of JSON Schema (`required`, `format`, `minLength`…), or `unknown`, `tooLarge`,
                `tooDeep`, `characters`, `accept`, `maxSize`
    parameters  what a sentence needs: `limit`, `format`, `pattern`, `options`, `expected`, `accept`; `said` holds the
                author's own words, by language where they are
    """

    keyword: str = ""
    parameters: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepView:
    """The step that the end user is at, or its end page.

    config       what the kind shows: `title`, `text`, `accept`, `maxSize`…; expressions filled in, texts by language
    schema       form: the JSON Schema as its author wrote it, texts by language, with `visibleWhen`
    values       drafts over the earlier submission, over what is filled in beforehand
    hidden       form: JSON pointers into `schema` of the fields that these values hide: `/properties/owners`
    asked        form: JSON pointers into `schema` of the fields about which somebody outside is asked
    files        upload: the files so far, `{resourceId, resourceName, resourcePath, type, size, sha256}`
    wish         what somebody who reviews wrote when they asked for this step again; empty where nobody did
    """

    id: str
    visit: int
    kind: str
    config: JsonObject
    schema: JsonObject | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    files: tuple[JsonObject, ...] = ()
    wish: str = ""
    can_go_back: bool = False


@dataclass(frozen=True, slots=True)
class Agreed:
    """A consent that was given: there is a copy of its text."""

    step: str
    visit: int
    title: Text


Seen = tuple[LoadedExecution, Definition]
"""An execution as it stood at a moment, and the revision that it is on."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the end user sees now.

    locale      what the execution was started with; None where nobody said
    language    the language that the end user last answered in; None before the first answer
    languages   the languages that the definition's texts are in; none where no text says one
    seq         another one, where the screen may have changed
    step        None while background steps run, and when it is over
    end         the end page, once it was reached: the last `message`
    background  what goes on while there is no step: titles, or ids of steps without one
    progress    user-facing step n of m, as far as that is known; (m, m) when the end user is done
    redirect    where the end page leads
    agreed      what the end user has agreed to so far
    seen        the execution as it stood; None for a screen that something has just led to
    """

    workspace_id: UUID
    execution_id: UUID
    locale: str | None
    language: str | None
    languages: tuple[str, ...]
    title: Text | None
    status: Status
    seq: int
    step: StepView | None = None
    end: StepView | None = None
    background: tuple[Text, ...] = ()
    progress: tuple[int, int] = (0, 0)
    redirect: str | None = None
    agreed: tuple[Agreed, ...] = ()
    proof: str | None = None
    """What the browser had when the execution was bound to it; None where a screen is not looked at by one."""
    seen: Seen | None = field(default=None, repr=False, compare=False)

    @property
    def done(self) -> bool:
        """Whether the end user has nothing left to do."""
        return self.status is not Status.RUNNING


@dataclass(frozen=True, slots=True)
class Preview:
    """What a form says to values that were not submitted: `hidden` as in `StepView`, and what is wrong."""

    hidden: tuple[str, ...] = ()
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredStep:
    """What is kept of one step besides the execution: drafts oldest first, the last submission, files."""

    drafts: tuple[JsonObject, ...] = ()
    earlier: Any = None
    files: tuple[JsonObject, ...] = ()
