"""What compiles, and into what."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from passerelle.definitions.compiler import Compiled, compile_definition
from passerelle.definitions.facts import KnownFacts
from passerelle.definitions.model import Definition, OnError, Parameter, RecordBinding, Retry, StartTexts
from passerelle.engine.registry import load_kinds
from passerelle.engine.steps.each import EachConfig
from passerelle.engine.steps.switch import SwitchKind

EXAMPLES = Path(__file__).parents[3] / "examples"
KINDS = load_kinds()


def compiled(text: str, **more: Any) -> Compiled:
    return compile_definition(text, KINDS, **more)


def definition_of(text: str, **more: Any) -> Definition:
    """The compiled definition of a text that has nothing wrong."""
    result = compiled(text, **more)
    assert [str(problem) for problem in result.problems] == []
    assert result.definition is not None
    return result.definition


def told(text: str, **more: Any) -> list[str]:
    return [str(problem) for problem in compiled(text, **more).problems]


# The examples.


def test_the_large_example_says_what_it_shows() -> None:
    definition = definition_of((EXAMPLES / "company-onboarding/company-onboarding.yaml").read_text())
    assert definition.name == "company-onboarding"
    assert definition.title == {"en": "Company onboarding", "pl": "Rejestracja firmy"}
    assert definition.languages == ("en", "pl")
    assert definition.execution_type == "INTERACTIVE"
    assert definition.record == RecordBinding("customers", create=True)
    assert definition.parameters["country"] == Parameter("country", "string", default="PL")
    assert [step.id for step in definition.steps] == [
        *("company", "documents", "terms", "thanks", "registers", "owners", "findings", "route", "review"),
        *("save", "outcome", "told", "welcome", "done", "sorry", "refused", "known"),
    ]


def test_the_same_text_as_json_compiles_to_the_same() -> None:
    text = '{"name": "a", "steps": [{"id": "one", "set": {"x": "${1 + 1}"}}], "result": "${steps.one.x}"}'
    definition = definition_of(text)
    assert definition.steps[0].kind is KINDS["set"]
    document = compiled(text).document
    assert isinstance(document, dict)
    assert document["result"] == "${steps.one.x}"


# What every step may have.


def test_a_step_that_says_nothing_has_the_defaults_of_its_kind() -> None:
    definition = definition_of("name: a\nsteps:\n- {id: s, set: {x: 1}}\n- {id: h, http: {url: 'https://a.example/'}}")
    computed, called = definition.steps
    assert (computed.retry, computed.when, computed.timeout, computed.title) == (None, None, None, None)
    assert (computed.on_error, computed.max_visits, computed.background) == (OnError("fail"), 100, False)
    assert called.retry == Retry(attempts=5)
    assert definition.expires_after == timedelta(days=7)
    assert definition.languages == ()


def test_a_step_keeps_what_it_says() -> None:
    (step,) = definition_of(
        """
        name: a
        expiresAfter: 36h
        steps:
          - id: h
            title: Ask
            when: "true"
            retry: {attempts: 3, first: 500ms, on: [timeout, 429, 5xx]}
            timeout: 2m
            onError: continue
            maxVisits: 7
            background: true
            http: {url: "https://a.example/"}
        """
    ).steps
    assert step.title == "Ask"
    assert step.retry == Retry(attempts=3, first=timedelta(milliseconds=500), on=("timeout", "429", "5xx"))
    assert (step.timeout, step.max_visits, step.background) == (timedelta(minutes=2), 7, True)
    assert step.on_error == OnError("continue")
    assert step.when is not None
    assert step.when.evaluate({}) is True


def test_a_jump_after_an_error_is_a_way_to_a_step() -> None:
    first, *_ = definition_of(
        """
        name: a
        steps:
          - {id: h, http: {url: "https://a.example/"}, onError: {goto: sorry}}
          - {id: done, end: }
          - {id: sorry, set: {why: "${steps.h.error.code}"}}
        """
    ).steps
    assert first.on_error == OnError("goto", "sorry")


# References that are fine.


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            "[{id: a, when: parameters.y, set: {x: 1}}, {id: b, set: {x: '${steps.a.x}'}}]",
            id="a step that may be skipped",
        ),
        pytest.param(
            "[{id: a, set: {x: '${has(steps.b) ? steps.b.x : 0}'}}, {id: b, set: {x: 1}},"
            " {id: c, switch: [{when: steps.b.x > 1, goto: a}]}]",
            id="a later step of a loop",
        ),
        pytest.param(
            "[{id: a, set: {x: '${has(steps.a) ? steps.a.x + 1 : 0}'}}, {id: c, switch: [{when: steps.a.x < 3, goto: a}]}]",
            id="itself, in a loop",
        ),
        pytest.param(
            "[{id: a, set: {l: [1]}}, {id: e, each: {in: '${steps.a.l}', steps: ["
            "{id: b, set: {x: '${item + steps.a.l[0]}'}}, {id: c, set: {x: '${steps.b.x}'}}]}},"
            " {id: d, set: {x: '${steps.e.items[0]}'}}]",
            id="inside of each: what ran before it, and the same item's steps",
        ),
        pytest.param(
            "[{id: e, each: {in: [[1]], as: row, steps: [{id: f, each: {in: '${row}', steps: ["
            "{id: b, set: {x: '${row[0] + item}'}}]}}]}}]",
            id="the items of two loops, one in the other",
        ),
        pytest.param("[{id: a, set: {x: \"${parameters['y']}\"}}]", id="a parameter by index"),
        pytest.param("[{id: a, set: {x: '${case.firstName}'}}]", id="the case"),
        pytest.param("[{id: a, when: parameters.y, end: }, {id: b, set: {x: 1}}]", id="an end that may be skipped"),
        pytest.param(
            "[{id: a, fail: {code: A, message: a}, onError: continue}, {id: b, set: {x: '${steps.a.error.code}'}}]",
            id="a failure that is not the end",
        ),
    ],
)
def test_these_references_are_fine(steps: str) -> None:
    definition_of(f"name: a\nparameters: {{y: {{type: boolean}}}}\nsteps: {steps}")


def test_the_result_may_read_any_step_that_can_run() -> None:
    definition_of("name: a\nsteps:\n- {id: a, when: 'false', set: {x: 1}}\n- {id: b, end: }\nresult: '${steps.a}'")


def test_inner_steps_are_compiled_like_others() -> None:
    (step,) = definition_of(
        "name: a\nsteps: [{id: e, each: {in: [1], steps: [{id: i, switch: [{goto: j}]}, {id: j, end: }]}}]"
    ).steps
    assert isinstance(step.config, EachConfig)
    assert isinstance(step.config.steps[0].kind, SwitchKind)
    assert [inner.id for _, steps in step.kind.nested(step.config) for inner in steps] == ["i", "j"]


# Texts by language.


def test_an_email_may_be_in_fewer_languages_than_the_pages() -> None:
    definition = definition_of(
        """
        name: a
        title: {pl: A, en: B}
        steps: [{id: m, email: {to: staff@example.com, subject: {en: C}, body: {en: "D ${execution.id}"}}}]
        """
    )
    assert definition.languages == ("pl", "en")


# All at once.


def test_everything_wrong_is_told_in_the_order_of_the_text() -> None:
    assert told(
        """\
