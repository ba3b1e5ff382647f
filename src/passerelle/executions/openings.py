"""How the end user of a started execution gets in. Links and tokens are another feature's, which stands above."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from passerelle.executions.repository import ExecutionView


@dataclass(frozen=True, slots=True)
class Opening:
    """A link for the end user, and a token for the widget."""

    link: str = field(repr=False)
    token: str = field(repr=False)


class Openings(Protocol):
    """Makes openings (`passerelle.links`)."""

    async def of(self, view: ExecutionView) -> Opening:
        """The link and the token of an interactive execution that was just started."""
