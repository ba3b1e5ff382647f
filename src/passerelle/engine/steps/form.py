"""`form`: asks the end user for the fields of a JSON Schema. Its output is what was submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from passerelle.definitions.expressions import Scope, Template
from passerelle.definitions.form_answers import FormCheck
from passerelle.definitions.form_schema import FORMATS, FormSchema, compile_form_schema
from passerelle.definitions.kinds import Path, StepContext, TextTemplate
from passerelle.definitions.parts import part
from passerelle.definitions.readings import submitted
from passerelle.definitions.words import suggest
from passerelle.engine.checks import load_checks
from passerelle.engine.field_checks import FieldCheck, OutsideFieldCheck, compile_field_checks, judges
from passerelle.engine.kinds import Done
from passerelle.engine.user_kinds import AnswerRefused, UserKind, in_text, rendered
from passerelle.kit.json import Json, JsonObject, KnownJson

_FIELD: JsonObject = {
    "type": ["object", "boolean"],
    "description": "JSON Schema 2020-12 of one field, with `visibleWhen` and `pii`; titles may be by language.",
    "properties": {
        "type": {
            "description": "What the answer is; a list of types where it may be null as well.",
            "examples": ["string", "number", "integer", "boolean", "array", "object"],
        },
        "title": part("text", "The field's label."),
        "description": part("text", "A hint under the field."),
        "visibleWhen": part("expression", "The field is asked for only where this is true; reads `form.<field>`."),
        "pii": part("pii"),
        "format": {
            "type": "string",
            "description": "What kind of text it is: how it is asked for, and checked.",
            "examples": list(FORMATS),
        },
        "check": {
            "description": "A built-in check, or a plug-in's, that the value has to pass; `with` has its other inputs.",
            "examples": ["email-address", {"name": "company-number", "with": {"type": "KRS"}}],
        },
        "earliest": {"description": "The first day that is taken: a date, or `today`, `today-18y`, `today+30d`."},
        "latest": {"description": "The last day that is taken, as `earliest`."},
        "minAge": {"description": "Years that must have passed since the date: 18 for people of age."},
        "maxAge": {"description": "Years that may have passed since the date."},
        "currency": {"description": "Three letters: the number is an amount of money in it.", "examples": ["EUR"]},
        "defaultCountry": {"description": "Two letters: the country of a phone number that says none."},
        "autofill": {
            "description": "Whether the browser fills the field in with its owner's data: true, false, or a name of"
            " WHATWG's. Without it, the field's name and its group decide.",
            "examples": [False, "given-name"],
        },
        "pattern": {"type": "string", "description": "A regular expression that the text must match."},
        "minLength": {"type": "integer", "minimum": 0, "description": "The fewest characters."},
        "maxLength": {
            "type": "integer",
            "minimum": 0,
            "description": "The most; above 160 the field has several lines.",
        },
        "minimum": {"type": "number", "description": "The smallest number that is taken."},
        "maximum": {"type": "number", "description": "The largest number that is taken."},
        "minItems": {"type": "integer", "minimum": 0, "description": "The fewest entries of a list."},
        "maxItems": {"type": "integer", "minimum": 0, "description": "The most entries of a list."},
        "enum": {"type": "array", "description": "The values to choose from."},
        "oneOf": {
            "type": "array",
            "description": "The values to choose from, each with its text: `const` and `title`.",
            "examples": [[{"const": "PL", "title": {"en": "Poland", "pl": "Polska"}}]],
        },
        "items": {"description": "What each entry of a list is: a field of its own."},
        "properties": {"description": "The fields of a group."},
        "required": {"type": "array", "description": "The fields of a group that must be filled in."},
        "errorMessage": part("text", "A sentence of your own for what is wrong."),
        "default": {"description": "What the field holds at first."},
    },
    "examples": [{"type": "string", "format": "email", "title": "E-mail", "pii": "contact"}],
}


@dataclass(frozen=True)
class FormConfig:
    """What is asked and what is filled in beforehand."""

    title: TextTemplate
    form: FormSchema
    prefill: Template | None
    checks: Mapping[Path, FieldCheck]
    """Those that stand at fields, by place in the schema."""

    @cached_property
    def check(self) -> FormCheck:
        """Checks what is submitted, as far as nobody outside has to be asked."""
        return FormCheck(self.form, judges(self.checks))

    @cached_property
    def outside(self) -> Mapping[Path, OutsideFieldCheck]:
        """The checks that ask somebody outside."""
        return {place: one for place, one in self.checks.items() if isinstance(one, OutsideFieldCheck)}


class FormKind(UserKind[FormConfig]):
    """A page with fields. The same schema checks the browser's and the server's side."""

    name = "form"
    schema: ClassVar[JsonObject] = {
        "type": "object",
        "description": "Asks the end user for the fields of a JSON Schema.",
        "additionalProperties": False,
        "required": ["title", "schema"],
        "properties": {
            "title": part("text", "The page's heading; `${…}` in it is replaced."),
            "schema": {
                "type": "object",
                "description": "JSON Schema 2020-12 of the answers: an object with one property for each field.",
                "required": ["type", "properties"],
                "properties": {
                    "type": {"const": "object", "description": "Always `object`."},
                    "required": {"type": "array", "description": "The fields that must be filled in."},
                    "properties": {
                        "type": "object",
                        "description": "The fields, by name, in the order of the page.",
                        "minProperties": 1,
                        "additionalProperties": _FIELD,
                    },
                },
            },
            "prefill": {
                "type": "object",
                "description": "What the fields hold at first, by name; `${…}` allowed.",
                "additionalProperties": {"$ref": "#/$defs/template"},
                "examples": [{"country": "${parameters.country}"}],
            },
        },
        "examples": [
            {
                "title": "Your company",
                "schema": {"type": "object", "properties": {"name": {"type": "string", "title": "Name"}}},
            }
        ],
    }

    def compile(self, value: KnownJson, path: Path, compiling: StepContext) -> FormConfig:
        form = compile_form_schema(value["schema"], (*path, "schema"), compiling)
        prefill = value.get("prefill")
        if prefill is not None:
            _check_fields(prefill, value["schema"]["properties"], (*path, "prefill"), compiling)
        return FormConfig(
            title=compiling.text_template(value["title"], (*path, "title"), insert=in_text),
            form=form,
            prefill=None if prefill is None else compiling.template(prefill, (*path, "prefill")),
            checks=compile_field_checks(form, load_checks(), (*path, "schema"), compiling) if form.checks else {},
        )

    def show(self, config: FormConfig, scope: Scope) -> JsonObject:
        return {"title": rendered(config.title, scope)}

    def fields(self, config: FormConfig) -> frozenset[str]:
        return frozenset(config.form.plain.get("properties", ()))

    def initial(self, config: FormConfig, scope: Scope) -> JsonObject:
        properties: Mapping[str, Json] = config.form.plain.get("properties", {})
        defaults = {
            name: field["default"]
            for name, field in properties.items()
            if isinstance(field, dict) and field.get("default") is not None
        }
        given: JsonObject = config.prefill.render(scope) if config.prefill is not None else {}
        return {**defaults, **{name: value for name, value in given.items() if value is not None}}

    def output_shape(self, config: FormConfig) -> JsonObject:
        shape = submitted(config.form.source)
        return shape if isinstance(shape, dict) else {}

    def submit(
        self, config: FormConfig, scope: Scope, answer: KnownJson, evidence: JsonObject | None, now: datetime
    ) -> Done:
        kept, findings = config.check.check(answer, scope)
        if findings:
            raise AnswerRefused(findings)
        return Done(kept)


def _check_fields(named: JsonObject, fields: Mapping[str, Json], path: Path, compiling: StepContext) -> None:
    for name in named:
        if name not in fields:
            compiling.problem(
                (*path, name), f"the form has no field `{name}`; {suggest(name, fields, 'its fields are')}"
            )
