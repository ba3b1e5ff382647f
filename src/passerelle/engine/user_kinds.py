"""Steps that the end user takes part in: what they show, and what follows from an answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.expressions.values import text_of
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.kinds import TextTemplate
from passerelle.engine.kinds import Done, Wait, WaitingKind
from passerelle.kit.json import Json, JsonObject


class Refused(Exception):  # noqa: N818 - a refusal, not a fault
    """An answer is not taken; nothing changes. Says everything that is wrong with it."""

    def __init__(self, findings: Sequence[FieldFinding]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, finding.path))}: {finding.message}" for finding in findings))
        self.findings = tuple(findings)


class UserKind(WaitingKind):
    """Rests until the end user has answered, as long as their part of the execution lasts."""

    user_facing: ClassVar[bool] = True

    @abstractmethod
    def show(self, config: Any, scope: Scope) -> JsonObject:
        """What the page says, expressions filled in; texts are still by language. Raises `ExpressionError`."""

    @abstractmethod
    def submit(self, config: Any, scope: Scope, answer: Json, by: str | None, now: datetime) -> Done:
        """What follows from an answer. Raises `Refused`."""

    def fields(self, config: Any) -> frozenset[str]:
        """The names of what can be filled in, and kept before it is submitted."""
        return frozenset()

    def initial(self, config: Any, scope: Scope) -> JsonObject:
        """What is filled in beforehand. Raises `ExpressionError`."""
        return {}

    def wait(self, config: Any, scope: Scope, now: datetime) -> Wait:
        # What cannot be shown fails here, where the timeline tells of it, and not on the end user's screen.
        self.show(config, scope)
        self.initial(config, scope)
        return Wait()


def in_text(before: str, value: Json) -> str:
    """How a value is put into a text for people, also where it is all there is."""
    return text_of(value)


def rendered(text: TextTemplate, scope: Scope) -> Json:
    """A text for people with its values, still by language. Raises `ExpressionError`."""
    if isinstance(text, Template):
        return text.render(scope)
    return {language: part.render(scope) for language, part in text.items()}