name: Wrong
titel: a
steps:
  - id: one
    set: {x: "${steps.two.x}"}
  - id: two
    htpp: {url: a}
  - id: three
    switch: [{when: "1 +", goto: fuor}]
result: "${steps.three}"
"""
    ) == [
        "1: name: must have 1 to 63 lower-case letters, digits and `-`, and not begin with `-`, is `Wrong`",
        "2: titel: unknown key; did you mean `title`?",
        "7: steps.two.htpp: unknown key; did you mean `http`?",
        "9: steps.three.switch[0].when: expected a value, found the end of the expression",
        "9: steps.three.switch[0].goto: there is no step `fuor`; the steps are `one`, `two`, `three`",
    ]


def test_order_is_not_judged_while_a_step_is_not_understood() -> None:
    """What the misspelt step does is not known: it might lead anywhere."""
    text = "name: a\nsteps:\n- {id: a, end: }\n- {id: b, htpp: {}}\n- {id: c, set: {x: '${steps.b.x}'}}"
    assert told(text) == ["4: steps.b.htpp: unknown key; did you mean `http`?"]


def test_steps_inside_of_a_wrong_step_are_still_known() -> None:
    text = (
        "name: a\nsteps:\n- {id: e, each: {in: [], atOnce: 0, steps: [{id: i, set: {x: 1}}]}}\n"
        "- {id: f, set: {x: '${steps.i.x}'}}"
    )
    assert told(text) == ["3: steps.e.each.atOnce: must be at least 1, is `0`"]


def test_a_text_that_cannot_be_read_has_no_document() -> None:
    result = compiled("a: [")
    assert (result.definition, result.document, len(result.problems)) == (None, None, 1)


def test_problems_of_the_text_and_of_the_definition_come_together() -> None:
    assert told("name: a\nname: b\nsteps: []") == [
        "2: name: the key stands twice, first on line 1; keep one of them",
        "3: steps: must have at least 1 item",
    ]


# Against a workspace.

FACTS = KnownFacts(
    tables={"customers": frozenset({"companyNumber", "status"}), "people": frozenset({"name"})},
    secrets=frozenset({"REGISTRY_KEY"}),
    definitions=frozenset({"company-check"}),
)

AGAINST = """\
name: a
record: {table: customers}
steps:
  - {id: h, http: {url: "https://a.example/", headers: {Authorization: "${secrets.REGISTRY_KEY}"}}}
  - {id: w, workflow: {definition: company-check}}
  - {id: u, record: {update: {status: "${record.companyNumber + record.id}"}}}
  - {id: f, record: {table: people, find: {name: A}}}
