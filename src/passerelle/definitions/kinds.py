"""What a step kind tells the compiler. One kind is one file in `engine/steps`, or in another package.

The engine's side of a kind (how it runs) is in `passerelle.engine.kinds`, which extends this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol

from typing_extensions import TypeVar

from passerelle.definitions.expressions import Expression, Template
from passerelle.kit.json import Json, JsonObject, KnownJson

if TYPE_CHECKING:
    from datetime import timedelta

    from passerelle.definitions.model import Retry, Step, Text

C = TypeVar("C", default=Any)
"""The configuration of a step kind; a kind named without one is a kind of any."""

Path = tuple[str | int, ...]
"""Where something stands in a definition: ("steps", 2, "http", "url")."""

TextTemplate = Template | Mapping[str, Template]
"""A text for people with `${…}` in it: one template, or one for each language."""

Insert = Callable[[str, Json], str]
"""How a value is put into a text: gets the text rendered before it and the value, returns what to put there.

Raises `ValueError` with a reason where the value cannot stand there; the template then raises an
`ExpressionError` that names the expression.
"""


class StepContext(Protocol):
    """What the compiler offers to a kind while it compiles one step.

    Nothing here raises on bad input: a problem is noted with its place and a harmless stand-in is returned,
    so that one pass finds everything that is wrong.
    """

    @property
    def step_id(self) -> str:
        """The id of the step that is being compiled."""

    @property
    def bound_table(self) -> str | None:
        """The table of the definition's `record` block."""

    def problem(self, path: Path, message: str) -> None:
        """Note that something at `path` is wrong; `message` says what is wrong and what would be right."""

    def doubt(self, path: Path, message: str) -> None:
        """Note what only a new text is refused for."""

    def warning(self, path: Path, message: str) -> None:
        """Note what may be meant, and may fail in a run."""

    def expression(self, source: KnownJson, path: Path, *, extra: frozenset[str] = frozenset()) -> Expression:
        """Compile a CEL expression; `extra` are names allowed here besides the usual ones."""

    def template(
        self,
        value: KnownJson,
        path: Path,
        *,
        extra: frozenset[str] = frozenset(),
        insert: Insert | None = None,
    ) -> Template:
        """Compile a value with `${…}` in its strings, at any depth.

        With `insert`, it decides how each value is put into its string, and every string that has a
        `${…}` stays one, also where the `${…}` is all there is.
        """

    def text(self, value: KnownJson, path: Path) -> Text:
        """A text for people, possibly by language; missing translations are noted."""

    def text_template(
        self, value: KnownJson, path: Path, *, extra: frozenset[str] = frozenset(), insert: Insert | None = None
    ) -> TextTemplate:
        """The same with `${…}` in it; `insert` as for a template."""

    def duration(self, value: KnownJson, path: Path) -> timedelta:
        """`5s`, `30m`, `2d`…"""

    def size(self, value: KnownJson, path: Path) -> int:
        """`10MB`, `500KB`… in bytes."""

    def json_schema(self, value: KnownJson, path: Path) -> JsonObject:
        """A JSON Schema 2020-12 that is itself valid."""

    def steps(self, value: KnownJson, path: Path, *, extra: frozenset[str] = frozenset()) -> tuple[Step, ...]:
        """Nested steps; `extra` are names that only they may use (`item`)."""

    def goto(self, step: str, path: Path) -> str:
        """A jump to the step with that id in the same sequence, checked once every step is known."""

    def identifier(self, name: str, path: Path) -> str:
        """A name that expressions use after a dot or by itself; one that CEL reserves is noted."""

    def table(self, name: str | None, path: Path) -> str | None:
        """A table by its name; None stands for the definition's own, which must then have one."""

    def field(self, table: str | None, name: str, path: Path) -> str:
        """A field of that table."""

    def reads(self) -> Callable[[], Iterator[tuple[str, ...]]]:
        """What expressions read of this step's output, each the names behind `steps.<id>`; to be asked in a run."""

    def value(self, table: str | None, field: str, value: KnownJson, path: Path) -> None:
        """What is put into a field of that table: where the definition says it outright, it has to be one of its."""

    def workflow(self, name: str, given: JsonObject, path: Path) -> str:
        """Another definition by its name, which the step at `path` runs with the parameters `given`."""


@cache
def _only(kind: type[StepKind]) -> StepKind:
    return kind()


class StepKind(ABC, Generic[C]):
    """One kind of step, as the compiler sees it. `C` is what it makes of a step's configuration."""

    name: ClassVar[str]
    """The key that names the kind in a definition."""
    schema: ClassVar[JsonObject]
    """JSON Schema of the value under that key. Every property has a `description`: editors show it.

    It may refer to the language's own parts, such as durations and texts, by `passerelle.definitions.parts.part`.
    """
    user_facing: ClassVar[bool] = False
    """Whether the end user takes part in it."""
    may_end: ClassVar[bool] = False
    """Whether it only says something, so that as the last user-facing step it is an end page: nobody is waited for."""
    secrets_allowed: ClassVar[bool] = False
    """Whether `${secrets.…}` may stand in its configuration."""
    own_languages: ClassVar[bool] = False
    """Whether its texts may be in fewer languages than those that end users see, as in a message to one's staff."""
    default_retry: ClassVar[Retry | None] = None
    """What happens after a failed attempt where the step says nothing."""

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: the one that it has of this class."""
        return _only, (type(self),)

    @abstractmethod
    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> C:
        """The configuration that the engine runs. `value` already fits `schema`.

        Where something was noted as wrong the configuration never runs, but `bind`, `jumps`, `falls_through` and
        `nested` must still accept it.
        """

    def bind(self, config: C) -> StepKind:
        """The kind that runs a step with this configuration: what the compiler puts into `Step.kind`.

        The same kind, unless its configuration decides whether it touches the outside, as with `check`:
        then one of two kinds. Called right after `compile`, with what that returned; the step's default
        retry, and all else that the compiler asks a kind, come from the bound one.
        """
        return self

    def output_shape(self, config: C) -> JsonObject | None:
        """A JSON Schema of what is known of the step's output; None: nothing."""
        return None

    def jumps(self, config: C) -> Iterator[str]:
        """The ids of the steps that it may jump to."""
        return iter(())

    def falls_through(self, config: C) -> bool:
        """Whether the step after it may follow it."""
        return True

    def nested(self, config: C) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """Its inner sequences of steps, each with a name."""
        return iter(())


KindRegistry = Mapping[str, StepKind]
