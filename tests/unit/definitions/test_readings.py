"""`check` uses what it knows: of forms, checks, reviews, events and tables, what an expression reads must be possible."""

from __future__ import annotations

import pytest

from passerelle.definitions.compiler import Compiled, compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.engine.registry import load_kinds

KINDS = load_kinds()
HEAD = """
name: a
parameters: {nip: {type: string, required: true}, note: {type: string}, country: {type: string, default: PL}}
record: {table: suppliers}
steps:
  - id: f
    form:
      title: You
      schema:
        type: object
        required: [name, size, owner]
        properties:
          name: {type: string}
          phone: {type: string}
          size: {type: string, enum: [small, large]}
          vat: {type: string, visibleWhen: "form.size == 'large'"}
          owner: {type: object, required: [first], properties: {first: {type: string}, last: {type: string}}}
  - id: c
    check: {name: company-number, with: {type: NIP, value: "${parameters.nip}"}}
  - id: r
    review: {title: Look, outcomes: [approve, reject]}
  - id: e
    event: {name: paid, schema: {type: object, required: [amount], properties: {amount: {type: number}}}}
"""
STATUS = {"type": "string", "enum": ["new", "active"]}
FACTS = KnownFacts(
    tables={"suppliers": frozenset({"status", "staff", "tags"})},
    values={
        "suppliers": {
            "status": STATUS,
            "staff": {"type": "integer"},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
        }
    },
)


def compiled(steps: str) -> Compiled:
    return compile_definition(f"{HEAD}{steps}\n", KINDS, workspace=FACTS)


def reading(expression: str) -> Compiled:
    return compiled(f'  - id: x\n    set: {{y: "${{{expression}}}"}}')


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("steps.f.nam", "`steps.f` has no `nam`; did you mean `name`?"),
        ("steps.f.owner.middle", "`steps.f.owner` has no `middle`; it has `first`, `last`"),
        ("steps.c.pased", "`steps.c` has no `pased`; did you mean `passed`?"),
        ("steps.c.status == 'ok'", "`steps.c.status` is never `ok`; it can be `valid`, `invalid`, `unknown`"),
        ("steps.r.outcome == 'aprove'", "`steps.r.outcome` is never `aprove`; did you mean `approve`?"),
        ("steps.r.outcome in ['approve', 'no']", "`steps.r.outcome` is never `no`; it can be `approve`, `reject`"),
        ("steps.r.votes", "`steps.r` has no `votes`"),
        ("'smal' != steps.f.size", "`steps.f.size` is never `smal`; did you mean `small`?"),
        ("record.status == 'actve'", "`record.status` is never `actve`; did you mean `active`?"),
    ],
)
def test_what_cannot_be_is_refused(expression: str, said: str) -> None:
    [problem] = reading(expression).problems
    assert said in problem.message
    assert problem.line == 25


@pytest.mark.parametrize("name", ["steps.f.phone", "steps.f.vat", "steps.f.owner.last", "parameters.note"])
def test_what_may_be_left_out_is_a_warning_unless_it_is_asked_for(name: str) -> None:
    found = reading(name)
    assert found.problems == ()
    assert [f"`{name}` may be left out" in warning.message for warning in found.warnings] == [True]
    assert reading(f"has({name}) ? {name} : null").warnings == ()
    assert compiled(f'  - id: x\n    when: "has({name})"\n    set: {{y: "${{{name}}}"}}').warnings == ()


@pytest.mark.parametrize(
    "expression",
    [
        "steps.f.name", "steps.f.size == 'small'", "steps.f.owner.first", "parameters.nip", "parameters.country",
        "steps.c.data.anything", "steps.e.amount", "steps.e.more", "steps.r.comment", "record.status == 'new'",
        "steps.f.size == parameters.nip", "steps['f']['name']", "steps.r.outcome == null",
    ],
)  # fmt: skip
def test_what_can_be_is_let_through(expression: str) -> None:
    found = reading(expression)
    assert (found.problems, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ("{status: actve}", "did you mean `active`?"),
        ("{staff: many}", "must be a whole number"),
        ("{tags: [a, c]}", "must be `a` or `b`"),
        ('{status: "${parameters.nip}", staff: 3, tags: [b]}', None),
        ("{status: null}", None),
    ],
)
def test_values_of_records_are_those_of_their_fields(values: str, said: str | None) -> None:
    problems = compiled(f"  - id: save\n    record: {{update: {values}}}").problems
    assert [said in problem.message for problem in problems if said] == ([True] if said else [])
    assert bool(problems) is bool(said)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ('{type: object, properties: {a: {type: string, patern: "^x"}}}', "did you mean `pattern`?"),
        ("{type: object, properties: {a: {type: string, formatMaximum: x}}}", "there is no keyword `formatMaximum`"),
        ("{type: object, properties: {a: {type: array, items: {autocomplete: x}}}}", "no keyword `autocomplete`"),
        ("{type: object, required: [b], properties: {a: {}}}", "there is no property `b`"),
        ("{type: object, required: [b], properties: {a: {}}, patternProperties: {b: {}}}", None),
        ("{type: object, required: [b]}", None),
        ("{type: object, properties: {a: {x-mine: 1, const: {patern: 1}, examples: [{patern: 1}]}}}", None),
    ],
)
def test_what_a_schema_says_and_nobody_reads_is_told(schema: str, said: str | None) -> None:
    problems = compiled(f"  - id: x\n    event: {{schema: {schema}}}").problems
    assert [said in problem.message for problem in problems if said] == ([True] if said else [])
    assert bool(problems) is bool(said)


def test_a_text_that_was_taken_once_is_not_refused_for_a_closer_look() -> None:
    """What is stored runs on, also under a release that would not take it any more."""
    text = HEAD + '  - id: x\n    set: {y: "${steps.f.nam}"}\n'
    assert compile_definition(text, KINDS).definition is None
    assert compile_definition(text, KINDS, stored=True).definition is not None


@pytest.mark.parametrize(("language", "warned"), [("en", False), ("pl", False), ("pt-BR", False), ("xx", True)])
def test_a_language_that_the_pages_do_not_speak_is_a_warning(language: str, warned: bool) -> None:
    text = f"name: a\ntitle: {{{language}: Hi}}\nsteps: [{{id: m, message: {{title: {{{language}: Hi}}, text: {{{language}: Hi}}}}}}]\n"
    facts = KnownFacts(languages=frozenset({"en", "pl", "pt"}))
    found = compile_definition(text, KINDS, workspace=facts)
    assert found.problems == ()
    assert [f"not there in `{language}`" in warning.message for warning in found.warnings] == [True] * warned
