"""The engine's work that would hold up everybody else, as it is done in a process of its own.

What goes there and comes back is pickled: compiled definitions are, without what they can make anew when they need it.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from passerelle.definitions.calls import calls_in
from passerelle.definitions.compiler import CheckedText, Compiled, check_definition, compile_definition
from passerelle.definitions.facts import WorkspaceFacts
from passerelle.definitions.kinds import KindRegistry
from passerelle.definitions.model import Definition
from passerelle.engine.model import State, Transition
from passerelle.engine.registry import load_kinds
from passerelle.engine.signals import Signal
from passerelle.engine.transitions import advance
from passerelle.kit.workshop import Workshop

SHORT: Final = 1_500
"""Characters of a definition that is compiled at once, in some 15 ms."""
_KEPT: Final = 16


class DefinitionCompiler:
    """Compiles definitions: short ones at once, others in the workshop."""

    def __init__(self, kinds: KindRegistry, workshop: Workshop) -> None:
        self._kinds = kinds
        self._workshop = workshop

    async def __call__(self, workspace_id: UUID, text: str, facts: WorkspaceFacts | None, stored: bool) -> Compiled:
        """As `compile_definition`. Raises `WorkKilledError` where it takes too long."""
        if len(text) <= SHORT:
            return compile_definition(text, self._kinds, workspace=facts, stored=stored)
        return await self._workshop.run(workspace_id, compile_there, text, facts, stored)

    async def check(self, workspace_id: UUID, text: str, facts: WorkspaceFacts) -> CheckedText:
        """As `check_definition`: what was compiled stays where it was. Raises as above."""
        if len(text) <= SHORT:
            return check_definition(text, self._kinds, facts)
        return await self._workshop.run(workspace_id, check_there, text, facts)

    async def calls(self, workspace_id: UUID, text: str) -> frozenset[str]:
        """As `calls_in`. Raises as above."""
        return calls_in(text) if len(text) <= SHORT else await self._workshop.run(workspace_id, calls_in, text)


async def advance_elsewhere(
    workshop: Workshop, definition: Definition, state: State, signal: Signal, now: datetime
) -> Transition:
    """As `advance`. Raises `WorkKilledError` as well."""
    share = state.identity.workspace_id
    key = (state.revision_id, hash(definition.packed))
    return await workshop.run(share, advance_there, key, definition.packed, state, signal, now)


# What runs there.


def compile_there(text: str, facts: WorkspaceFacts | None, stored: bool) -> Compiled:
    """Compile a text."""
    return compile_definition(text, _kinds(), workspace=facts, stored=stored)


def check_there(text: str, facts: WorkspaceFacts) -> CheckedText:
    """Check a text."""
    return check_definition(text, _kinds(), facts)


def advance_there(key: tuple[UUID, int], packed: bytes, state: State, signal: Signal, now: datetime) -> Transition:
    """What follows from a signal; `key` tells whether the packed definition is one that this process has seen."""
    definition = _definitions.get(key)
    if definition is None:
        definition = _definitions[key] = Definition.unpacked(packed)
        while len(_definitions) > _KEPT:
            _definitions.popitem(last=False)
    return advance(definition, state, signal, now)


_definitions: OrderedDict[tuple[UUID, int], Definition] = OrderedDict()


@cache
def _kinds() -> KindRegistry:
    return load_kinds()