"""


def test_what_the_workspace_has_is_fine() -> None:
    definition_of(AGAINST, workspace=FACTS)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "table: customers",
            "table: customer",
            "2: record.table: the workspace has no table `customer`; did you mean `customers`?",
        ),
        (
            "secrets.REGISTRY_KEY",
            "secrets.REGISTER_KEY",
            "4: steps.h.http.headers.Authorization: the workspace has no secret `REGISTER_KEY`; did you mean `REGISTRY_KEY`?",
        ),
        (
            "definition: company-check",
            "definition: onboarding",
            "5: steps.w.workflow.definition: the workspace has no definition `onboarding`; it has `company-check`",
        ),
        (
            "record.companyNumber",
            "record.companyNo",
            "6: steps.u.record.update.status: the table `customers` has no field `companyNo`; did you mean `companyNumber`?",
        ),
        (
            "update: {status",
            "update: {state",
            "6: steps.u.record.update.state: the table `customers` has no field `state`; did you mean `status`?",
        ),
        (
            "table: people",
            "table: persons",
            "7: steps.f.record.table: the workspace has no table `persons`; it has `customers`, `people`",
        ),
        (
            "find: {name",
            "find: {age",
            "7: steps.f.record.find.age: the table `people` has no field `age`; its fields are `name`",
        ),
    ],
)
def test_what_the_workspace_lacks_is_told(old: str, new: str, sentence: str) -> None:
    text = AGAINST.replace(old, new)
    problems = told(text, workspace=FACTS)
    assert sentence in problems
    assert told(text) == [], "without a workspace all of it is taken to be there"
    assert told(text, workspace=KnownFacts()) == []


# Speed.


def test_five_hundred_steps_compile_at_once() -> None:
    """Takes some 0.1 s; the bound is wide, because it guards against a search that grows with the square."""
    steps = "".join(
        f"- {{id: s{n}, when: parameters.y, set: {{x: '${{steps.s{n - 1}.x + {n}}}'}}}}\n" for n in range(1, 500)
    )
    text = f"name: a\nparameters: {{y: {{type: boolean}}}}\nsteps:\n- {{id: s0, set: {{x: 1}}}}\n{steps}"
    spent = []
    for _ in range(2):
        begun = time.process_time()
        definition_of(text)
        spent.append(time.process_time() - begun)
    assert min(spent) < 0.6


def test_the_start_page_has_texts_of_the_definition_in_all_its_languages() -> None:
    text = "name: a\nstart: {text: {en: Hello, pl: Witaj}, documents: [{en: Passport, pl: Paszport}], minutes: 5}\n"
    steps = "steps:\n  - {id: a, message: {title: {en: T, pl: T}, text: {en: T, pl: T}}}\n"
    definition = definition_of(text + steps)
    assert definition.start == StartTexts({"en": "Hello", "pl": "Witaj"}, ({"en": "Passport", "pl": "Paszport"},), 5)
    assert definition.languages == ("en", "pl")
    for wrong, said in (
        ("start: {minutes: 0}", "at least 1"),
        ("start: {}", "at least 1 key"),
        ("start: {text: {en: Hello}}", "no text in `pl`"),
    ):
        problems = compile_definition(f"name: a\n{wrong}\n{steps}", KINDS).problems
        assert any(said in problem.message for problem in problems), wrong
