"""What a definition does with an answer: how its body is read, and which headers of it identify somebody."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

AnswerForm = Literal["auto", "json", "text", "none"]
ANSWERS: Final[tuple[AnswerForm, ...]] = ("auto", "json", "text", "none")

_CREDENTIALS: Final = re.compile(
    r"(set-)?cookie2?|(proxy-)?(authorization|authentication-info)"
    r"|(.*-)?(token|secret|session|session-?id|password|credentials?|auth|api-?key|access-?key|signature-key)"
)


def is_credential(name: str) -> bool:
    """Whether a header of an answer, by its name in small letters, is what its receiver identifies itself by later."""
    return _CREDENTIALS.fullmatch(name) is not None


def parts_of(value: str) -> Iterator[str]:
    """A credential, and what others may repeat of it: of a cookie the pair and its value alone."""
    yield value
    for piece in re.split("[;,]", value):
        name, equals, content = piece.strip().partition("=")
        if equals and len(content) >= 6 and name.lower() not in _ATTRIBUTES:
            yield content


_ATTRIBUTES: Final = frozenset({"path", "domain", "expires", "max-age", "samesite", "priority", "version", "comment"})


@dataclass(frozen=True)
class OutputReading:
    """What the expressions of a definition read of one step's output.

    reads   each the names behind the step's own; known once the whole definition is compiled
    """

    reads: Callable[[], Iterator[tuple[str, ...]]]

    @cached_property
    def body(self) -> bool:
        """Whether something reads the body, alone or with the rest."""
        return any(names[:1] in ((), ("body",)) for names in self.reads())

    @cached_property
    def members(self) -> bool:
        """Whether something reads a member of the body, which a text has not."""
        return any(names[0] == "body" for names in self.reads() if len(names) > 1)

    @cached_property
    def credentials(self) -> frozenset[str]:
        """The headers that identify somebody and are read by their names."""
        return frozenset(
            names[1] for names in self.reads() if len(names) == 2 and names[0] == "headers" and is_credential(names[1])
        )
