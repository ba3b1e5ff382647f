"""What a presenter is: one file in this folder, or in another package (entry point `passerelle.presenters`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.session.evidence import Reading
from passerelle.end_user.session.models import FieldProblem, StepView
from passerelle.kit.json import Json
from passerelle.languages.language import Language

TEMPLATES: Final = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class PageProblem:
    """One line of the summary: what is wrong, and the element that it is about."""

    message: str
    label: str = ""
    target: str = ""
    pointer: str = ""
    """Of the field, where it is about one: the line goes once that is mended."""


@dataclass(frozen=True)
class Submission:
    """What somebody just did at a step, and what came of it.

    values    what they sent, where it is to be shown in place of what is kept
    problems  sentences by JSON pointer
    general   sentences that belong to no field
    notice    something to know that is no mistake
    anchor    the element that the script goes to, with `#`
    """

    values: Mapping[str, Json] | None = None
    hidden: Sequence[str] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    general: Sequence[str] = ()
    notice: str = ""
    anchor: str = ""


FRESHLY: Final = Submission()


class Presenter(ABC):
    """Draws the page of one user-facing kind and reads what was sent from it. Pure."""

    name: ClassVar[str]
    """The kind's name."""
    template: ClassVar[str]
    """The page: a template of Jinja that extends `screen.html`."""
    templates: ClassVar[Path] = TEMPLATES
    """The folder that it is in."""

    @abstractmethod
    def content(self, step: StepView, t: Language, attempt: Submission) -> dict[str, Any]:
        """What the template gets, besides what every step's has: `title`, `action`, `csrf`, `problems`, `notice`,
        `can_go_back`, `t`. `step.config` is what the kind's `show` gave; `t.of` finds a text in the language."""

    def read(self, step: StepView, posted: Posted, t: Language) -> dict[str, Json]:
        """What was typed, by field: kept as a draft, and on Continue given to the kind's `submit`.

        `posted` has the form's values by name; a name is the JSON pointer of its field, `/rating`.
        """
        return {}

    def reading(self, step: StepView, t: Language, proof: str | None) -> Reading | None:
        """What is kept of the page as it was read; None where nothing is. `proof`: what the browser had."""
        return None

    def sentence(self, step: StepView, problem: FieldProblem, t: Language) -> str:
        """What is said of a value that the kind's `submit` refused. The kind's own words, unless overridden."""
        named = (problem.pointer or "").replace("/", ".").removeprefix(".")
        return problem.message.removeprefix(f"`{named}` ")

    def target(self, pointer: str) -> str:
        """The id of the element that a problem at `pointer` is about; by default the field's name."""
        return pointer.rpartition("/")[2]

    def values(self, step: StepView, attempt: Submission) -> Mapping[str, Json]:
        """What the page holds: what was just sent, else what is kept."""
        return step.values if attempt.values is None else attempt.values
