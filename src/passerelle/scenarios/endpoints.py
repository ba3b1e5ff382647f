"""Scenarios played against a definition of the workspace, or against a text that is to be one."""

from __future__ import annotations

from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import Field

from passerelle.definitions.revisions.service import Revisions
from passerelle.definitions.source import read_source
from passerelle.engine.registry import load_kinds
from passerelle.kit.errors import Code
from passerelle.kit.http.answers import Answer, Moment
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.auditing import unaudited
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.bounds import Number32
from passerelle.kit.http.permissions import Requires
from passerelle.kit.json import Json, JsonObject
from passerelle.kit.workshop import WorkKilledError, Workshop
from passerelle.scenarios.coverage import coverage_of
from passerelle.scenarios.keeping import KeptScenarios, ScenarioKeeping
from passerelle.scenarios.models import Unset
from passerelle.scenarios.reading import GENRE
from passerelle.scenarios.running import FileOutcome, ScenarioOutcome, run_files

LONGEST: Final = 200_000
LONGEST_TEXT: Final = 900_000
SCENARIOS_TOO_HEAVY: Final = Code(
    "SCENARIOS_TOO_HEAVY", 400, "Playing the scenarios takes too long: play fewer of them at once."
)
_ELSEWHERE: Final = "`definition` names a file, and there are none here: leave it out"


class TrialBody(Body):
    """Scenarios to play."""

    scenarios: str = Field(max_length=LONGEST, description="What stands in a file of scenarios, as YAML or JSON.")
    revision: Number32 | None = Field(default=None, description="The revision; the one that is shown if absent.")


class TrialOfTextBody(Body):
    """Scenarios to play against a text."""

    text: str = Field(max_length=LONGEST_TEXT, description="The definition, as YAML or JSON. It is not kept.")
    scenarios: str = Field(max_length=LONGEST, description="What stands in a file of scenarios, as YAML or JSON.")


class ScenariosBody(Body):
    """Scenarios to keep with a definition."""

    scenarios: str = Field(max_length=LONGEST, description="What stands in a file of scenarios. It is kept as typed.")
    version: int = Field(ge=0, lt=2**31 - 1, description="The version that they rest on; 0 where none were kept.")


class ScenariosAnswer(Answer):
    """The scenarios that are kept with a definition."""

    scenarios: str
    """What stands in its file of scenarios, as it was typed; empty where none were kept."""
    version: int
    """How often they were kept."""
    updated_by: str | None
    """Who kept them last; null where nobody did."""
    updated_at: Moment | None
    """When that was."""


class MismatchAnswer(Answer):
    """Something that came out otherwise."""

    where: str
    """What it is about: `status`, `path`, a place in the result."""
    expected: Any = Field(description="What the scenario expects; null where it expects nothing there.")
    actual: Any = Field(description="What came out; null where nothing did.")


class ScenarioAnswer(Answer):
    """What came of one scenario."""

    name: str
    """The scenario's name."""
    line: int
    """The line that it begins on."""
    passed: bool
    """Whether all came as expected."""
    path: list[str]
    """The steps that ran, in their order."""
    problems: list[str]
    """What kept it from being played."""
    differences: list[MismatchAnswer]
    """What came out otherwise."""


class TrialAnswer(Answer):
    """What came of scenarios."""

    problems: list[str] = Field(description="What is wrong with the text of the scenarios; nothing was played then.")
    scenarios: list[ScenarioAnswer]
    """One for each scenario."""
    missed_steps: list[str] = Field(description="Steps that no scenario came by.")
    missed_branches: list[str] = Field(description="Ways on from a `switch` that no scenario took.")


