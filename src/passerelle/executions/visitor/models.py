"""What the end user sees, as the pages get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from passerelle.definitions.model import Definition, Text
from passerelle.engine.model import Status
from passerelle.engine.store import Loaded
from passerelle.errors import Problem
from passerelle.kit.json import Json, JsonObject

UserStep = Literal["form", "upload", "consent", "message"]


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
    files        upload: the files so far, `{resourceId, resourceName, resourcePath, type, size, sha256}`
    """

    id: str
    visit: int
    kind: UserStep
    config: JsonObject
    schema: JsonObject | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    files: tuple[JsonObject, ...] = ()
    can_go_back: bool = False


Seen = tuple[Loaded, Definition]
"""An execution as it stood at a moment, and the revision that it is on."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the end user sees now.

    locale      what the execution was started with; None where nobody said
    languages   the languages that the definition's texts are in
    seq         another one, where the screen may have changed
    step        None while background steps run, and when it is over
    end         the end page, once it was reached: the last `message`
    background  what goes on while there is no step: titles, or ids of steps without one
    progress    user-facing step n of m, as far as that is known; (m, m) when the end user is done
    redirect    where the end page leads
    seen        the execution as it stood; None for a screen that something has just led to
    """

    workspace_id: UUID
    execution_id: UUID
    locale: str | None
    languages: tuple[str, ...]
    title: Text | None
    status: Status
    seq: int
    step: StepView | None = None
    end: StepView | None = None
    background: tuple[Text, ...] = ()
    progress: tuple[int, int] = (0, 0)
    redirect: str | None = None
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
class Kept:
    """What is kept of one step besides the execution: drafts oldest first, the last submission, files."""

    drafts: tuple[JsonObject, ...] = ()
    earlier: Any = None
    files: tuple[JsonObject, ...] = ()
