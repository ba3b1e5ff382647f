"""Scenarios that are kept with their definition: as they were typed, and nobody's are lost to another."""

from __future__ import annotations

import httpx

from passerelle.kit.ids import new_id
from tests.acceptance.running import codes, pushed

TEXT = "# by hand\nscenarios:\n  - {name: all, expect: {status: COMPLETED}}\n"


def test_scenarios_are_kept_as_typed_and_the_second_of_two_is_told(api: httpx.Client) -> None:
    definition = pushed(api, "name: kept-scenarios\nsteps:\n  - {id: one, set: {x: 1}}\n")
    path = f"/definitions/{definition}/scenarios"
    assert api.get(path).json() == {"scenarios": "", "version": 0, "updatedBy": None, "updatedAt": None}

    first = api.put(path, json={"scenarios": TEXT, "version": 0}).raise_for_status().json()
    assert (first["scenarios"], first["version"]) == (TEXT, 1)
    assert api.get(path).json() == first

    late = api.put(path, json={"scenarios": "scenarios: []", "version": 0})
    assert (late.status_code, codes(late)) == (409, ["SCENARIOS_CHANGED"])
    assert api.get(path).json() == first
    assert api.put(path, json={"scenarios": "", "version": 1}).json()["version"] == 2

    unknown = api.put(f"/definitions/{new_id()}/scenarios", json={"scenarios": TEXT, "version": 0})
    assert codes(unknown) == ["WORKFLOW_DEFINITION_NOT_FOUND"]
    made_up = api.put(path, json={"scenarios": TEXT, "version": 7})
    assert codes(made_up) == ["SCENARIOS_CHANGED"]