def router(revisions: Revisions, kept: ScenarioKeeping, workshop: Workshop) -> APIRouter:
    """`/definitions/{definitionId}/scenarios`, `/definitions/{definitionId}/test`, `/definitions/test`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)
    _kept(routes, kept)

    @routes.post("/definitions/{definition_id}/test")
    @unaudited("it plays, and changes nothing")
    async def test_definition(
        caller: Annotated[Principal, Requires("can_manage_definitions", of="definition")],
        definition_id: Annotated[UUID, Path(description="The definition's id")],
        body: JsonBody[TrialBody],
    ) -> TrialAnswer:
        """Play scenarios against a revision, as `passerelle test` does: nothing is called, sent or kept."""
        if body.revision is None:
            stored = await revisions.shown(caller.workspace_id, definition_id)
        else:
            stored = await revisions.numbered(caller.workspace_id, definition_id, body.revision)
        return await _answer(workshop, caller, stored.text, body.scenarios)

    @routes.post("/definitions/test")
    @unaudited("it plays, and changes nothing")
    async def test_definition_text(
        caller: Annotated[Principal, Requires("can_manage_definitions", of="definition")],
        body: JsonBody[TrialOfTextBody],
    ) -> TrialAnswer:
        """Play scenarios against a definition that is not pushed yet: nothing is called, sent or kept."""
        return await _answer(workshop, caller, body.text, body.scenarios)

    return routes


def _kept(routes: APIRouter, kept: ScenarioKeeping) -> None:
    @routes.get("/definitions/{definition_id}/scenarios")
    async def read_scenarios(
        caller: Annotated[Principal, Requires("can_view_workspace", of="definition")],
        definition_id: Annotated[UUID, Path(description="The definition's id")],
    ) -> ScenariosAnswer:
        """The scenarios that are kept with a definition."""
        return _scenarios(await kept.find(caller.workspace_id, definition_id))

    @routes.put("/definitions/{definition_id}/scenarios")
    async def keep_scenarios(
        caller: Annotated[Principal, Requires("can_manage_definitions", of="definition")],
        definition_id: Annotated[UUID, Path(description="The definition's id")],
        body: JsonBody[ScenariosBody],
    ) -> ScenariosAnswer:
        """Keep scenarios with a definition, in the place of those that were."""
        return _scenarios(
            await kept.keep(caller.workspace_id, definition_id, body.scenarios, body.version, caller.name)
        )


def _scenarios(found: KeptScenarios) -> ScenariosAnswer:
    return ScenariosAnswer(
        scenarios=found.text, version=found.version, updated_by=found.updated_by, updated_at=found.updated_at
    )


async def _answer(workshop: Workshop, caller: Principal, text: str, scenarios: str) -> TrialAnswer:
    try:
        facts = await workshop.run(caller.workspace_id, played, text, scenarios)
    except WorkKilledError as error:
        raise SCENARIOS_TOO_HEAVY.error(f"playing these scenarios {error}: play fewer at once") from None
    return TrialAnswer.model_validate(facts)


def played(definition: str, scenarios: str) -> JsonObject:
    """What came of scenarios, as `TrialAnswer` has it. Runs in a process of its own."""
    given = read_source(scenarios, GENRE)
    if isinstance(given.value, dict) and "definition" in given.value:
        return _nothing([_ELSEWHERE])
    with TemporaryDirectory() as name:
        folder = FilePath(name)
        (folder / "definition.yaml").write_text(definition, encoding="utf-8")
        file = folder / "definition.test.yaml"
        file.write_text(scenarios, encoding="utf-8")
        (outcome,) = run_files([file], load_kinds())
    return _facts(outcome, f"{folder}/")


def _facts(outcome: FileOutcome, folder: str) -> JsonObject:
    if outcome.file is None:
        return _nothing([problem.replace(folder, "") for problem in outcome.problems])
    coverage = coverage_of(outcome.file.definition, [one.played for one in outcome.outcomes])
    return {
        "problems": [],
        "scenarios": [_scenario(one) for one in outcome.outcomes],
        "missed_steps": list(coverage.missed_steps),
        "missed_branches": [str(branch) for branch in coverage.missed_branches],
    }


def _nothing(problems: list[str]) -> JsonObject:
    return {"problems": problems, "scenarios": [], "missed_steps": [], "missed_branches": []}


def _scenario(outcome: ScenarioOutcome) -> JsonObject:
    return {
        "name": outcome.scenario.name,
        "line": outcome.scenario.line,
        "passed": outcome.passed,
        "path": [run.step for run in outcome.played.runs if run.status != "SKIPPED"],
        "problems": list(outcome.played.problems),
        "differences": [
            {"where": one.where, "expected": _said(one.expected), "actual": _said(one.actual)}
            for one in outcome.differences
        ],
    }


def _said(value: Json | Unset) -> Json:
    return None if isinstance(value, Unset) else value
