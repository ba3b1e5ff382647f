"""Personal data does not show in timelines, however it is written."""

from __future__ import annotations

from datetime import UTC, datetime

from passerelle.definitions.model import Definition, Parameter
from passerelle.kit.json import Json, JsonObject
from passerelle.workflows.masking import RunMasking, personal_parameters
from passerelle.workflows.models import StepRunView

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def run(kind: str, given: Json, output: Json) -> StepRunView:
    return StepRunView("step", 1, 1, kind, "COMPLETED", given, output, None, NOW, NOW)


def test_only_parameters_with_a_pii_class_are_masked_at_any_depth() -> None:
    definition = Definition(
        "test", (), parameters={"who": Parameter("who", "object", pii="contact"), "city": Parameter("city", "string")}
    )
    mask = RunMasking(
        personal_parameters(definition, {"who": {"name": "Anna", "phones": ["600700800"]}, "city": "Gdynia"})
    )
    shown = mask.value({"text": "Anna lives in Gdynia", "call": [{"to": "600700800"}], "n": 5, "yes": True})
    assert shown == {"text": "••• lives in Gdynia", "call": [{"to": "•••"}], "n": 5, "yes": True}


def test_a_value_is_recognised_with_other_spaces_dashes_and_capitals() -> None:
    mask = RunMasking(["PL61 1090 1014 0000 0712 1981 2874"])
    assert mask.value("pl61109010140000071219812874") == "•••"
    assert mask.value("PL27 1140 2004 0000 3002 0135 5387") == "PL27 1140 2004 0000 3002 0135 5387"


def test_what_a_check_found_out_about_a_personal_value_is_masked_too() -> None:
    mask = RunMasking(["44051401359"])
    given: JsonObject = {"name": "personal-number", "with": {"value": "44051401359"}}
    output: JsonObject = {"passed": True, "data": {"birthDate": "1944-05-14", "sex": "male"}}
    assert mask.output(run("check", given, output)) == {"passed": True, "data": "•••"}
    assert mask.output(run("check", {"with": {"value": "5252248481"}}, output)) == output


def test_short_values_and_truths_are_left_alone() -> None:
    mask = RunMasking(["PL", True, None])
    assert mask.value({"country": "PL", "yes": True}) == {"country": "PL", "yes": True}
