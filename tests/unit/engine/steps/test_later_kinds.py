"""Kinds that are only checked in this release: what becomes of their configuration."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.definitions.expressions import Template
from passerelle.definitions.model import Retry
from tests.unit.engine.steps.compiling import KINDS, compile_step


def config(kind: str, value: Any) -> Any:
    return compile_step(kind, value).config


FORM = {
    "title": {"en": "Company", "pl": "Firma"},
    "schema": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "title": {"en": "Name", "pl": "Nazwa"}, "pii": "identity"},
            "title": {"type": "string", "title": "Its own title"},
            "owners": {
                "type": "array",
                "visibleWhen": "form.name != ''",
                "items": {"type": "string", "pii": "identity"},
            },
        },
    },
    "prefill": {"name": "${parameters.p.name}"},
}


def test_the_forms_own_keywords_are_taken_out_of_its_schema() -> None:
    form = config("form", FORM).form
    assert form.plain == {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "title": "Name"},
            "title": {"type": "string", "title": "Its own title"},
            "owners": {"type": "array", "items": {"type": "string"}},
        },
    }
    assert form.pii == {("properties", "name"): "identity", ("properties", "owners", "items"): "identity"}
    assert form.texts == {
        (("properties", "name"), "title"): {"en": "Name", "pl": "Nazwa"},
        (("properties", "title"), "title"): "Its own title",
    }
    assert form.visible_when[("properties", "owners")].evaluate({"form": {"name": "A"}}) is True


def test_upload_counts_in_bytes() -> None:
    upload = config("upload", {"title": "Files", "maxSize": "2MB", "max": 3, "accept": ["image/*"]})
    (asked,) = upload.documents
    assert (asked.max_size, asked.most, asked.least, asked.accept) == (2 * 1024 * 1024, 3, 1, ("image/*",))
    assert config("upload", {"title": "Files"}).any.max_size == 10 * 1024 * 1024


def test_email_has_a_template_for_each_language() -> None:
    step = compile_step(
        "email", {"to": "a@example.com", "subject": {"en": "Hi ${parameters.p.n}"}, "body": "${parameters.p.n}"}
    )
    assert set(step.config.addresses) == {"to"}
    assert step.config.subject["en"].render({"parameters": {"p": {"n": "you"}}}) == "Hi you"
    assert isinstance(step.config.body, Template)
    assert step.retry == Retry(on=("timeout", "connection", "4xx"))


@pytest.mark.parametrize(
    ("value", "action", "extra"),
    [
        ({"table": "t", "create": {}}, "create", (None, 25)),
        ({"table": "t", "update": {"a": 1}, "id": "${parameters.p.id}"}, "update", (None, 25)),
        ({"table": "t", "upsert": {"a": 1}, "by": "a"}, "upsert", ("a", 25)),
        ({"table": "t", "find": {"a": 1}, "limit": 5}, "find", (None, 5)),
    ],
)
def test_record_does_one_thing(value: dict[str, Any], action: str, extra: tuple[str | None, int]) -> None:
    record = config("record", value)
    assert (record.action, record.table, (record.by, record.limit)) == (action, "t", extra)


def test_parallel_and_each_hold_steps() -> None:
    step = compile_step("parallel", {"branches": {n: [{"id": f"s_{n}", "set": {"x": 1}}] for n in ("a", "b")}})
    assert [(name, [inner.id for inner in steps]) for name, steps in step.kind.nested(step.config)] == [
        ("a", ["s_a"]),
        ("b", ["s_b"]),
    ]
    each = config("each", {"in": "${[1, 2]}", "steps": [{"id": "i", "set": {"x": "${item}"}}]})
    assert (each.items.render({}), each.name, each.at_once, each.on_item_error) == ([1, 2], "item", 10, "fail")


def test_workflow_and_message_take_templates() -> None:
    assert config("workflow", {"definition": "other"}).definition == "other"
    message = config(
        "message", {"title": "A", "text": "B ${parameters.p.n}", "redirect": "https://a.example/${parameters.p.n}"}
    )
    assert message.text.render({"parameters": {"p": {"n": 1}}}) == "B 1"
    consent = config("consent", {"title": "A", "text": {"en": "B"}, "version": "1"})
    assert (consent.version, set(consent.text), consent.label) == ("1", {"en"}, None)


@pytest.mark.parametrize("kind", ["form", "upload", "consent", "message"])
def test_what_end_users_see_is_user_facing(kind: str) -> None:
    assert KINDS[kind].user_facing
