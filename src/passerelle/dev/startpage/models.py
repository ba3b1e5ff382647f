"""What the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from passerelle.definitions.model import Parameter
from passerelle.kit.json import Json


@dataclass(frozen=True, slots=True)
class Asked:
    """A parameter that has to be given."""

    parameter: Parameter
    value: str
    """What stands in its field: what was typed, else an example."""


@dataclass(frozen=True, slots=True)
class Tryable:
    """A definition with what starting it needs."""

    id: UUID
    name: str
    title: str
    interactive: bool
    steps: tuple[str, ...]
    """The kinds of its steps, in the order in which they first come."""
    asked: tuple[Asked, ...]
    problems: tuple[str, ...] = ()
    """Why the last try did not start."""


@dataclass(frozen=True, slots=True)
class Demo:
    """The workspace that is shown, and where its owner finds what."""

    workspace_id: UUID
    base_url: str
    credentials: str
    """The file with the credentials, for people."""
    catches_mail: bool
    examples: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """Parameters to try definitions with, by the definition's name."""
