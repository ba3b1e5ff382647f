"""The `check` step: what the compiler says of it, its output, and where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

import pytest

from passerelle.definitions.expressions import Scope
from passerelle.definitions.kinds import Path, StepContext
from passerelle.engine.checks import Check, CheckResult, OutsideCheck, Reason, load_checks
from passerelle.engine.kinds import OutsideKind, StepFailure, Tools
from passerelle.engine.steps.check import CheckConfig, CheckKind
from passerelle.kit.json import JsonObject, KnownJson

NOW = "2026-01-05T09:00:00.000Z"


@dataclass(frozen=True)
class Rendered:
    """A template for tests: `${name}` stands for a parameter."""

    value: KnownJson

    def render(self, scope: Scope) -> KnownJson:
        def fill(value: KnownJson) -> KnownJson:
            return scope["parameters"].get(value[2:-1]) if str(value).startswith("${") else value

        return {name: fill(value) for name, value in self.value.items()}


@dataclass
class Noted:
    """Notes the compiler's problems."""

    problems: list[tuple[Path, str]] = field(default_factory=list)

    def problem(self, path: Path, message: str) -> None:
        self.problems.append((path, message))

    def template(self, value: KnownJson, path: Path) -> Rendered:
        return Rendered(value)


class Ledger(OutsideCheck):
    """Asks outside, for tests."""

    name = "ledger"
    source = "the ledger"
    inputs: ClassVar[JsonObject] = {
        "type": "object",
        "properties": {
            "key": {"type": "string", "description": "Key."},
            "age": {"type": "integer", "description": "Age."},
        },
        "required": ["key"],
        "additionalProperties": False,
    }

    async def run(self, inputs: JsonObject, tools: Tools) -> CheckResult:
        return CheckResult("invalid", (Reason("CLOSED", "closed"),), {"seen": dict(inputs)})


class KindWithLedger(CheckKind):
    checks: Mapping[str, Check] = {**load_checks(), "ledger": Ledger()}


KIND = KindWithLedger()


def compile_(name: str, **with_: Any) -> tuple[CheckConfig, list[tuple[Path, str]]]:
    noted = Noted()
    config = KIND.compile({"name": name, "with": with_}, ("steps", 0, "check"), cast("StepContext", noted))
    return cast("CheckConfig", config), noted.problems


def scope(**parameters: KnownJson) -> Scope:
    return {"parameters": parameters, "execution": {"now": NOW}}


def test_the_output_is_what_definitions_read() -> None:
    config, problems = compile_("company-number", type="NIP", value="${nip}")
    done = KIND.run(config, scope(nip="774-000-14-55"))
    assert not problems
    [reason] = done.output["reasons"]
    assert done.output == {
        "passed": False,
        "status": "invalid",
        "reasons": [{"code": "CHECKSUM", "message": reason["message"], "params": {"type": "NIP (PL)"}}],
        "data": {"type": "NIP", "country": "PL", "number": "7740001455"},
        "source": load_checks()["company-number"].source,
        "checkedAt": NOW,
    }
    assert done.input == {"name": "company-number", "with": {"type": "NIP", "value": "774-000-14-55"}}


@pytest.mark.parametrize(
    ("name", "with_", "where", "message"),
    [
        ("company-nmber", {}, "name", "did you mean `company-number`?"),
        ("company-number", {"type": "NIP", "valeu": "1", "value": "1"}, "valeu", "did you mean `value`?"),
        ("company-number", {"type": "NIP"}, "with", "needs the input `value`"),
        ("company-number", {"type": "NPI", "value": "${nip}"}, "type", "did you mean `NIP`?"),
        ("company-number", {"type": "NIP", "value": True}, "value", "not of type"),
        ("company-number", {"type": "${t}", "country": "ZZ", "value": "${v}"}, "country", "countries: AT"),
        ("company-number", {"type": "ORGNR", "value": "${v}"}, "with", "countries: NO, SE"),
        ("personal-number", {"value": "${v}"}, "with", "say the country"),
        ("personal-number", {"value": "${v}", "country": "ES"}, "with", "DNI, NIE"),
        ("iban", {"value": 1}, "value", "not of type"),
        ("ledger", {"key": "${v}", "age": "old"}, "age", "not of type"),
    ],
)
def test_the_compiler_finds_what_is_wrong(name: str, with_: JsonObject, where: str, message: str) -> None:
    problems = compile_(name, **with_)[1]
    assert [path[-1] for path, _ in problems] == [where]
    assert message in problems[0][1]


def test_the_compiler_lists_everything_at_once() -> None:
    problems = compile_("company-number", valeu=1, kind=2)[1]
    assert len(problems) == 4


@pytest.mark.parametrize(
    ("name", "with_"),
    [
        ("company-number", {"type": "VAT", "value": "${v}"}),
        ("company-number", {"type": "${t}", "value": "${v}"}),
        ("company-number", {"type": "ORGNR", "country": "${c}", "value": "${v}"}),
        ("personal-number", {"country": "${c}", "value": "${v}"}),
        ("personal-number", {"type": "PESEL", "value": "${v}"}),
        ("ledger", {"key": "a", "age": "${v}"}),
    ],
)
def test_what_only_a_run_knows_is_no_problem(name: str, with_: JsonObject) -> None:
    assert compile_(name, **with_)[1] == []


def test_inputs_of_a_wrong_type_fail_the_step_listing_all_and_showing_none() -> None:
    config, _ = compile_("company-number", type="${type}", value="${value}")
    with pytest.raises(StepFailure) as caught:
        KIND.run(config, scope(type=["secret"], value=None))
    assert caught.value.code == "CHECK_INPUT_INVALID"
    assert "type:" in caught.value.message
    assert "value:" in caught.value.message
    assert "secret" not in caught.value.message


def test_an_optional_input_that_renders_to_null_counts_as_left_out() -> None:
    config, _ = compile_("company-number", type="NIP", value="7740001454", country="${country}")
    assert KIND.run(config, scope()).output["passed"]


def test_a_check_decides_where_it_runs() -> None:
    pure, _ = compile_("iban", value="${v}")
    outside, _ = compile_("ledger", key="${v}")
    assert KIND.bind(pure) is KIND
    assert isinstance(KIND.bind(outside), OutsideKind)
    assert KIND.bind(None) is KIND


async def test_an_outside_check_answers_with_the_time_of_the_call() -> None:
    config, _ = compile_("ledger", key="${key}")
    kind = cast("OutsideKind", KIND.bind(config))
    tools = Tools(outgoing=cast("Any", None), now=datetime(2026, 1, 5, 9, 0, 1, tzinfo=UTC))
    output = await kind.call(config, scope(key="k"), tools, "1:a:1")
    assert output == {
        "passed": False,
        "status": "invalid",
        "reasons": [{"code": "CLOSED", "message": "closed"}],
        "data": {"seen": {"key": "k"}},
        "source": "the ledger",
        "checkedAt": "2026-01-05T09:00:01.000Z",
    }
    assert kind.describe(config, scope(key="k")) == {"name": "ledger", "with": {"key": "k"}}
