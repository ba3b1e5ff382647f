"""Steps that the end user takes part in: what they show, and what follows from an answer."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.expressions.values import text_of
from passerelle.definitions.form_answers import FieldFinding
from passerelle.definitions.kinds import C, TextTemplate
from passerelle.engine.kinds import Done, Wait, WaitingKind
from passerelle.kit.json import Json, JsonObject, KnownJson


class AnswerRefused(Exception):  # noqa: N818 - a refusal, not a fault
    """An answer is not taken; nothing changes. Says everything that is wrong with it."""

    def __init__(self, findings: Sequence[FieldFinding]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, finding.path))}: {finding.message}" for finding in findings))
        self.findings = tuple(findings)


class UserKind(WaitingKind[C]):
    """Rests until the end user has answered, as long as their part of the execution lasts."""

    user_facing: ClassVar[bool] = True

    @abstractmethod
    def show(self, config: C, scope: Scope) -> JsonObject:
        """What the page says, expressions filled in; texts are still by language. Raises `ExpressionError`."""

    @abstractmethod
    def submit(self, config: C, scope: Scope, answer: KnownJson, evidence: JsonObject | None, now: datetime) -> Done:
        """What follows from an answer. `evidence`: what was read and by whom. Raises `AnswerRefused`."""

    def fields(self, config: C) -> frozenset[str]:
        """The names of what can be filled in, and kept before it is submitted."""
        return frozenset()

    def initial(self, config: C, scope: Scope) -> JsonObject:
        """What is filled in beforehand. Raises `ExpressionError`."""
        return {}

    def waiting(self, config: C, note: KnownJson) -> JsonObject:
        return {"asked": note["asked"]} if note else {}

    def wait(self, config: C, scope: Scope, now: datetime) -> Wait:
        # What cannot be shown fails here, where the timeline tells of it, and not on the end user's screen.
        self.show(config, scope)
        self.initial(config, scope)
        return Wait()


def in_text(before: str, value: Json) -> str:
    """How a value is put into a text for people, also where it is all there is."""
    return text_of(value)


def in_markdown(before: str, value: Json) -> str:
    """How a value is put into a text in Markdown: every character of it stands for itself, and it begins no block."""
    text = _MARKED.sub(r"\\\1", _BREAKS.sub("\n", text_of(value)).strip())
    first, *others = text.split("\n")
    begins = _LINE_START.search(before) is not None
    return "\n".join([_as_text(first) if begins else first, *map(_as_text, others)])


_BREAKS: Final = re.compile(r"\s*\n\s*")
_MARKED: Final = re.compile(r"([\\`*_\[\]<>&~!])")
_LINE_START: Final = re.compile(r"(?:^|\n)[\s>*+.)\d-]*$")
"""Where a line has nothing but what begins a list or a quote."""
_BLOCK: Final = re.compile(r"(#|=|\+|-)|(\d{1,9})([.)])")
"""What begins a heading or a list at the start of a line; quotes and rules are among what is marked anyway."""


def _as_text(line: str) -> str:
    match = _BLOCK.match(line)
    if match is None:
        return line
    rest = line[match.end() :]
    return f"\\{match[1]}{rest}" if match[1] else f"{match[2]}\\{match[3]}{rest}"


def rendered(text: TextTemplate, scope: Scope) -> KnownJson:
    """A text for people with its values, still by language. Raises `ExpressionError`."""
    if isinstance(text, Template):
        return text.render(scope)
    return {language: part.render(scope) for language, part in text.items()}
