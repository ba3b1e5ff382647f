"""Every step kind is found, and a plug-in that cannot be used says so at once."""

from __future__ import annotations

import sys
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from jsonschema_rs import validator_for

from passerelle.definitions.kinds import Path as Place
from passerelle.definitions.kinds import StepContext, StepKind
from passerelle.definitions.schema import definition_schema
from passerelle.engine import plugins, steps
from passerelle.engine.kinds import BranchingKind, ChildKind, Done, OutsideKind, PureKind, RecordingKind, WaitingKind
from passerelle.engine.plugins import PluginError
from passerelle.engine.registry import STEP_KINDS, load_kinds
from passerelle.engine.user_kinds import UserKind
from passerelle.kit.json import Json, JsonObject, KnownJson


class Shout(PureKind):
    name = "shout"
    schema: ClassVar[JsonObject] = {"type": "string", "description": "What to shout."}

    def compile(self, value: KnownJson, path: Place, compiling: StepContext) -> Any:
        return value

    def run(self, config: Any, scope: Any) -> Done:
        return Done(config.upper())


class Reserved(Shout):
    name = "when"


class Invalid(Shout):
    name = "invalid"
    schema: ClassVar[JsonObject] = {"type": "sting"}


class Nameless(StepKind):
    def compile(self, value: KnownJson, path: Place, compiling: StepContext) -> Any:
        return value


class Asking(UserKind):
    name = "asking"
    schema: ClassVar[JsonObject] = {"type": "object", "description": "What to ask."}

    def compile(self, value: KnownJson, path: Place, compiling: StepContext) -> Any:
        return value

    def show(self, config: Any, scope: Any) -> JsonObject:
        return {"title": "?"}

    def submit(self, config: Any, scope: Any, answer: Json, evidence: JsonObject | None, now: datetime) -> Done:
        return Done(answer)


class Showing(Shout):
    name = "showing"
    user_facing = True


class Falls(Shout):
    name = "falls"

    def __init__(self) -> None:
        raise RuntimeError("no licence")


KINDS = (Shout, Reserved, Invalid, Nameless, Falls, Asking, Showing)


def plugged(monkeypatch: pytest.MonkeyPatch, name: str, attribute: str) -> None:
    """As if an installed package had this entry point."""
    module = ModuleType("shouting")
    vars(module).update({kind.__name__: kind for kind in KINDS}, Json=Json)
    monkeypatch.setitem(sys.modules, "shouting", module)
    points = [EntryPoint(name, f"shouting:{attribute}", STEP_KINDS.group)]
    monkeypatch.setattr(plugins, "entry_points", lambda group: points if group == STEP_KINDS.group else [])


def test_every_file_of_the_folder_gives_its_kind() -> None:
    files = {path.stem for path in Path(steps.__file__).parent.glob("*.py")} - {"__init__"}
    assert {one.replace("_", "-") for one in files} == set(load_kinds())


def test_every_kind_has_a_shape_that_the_engine_knows() -> None:
    known = BranchingKind | ChildKind | PureKind | OutsideKind | RecordingKind | WaitingKind
    assert all(isinstance(kind, known) for kind in load_kinds().values())


def test_every_kind_explains_itself_to_editors() -> None:
    def undescribed(schema: Any, path: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        here = [] if "description" in schema or "$ref" in schema else [path]
        inner = [
            found for key, part in schema.get("properties", {}).items() for found in undescribed(part, f"{path}.{key}")
        ]
        return here + inner

    kinds = load_kinds()
    assert [found for name, kind in kinds.items() for found in undescribed(kind.schema, name)] == []


def test_the_examples_of_the_schema_fit_it() -> None:
    """Editors offer them, so they must be right."""
    schema = definition_schema(load_kinds())

    def examples(part: Any) -> list[tuple[Any, Any]]:
        if isinstance(part, list):
            return [found for item in part for found in examples(item)]
        if not isinstance(part, dict):
            return []
        own = [(part, example) for example in part.get("examples", ())]
        return own + [found for key, item in part.items() if key != "examples" for found in examples(item)]

    found = examples({key: schema[key] for key in ("properties", "$defs")})
    assert len(found) > 40
    for part, example in found:
        validator_for({**part, "$defs": schema["$defs"]}).validate(example)


def test_a_kind_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    plugged(monkeypatch, "shout", "Shout")
    assert isinstance(load_kinds()["shout"], PureKind)


@pytest.mark.parametrize(
    ("name", "attribute", "sentence"),
    [
        (
            "set",
            "Shout",
            "an unknown package (passerelle.step_kinds: set = shouting:Shout) is not a usable step kind: its name is"
            " shout, not set",
        ),
        (
            "when",
            "Reserved",
            "an unknown package (passerelle.step_kinds: when = shouting:Reserved) is not a usable step kind: its name"
            " must be a word in camelCase that no step has already (id, when, retry…)",
        ),
        (
            "invalid",
            "Invalid",
            "an unknown package (passerelle.step_kinds: invalid = shouting:Invalid) is not a usable step kind: its"
            " schema is no JSON Schema 2020-12: type: must be `array`, `boolean`, `integer`, `null`, `number`, `object`"
            " or `string`, is `sting`; did you mean `string`?",
        ),
        (
            "nameless",
            "Nameless",
            "an unknown package (passerelle.step_kinds: nameless = shouting:Nameless) is not a usable step kind: it has"
            " no name, schema",
        ),
        (
            "asking",
            "Asking",
            "an unknown package (passerelle.step_kinds: asking = shouting:Asking) is not a usable step kind: it is"
            " user-facing and has no presenter; name one in the group passerelle.presenters: asking = …",
        ),
        (
            "showing",
            "Showing",
            "an unknown package (passerelle.step_kinds: showing = shouting:Showing) is not a usable step kind: it is"
            " user-facing, so it must be a passerelle.engine.user_kinds.UserKind",
        ),
        (
            "falls",
            "Falls",
            "an unknown package (passerelle.step_kinds: falls = shouting:Falls) does not load: no licence; mend or"
            " uninstall it",
        ),
        (
            "gone",
            "Gone",
            "an unknown package (passerelle.step_kinds: gone = shouting:Gone) does not load: module 'shouting' has no"
            " attribute 'Gone'; mend or uninstall it",
        ),
        (
            "json",
            "Json",
            "an unknown package (passerelle.step_kinds: json = shouting:Json) is not a PureKind, OutsideKind or"
            " WaitingKind with its methods",
        ),
    ],
)
def test_a_plug_in_that_cannot_be_used_says_why(
    monkeypatch: pytest.MonkeyPatch, name: str, attribute: str, sentence: str
) -> None:
    plugged(monkeypatch, name, attribute)
    with pytest.raises(PluginError) as raised:
        load_kinds()
    assert str(raised.value) == sentence


def test_a_name_that_is_taken_names_both_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shout, "name", "set")
    plugged(monkeypatch, "set", "Shout")
    with pytest.raises(PluginError) as raised:
        load_kinds()
    assert str(raised.value) == (
        "the step kind set comes from Passerelle itself and from an unknown package"
        " (passerelle.step_kinds: set = shouting:Shout): uninstall one of them, or rename what it adds"
    )
