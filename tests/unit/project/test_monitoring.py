"""Dashboard and alarms ask for what there is, and each alarm leads to a section that says what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import passerelle.app.reference
from passerelle.app.metrics import AGE
from passerelle.kit.metrics import DECLARED
from passerelle.operations.figures import FIGURES

assert passerelle.app.reference  # declares everything

TOP = Path(__file__).parents[3]
FOLDER = TOP / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "passerelle.rules.yml").read_text())["groups"][0]["rules"]
PANELS: list[dict[str, Any]] = json.loads((FOLDER / "grafana.json").read_text())["panels"]
QUESTIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in PANELS for target in panel.get("targets", ())
]
LABELS = {
    **{
        name: set(one.labels) | {"le"}
        for one in DECLARED
        for name in (
            (one.name,) if one.kind != "histogram" else (f"{one.name}_bucket", f"{one.name}_count", f"{one.name}_sum")
        )
    },
    **{f"passerelle_{name}": set(labels) for name, (_, labels) in FIGURES.items()},
    f"passerelle_{AGE[0]}": set(),
}
OF_SCRAPING = {"instance", "job"}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_asked_for_exists(question: str) -> None:
    asked = set(re.findall(r"\bpasserelle_\w+", question))
    assert asked <= LABELS.keys()
    assert asked or "process_" in question or "up{" in question


@pytest.mark.parametrize("question", QUESTIONS)
def test_labels_that_are_chosen_by_exist(question: str) -> None:
    for name, chosen in re.findall(r"\b(passerelle_\w+)\{([^}]*)\}", question):
        labels = set(re.findall(r"(\w+)\s*(?:=|!)", chosen))
        assert labels <= LABELS[name] | OF_SCRAPING, name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alarm_leads_to_a_section(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = (TOP / page).read_text()
    headings = {
        re.sub(r"[^\w -]", "", line[3:]).lower().replace(" ", "-"): line
        for line in text.splitlines()
        if line.startswith("## ")
    }
    assert anchor in headings
    section = text.split(headings[anchor] + "\n", 1)[1].split("\n## ", 1)[0]
    assert f"`{rule['alert']}`" in section, "the section names the alarm"
    assert rule["labels"]["severity"] in ("page", "ticket")


def test_panels_have_ids_of_their_own_and_a_place() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
