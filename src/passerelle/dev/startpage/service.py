"""Trying definitions of the demo workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from passerelle.definitions.model import Definition, Parameter
from passerelle.definitions.revisions.service import Revisions
from passerelle.dev.startpage.models import Asked, Demo, Tryable
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.kit.json import Json, KnownJson, dumps, loads
from passerelle.links.models import LinkRequest
from passerelle.links.service import Links
from passerelle.workflows.service import Executions, StartRequest, Timeline

_MOST: Final = 100
"""Definitions on the page."""


class StartPage:
    """What can be tried in the demo workspace, and trying it."""

    def __init__(self, demo: Demo, revisions: Revisions, executions: Executions, links: Links) -> None:
        self.demo = demo
        self._revisions = revisions
        self._executions = executions
        self._links = links

    async def tryables(self) -> list[Tryable]:
        """Every definition of the workspace, those for end users first."""
        stored = await self._revisions.listed(self.demo.workspace_id, None, _MOST)
        workspace_id = self.demo.workspace_id
        found = [
            self._tryable(one.definition_id, await self._revisions.compile_stored(workspace_id, one)) for one in stored
        ]
        return sorted(found, key=lambda one: (not one.interactive, one.name))

    async def start(self, definition_id: UUID, typed: Mapping[str, str]) -> str:
        """Start a definition with what was typed; the path to go to.

        Raises what starting raises, parameters that are missing or not right among it.
        """
        parameters = await self._parameters(definition_id, typed)
        if (await self._definition(definition_id)).execution_type == "INTERACTIVE":
            made = await self._links.create(self.demo.workspace_id, LinkRequest(new_id(), definition_id, parameters))
            # A path, so that whoever came by another name of this machine stays on it.
            return urlsplit(made.url).path
        state = await self._executions.run(
            self.demo.workspace_id, StartRequest(new_id(), definition_id, parameters, origin="API")
        )
        return f"/dev/runs/{state.identity.id}"

    async def failed(self, definition_id: UUID, typed: Mapping[str, str], error: PasserelleError) -> list[Tryable]:
        """The page's definitions, one of them with what was typed and why it did not start."""
        return [
            replace(
                one,
                asked=tuple(replace(asked, value=typed.get(asked.parameter.name, "")) for asked in one.asked),
                problems=tuple(problem.message for problem in error.problems),
            )
            if one.id == definition_id
            else one
            for one in await self.tryables()
        ]

    async def outcome(self, execution_id: UUID) -> Timeline:
        """What has happened in an execution. Raises WORKFLOW_NOT_FOUND."""
        return await self._executions.timeline(self.demo.workspace_id, execution_id)

    def _tryable(self, definition_id: UUID, definition: Definition) -> Tryable:
        examples = self.demo.examples.get(definition.name, {})
        return Tryable(
            id=definition_id,
            name=definition.name,
            title=_english(definition),
            interactive=definition.execution_type == "INTERACTIVE",
            steps=tuple(dict.fromkeys(step.kind.name for step in definition.steps)),
            asked=tuple(
                Asked(parameter, _shown(examples.get(parameter.name)))
                for parameter in definition.parameters.values()
                if parameter.required
            ),
        )

    async def _definition(self, definition_id: UUID) -> Definition:
        return (await self._revisions.published(self.demo.workspace_id, definition_id)).definition

    async def _parameters(self, definition_id: UUID, typed: Mapping[str, str]) -> dict[str, Any]:
        declared = (await self._definition(definition_id)).parameters
        return {name: _read(declared.get(name), text) for name, text in typed.items() if text != ""}


def _english(definition: Definition) -> str:
    title = definition.title
    if title is None or isinstance(title, str):
        return title or definition.name
    return title.get("en") or next(iter(title.values()))


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else dumps(value)


def _read(parameter: Parameter | None, text: str) -> KnownJson:
    """Text for a text; JSON for everything else, and what is no JSON as it is: the check says what is wrong."""
    if parameter is None or parameter.type == "string":
        return text
    try:
        return loads(text)
    except ValueError:
        return text
