"""Whatever is done to a valid definition: the compiler answers, and agrees with the published schema."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from passerelle.definitions.compiler import compile_definition, structure_check
from passerelle.definitions.schema import definition_schema
from passerelle.engine.registry import load_kinds

KINDS = load_kinds()
EXAMPLES = Path(__file__).parents[3] / "examples"
EVERY_KIND = """
name: every-kind
title: {en: Every kind, pl: Każdy}
parameters: {n: {type: number, default: 1, title: N, pii: contact}, l: {type: list, required: true}}
record: {table: customers}
expiresAfter: 2d
steps:
  - {id: f, form: {title: F, schema: {type: object, properties: {a: {type: string, visibleWhen: form.b}, b: {}}}}}
  - {id: u, upload: {title: U, accept: [image/*], maxSize: 1MB, max: 2, min: 0}}
  - {id: c, consent: {title: {en: C, pl: C}, text: "${steps.f.a}", version: "1", label: L}}
  - {id: h, http: {url: "https://a.example/"}, retry: {attempts: 2, on: [5xx, 429]}, onError: {goto: x}}
  - {id: s, set: {x: "${parameters.n}"}, when: parameters.n > 1, onError: continue, maxVisits: 5, timeout: 5s}
  - {id: w, wait: {for: 1d}, background: true}
  - {id: e, event: {name: paid, schema: {type: object, properties: {a: {type: string}}}, within: 1d}}
  - {id: k, check: {name: iban, with: {value: "${steps.e.a}"}}}
  - {id: r, record: {upsert: {a: 1}, by: a}}
  - {id: m, email: {to: [a@example.com], subject: S, body: {en: "${steps.s.x}"}}}
  - {id: v, review: {title: R, outcomes: [yes, no], within: 1d, fourEyes: true}}
  - {id: p, parallel: {branches: {a: [{id: p1, set: {x: 1}}], b: [{id: p2, end: {}}]}, onError: wait}}
  - {id: i, each: {in: "${parameters.l}", as: row, steps: [{id: i1, set: {x: "${row}"}}], atOnce: 2}}
  - {id: o, workflow: {definition: other, parameters: {a: "${parameters.n}"}}}
  - {id: g, switch: [{when: steps.s.x > 1, goto: s}, {goto: x}]}
  - {id: x, fail: {code: A, message: "${parameters.n}"}}
result: {a: "${steps.s.x}"}
"""
TEXTS = [
    EVERY_KIND,
    (EXAMPLES / "company-onboarding/company-onboarding.yaml").read_text(),
    (EXAMPLES / "company-check/company-check.yaml").read_text(),
]

Where = tuple[str | int, ...]


def places(value: Any, path: Where = ()) -> Iterator[Where]:
    yield path
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from places(item, (*path, number))


WORDS = ["id", "set", "when", "end", "wait", "goto", "a", "steps.s.x", "${item}", "${steps.p1}", "5s", "${", "", "1MB"]
VALUES = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from([None, True, False, 0, 1, 429, -1, 2.5, 10**6]),
    st.text(max_size=5),
    st.sampled_from([{}, [], [{}], [[]], {"a": {}}, {"goto": "s"}, {"type": "object"}, {"en": "a"}]).map(copy.deepcopy),
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A valid document with up to three things changed."""
    document = copy.deepcopy(compile_definition(draw(st.sampled_from(TEXTS)), KINDS).document)
    for _ in range(draw(st.integers(1, 3))):
        *around, last = draw(st.sampled_from(list(places(document))[1:] or [("name",)]))
        here: Any = document
        for part in around:
            here = here[part]
        change(draw, document, here, last)
    return document


def change(draw: st.DrawFn, document: Any, here: Any, key: Any) -> None:
    match draw(st.sampled_from(["replace", "remove", "rename", "add", "move"])):
        case "remove":
            del here[key]
        case "rename" if isinstance(here, dict):
            here[draw(st.sampled_from(WORDS))] = here.pop(key)
        case "add" if isinstance(here, dict):
            here[draw(st.sampled_from(WORDS))] = draw(VALUES)
        case "add":
            here.append(draw(VALUES))
        case "move":
            *around, last = draw(st.sampled_from(list(places(document))[1:]))
            value: Any = document
            for part in (*around, last):
                value = value[part]
            here[key] = copy.deepcopy(value)
        case _:
            here[key] = draw(VALUES)


VALIDATOR = Draft202012Validator(definition_schema(KINDS))


@pytest.mark.parametrize("text", TEXTS)
def test_the_documents_to_change_are_valid(text: str) -> None:
    assert [str(problem) for problem in compile_definition(text, KINDS).problems] == []


@given(mutated())
def test_our_sentences_and_the_published_schema_agree(document: Any) -> None:
    assert VALIDATOR.is_valid(document) == (structure_check(KINDS).findings(document) == [])


@given(mutated())
def test_the_compiler_gives_a_definition_or_says_why_not(document: Any) -> None:
    result = compile_definition(json.dumps(document), KINDS)
    assert (result.definition is None) == bool(result.problems)
    assert result.document == document
    assert all(problem.message and problem.line >= 1 for problem in result.problems)
    if not VALIDATOR.is_valid(document):
        assert result.definition is None


@given(st.sampled_from(TEXTS), st.data())
def test_no_change_of_the_text_makes_it_raise(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 30, len(text))))
    result = compile_definition(text[:start] + data.draw(st.text(max_size=5)) + text[end:], KINDS)
    assert (result.definition is None) == bool(result.problems)


def test_a_text_that_cannot_be_stored_in_the_place_of_an_object_is_refused() -> None:
    """What reading has refused already is not compiled as if the schema had found nothing."""
    text = 'name: x\nsteps:\n  - id: a\n    check: {name: iban, with: "\\0"}\n'
    compiled = compile_definition(text, KINDS)
    assert compiled.definition is None
    assert [problem.path for problem in compiled.problems] == [("steps", 0, "check", "with")]
