"""What people type into fields of a form that have a class is personal, however deep the field stands."""

from __future__ import annotations

from datetime import UTC, datetime

from passerelle.definitions.compiler import compile_definition
from passerelle.engine.registry import load_kinds
from passerelle.kit.json import JsonObject
from passerelle.workflows.masking import RunMasking
from passerelle.workflows.models import StepRunView

NOW = datetime(2026, 1, 5, tzinfo=UTC)
TEXT = """
name: a
steps:
  - id: who
    form:
      title: You
      schema:
        type: object
        properties:
          name: {type: string, title: Name, pii: identity}
          city: {type: string, title: City}
          owners: {type: array, title: Owners, items: {type: object, properties: {born: {type: string, pii: identity}}}}
"""


def test_the_values_of_fields_with_a_class_are_found() -> None:
    definition = compile_definition(TEXT, load_kinds()).definition
    assert definition is not None
    given: JsonObject = {"name": "Al", "city": "Gdynia", "owners": [{"born": "1980-01-01"}, {}]}
    check = definition.steps[0].config.check
    assert list(check.personal(given)) == ["Al", "1980-01-01"]
    run = StepRunView("who", 1, 1, "form", "COMPLETED", None, given, None, NOW, NOW)
    mask = RunMasking(list(check.personal(given)), {"who": check.masked})
    assert mask.output(run) == {"name": "•••", "city": "Gdynia", "owners": [{"born": "•••"}, {}]}
