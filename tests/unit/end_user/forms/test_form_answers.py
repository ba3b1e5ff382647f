"""What people enter into forms: checked whole, with keywords for every language; hidden fields do not count."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.form_answers import FormCheck
from passerelle.kit.json import JsonObject, KnownJson, dumps
from passerelle.kit.text import readable
from tests.unit.engine.steps.compiling import KINDS, compile_step


def form(properties: dict[str, Any], **rest: Any) -> FormCheck:
    schema = {"type": "object", "properties": properties, **rest}
    check: FormCheck = compile_step("form", {"title": "Form", "schema": schema}).config.check
    return check


def wrong(check: FormCheck, values: KnownJson, **scope: Any) -> set[tuple[str, str]]:
    return {("/".join(map(str, finding.path)), finding.keyword) for finding in check.check(values, scope)[1]}


def kept(check: FormCheck, values: KnownJson, **scope: Any) -> KnownJson:
    found, findings = check.check(values, scope)
    assert findings == []
    return found


@pytest.mark.parametrize(
    ("schema", "value", "keyword", "parameters"),
    [
        ({"type": "string", "minLength": 3}, "ab", "minLength", {"limit": 3}),
        ({"type": "string", "maxLength": 3}, "abcd", "maxLength", {"limit": 3}),
        ({"type": "string", "pattern": "^a+$"}, "b", "pattern", {"pattern": "^a+$"}),
        ({"type": "string", "format": "email"}, "a@", "format", {"format": "email"}),
        ({"type": "string", "format": "date"}, "2026-02-30", "format", {"format": "date"}),
        ({"type": "string", "format": "uri"}, "no uri", "format", {"format": "uri"}),
        ({"type": "string", "format": "phone"}, "123 456 789", "format", {"format": "phone"}),
        ({"type": "string", "format": "phone"}, "+48 12", "format", {"format": "phone"}),
        ({"type": "integer"}, 1.5, "type", {"expected": ["integer"]}),
        ({"type": "integer"}, "1", "type", {"expected": ["integer"]}),
        ({"type": ["number", "null"]}, "1", "type", {"expected": ["number"]}),
        ({"type": "number", "minimum": 2.5}, 2, "minimum", {"limit": 2.5}),
        ({"type": "number", "exclusiveMaximum": 3}, 3, "exclusiveMaximum", {"limit": 3}),
        ({"type": "number", "multipleOf": 0.5}, 0.3, "multipleOf", {"limit": 0.5}),
        ({"enum": ["a", "b"]}, "c", "enum", {"options": ["a", "b"]}),
        ({"const": True}, False, "const", {"options": [True]}),
        ({"oneOf": [{"const": 1, "title": "One"}, {"const": 2}]}, 3, "oneOf", {}),
        ({"type": "array", "maxItems": 1}, [1, 2], "maxItems", {"limit": 1}),
        ({"type": "array", "uniqueItems": True}, [1, 1], "uniqueItems", {}),
    ],
)
def test_every_keyword_says_what_a_sentence_in_any_language_needs(
    schema: KnownJson, value: KnownJson, keyword: str, parameters: KnownJson
) -> None:
    _, (finding,) = form({"x": schema}).check({"x": value}, {})
    assert (finding.path, finding.keyword, dict(finding.parameters)) == (("x",), keyword, parameters)
    assert finding.message


def test_a_phone_with_its_country_is_right_however_it_is_spaced() -> None:
    check = form({"phone": {"type": "string", "format": "phone"}})
    for phone in ("+48 600 700 800", "+48600700800", "+49 30 901820"):
        assert kept(check, {"phone": phone}) == {"phone": phone}


def test_the_authors_own_sentence_goes_with_the_finding() -> None:
    said = {"en": "Ten digits, please.", "pl": "Dziesięć cyfr."}
    _, (finding,) = form({"n": {"type": "string", "pattern": "^[0-9]{10}$", "errorMessage": said}}).check(
        {"n": "1"}, {}
    )
    assert finding.parameters["said"] == said
    assert finding.message == "Ten digits, please."


def test_an_empty_text_and_null_count_as_not_filled_in() -> None:
    check = form({"a": {"type": "string"}, "b": {"type": ["string", "null"]}}, required=["a"])
    assert wrong(check, {"a": ""}) == {("a", "required")}
    assert wrong(check, {"a": None}) == {("a", "required")}
    assert kept(check, {"a": "x", "b": None}) == {"a": "x", "b": None}
    assert kept(check, {"a": "x", "b": ""}) == {"a": "x"}


def test_zero_and_false_are_filled_in() -> None:
    check = form({"n": {"type": "number"}, "b": {"type": "boolean"}}, required=["n", "b"])
    assert kept(check, {"n": 0, "b": False}) == {"n": 0, "b": False}


def test_unknown_fields_are_refused_by_name_at_every_depth_unless_the_schema_allows_them() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    check = form({"one": inner, "many": {"type": "array", "items": inner}})
    assert wrong(check, {"x": 1, "one": {"y": 1}, "many": [{"z": 1}]}) == {
        ("x", "unknown"),
        ("one/y", "unknown"),
        ("many/0/z", "unknown"),
    }
    free = form({"one": inner | {"additionalProperties": True}})
    assert kept(free, {"one": {"y": 1}}) == {"one": {"y": 1}}


def test_schemas_in_parts_work_too() -> None:
    check = form(
        {"kind": {"enum": ["person", "company"]}, "number": {"type": "string"}},
        **{
            "if": {"properties": {"kind": {"const": "company"}}, "required": ["kind"]},
            "then": {"required": ["number"], "properties": {"vat": {"type": "string"}}},
        },
    )
    assert wrong(check, {"kind": "company"}) == {("number", "required")}
    assert kept(check, {"kind": "person"}) == {"kind": "person"}
    assert kept(check, {"kind": "company", "number": "1", "vat": "2"})["vat"] == "2"
    assert wrong(check, {"kind": "person", "vat": "2"}) == {("vat", "unknown")}


CONDITIONAL: dict[str, Any] = {
    "has": {"type": "boolean"},
    "what": {"type": "string", "visibleWhen": "form.has"},
    "more": {"type": "string", "visibleWhen": "form.what == 'yes'"},
    "country": {"type": "string", "visibleWhen": "parameters.p.country == 'PL'"},
    "none": {"type": "string", "visibleWhen": "!has(form.has)"},
}


def test_a_hidden_field_hides_what_depends_on_it() -> None:
    check = form(CONDITIONAL, required=["what", "more"])
    scope = {"parameters": {"p": {"country": "PL"}}}
    values = {"has": False, "what": "yes", "more": "x", "country": "y"}
    assert kept(check, values, **scope) == {"has": False, "country": "y"}
    assert wrong(check, {"has": True}, **scope) == {("what", "required")}
    assert wrong(check, {"has": True, "what": "yes"}, **scope) == {("more", "required")}
    assert check.hidden({}, {"parameters": {"p": {}}}) == {
        ("properties", "what"),
        ("properties", "more"),
        ("properties", "country"),
    }
    assert check.hidden({"has": True}, scope) == {("properties", "more"), ("properties", "none")}


def test_hidden_members_of_groups_are_left_out_of_every_item() -> None:
    item = {
        "type": "object",
        "required": ["name", "share"],
        "properties": {"name": {"type": "string"}, "share": {"type": "number", "visibleWhen": "form.shares"}},
    }
    check = form({"shares": {"type": "boolean"}, "owners": {"type": "array", "items": item}})
    values = {"shares": False, "owners": [{"name": "A", "share": "many"}, {"name": "B"}]}
    assert kept(check, values)["owners"] == [{"name": "A"}, {"name": "B"}]
    assert wrong(check, {**values, "shares": True}) == {("owners/0/share", "type"), ("owners/1/share", "required")}


def test_personal_values_are_found_and_masked_where_they_stand_also_behind_references() -> None:
    person = {"type": "object", "properties": {"name": {"type": "string", "pii": "identity"}, "x": {"type": "string"}}}
    check = form(
        {
            "who": {"$ref": "#/$defs/person"},
            "all": {"type": "array", "items": {"$ref": "#/$defs/person"}},
            "phones": {"type": "array", "pii": "contact", "items": {"type": "string"}},
            "n": {"type": "integer"},
        },
        **{"$defs": {"person": person}},
    )
    values: JsonObject = {"who": {"name": "Jo", "x": "a"}, "all": [{"name": "Li"}], "phones": ["1", "2"], "n": 3}
    assert sorted(map(str, check.personal(values))) == ["1", "2", "Jo", "Li"]
    assert check.masked(values) == {"who": {"name": "•••", "x": "a"}, "all": [{"name": "•••"}], "phones": "•••", "n": 3}


def test_scripts_are_texts_like_others() -> None:
    text = "<script>alert('x')</script>${secrets.KEY}{{7*7}}"
    assert kept(form({"a": {"type": "string"}}), {"a": text}) == {"a": text}


def test_a_pattern_that_takes_for_ever_is_given_up() -> None:
    assert wrong(form({"a": {"type": "string", "pattern": "^(?=(a+)+$)(a+)+$"}}), {"a": "a" * 60 + "!"}) == {
        ("a", "pattern")
    }


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*CONDITIONAL, "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
@example({"country": "0\xad"})
def test_whatever_is_sent_is_kept_or_refused_with_a_reason(values: KnownJson) -> None:
    """Kept as it can be read: without characters that nobody sees."""
    check = form(CONDITIONAL)
    found, findings = check.check(values, {"parameters": {"p": {"country": "PL"}}})
    assert isinstance(values, dict) or findings
    if not findings:
        seen = {name: readable(value) if isinstance(value, str) else value for name, value in values.items()}
        assert found.items() <= seen.items()
        assert check.check(found, {"parameters": {"p": {"country": "PL"}}}) == (found, [])


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "format": "emial"}, "did you mean `email`?"),
        ({"type": "array", "items": {"type": "string", "visibleWhen": "form.x"}}, "only a field can be hidden"),
        ({"type": "string", "format": "date", "latest": "tomorrow"}, "no date such as"),
        ({"type": "string", "latest": "today"}, "`format: date`"),
        ({"type": "string", "format": "date", "minAge": 1000}, "whole number of years"),
        ({"type": "string", "currency": "EUR"}, "a field with `type: number`"),
        ({"type": "number", "currency": "euro"}, "three letters"),
        ({"type": "string", "format": "phone", "defaultCountry": "Poland"}, "two letters"),
        ({"type": "string", "autofill": 7}, "true, false, or a name"),
        ({"type": "string", "check": "ibn"}, "there is no check `ibn`"),
        ({"type": "string", "check": {"with": {}}}, "must be a check's name"),
        ({"type": "string", "check": {"name": "company-number"}}, "needs the input `type`"),
        ({"type": "string", "check": {"name": "iban", "with": {"value": "x"}}}, "what is typed into the field"),
    ],
)
def test_what_would_silently_do_nothing_is_a_mistake(schema: KnownJson, said: str) -> None:
    document: JsonObject = {"name": "a", "steps": [{"id": "f", "form": {"title": "F", "schema": {
        "type": "object", "properties": {"x": schema}}}}]}  # fmt: skip
    (problem,) = compile_definition(dumps(document), KINDS).problems
    assert said in problem.message


TODAY = {"execution": {"today": "2026-03-01"}}


@pytest.mark.parametrize(
    ("schema", "value", "keyword"),
    [
        ({"latest": "today"}, "2026-03-01", None),
        ({"latest": "today"}, "2026-03-02", "latest"),
        ({"earliest": "today"}, "2026-02-28", "earliest"),
        ({"earliest": "2026-01-01", "latest": "today+30d"}, "2026-03-31", None),
        ({"earliest": "2026-01-01", "latest": "today+30d"}, "2026-04-01", "latest"),
        ({"earliest": "today-1m"}, "2026-01-31", "earliest"),
        ({"minAge": 18}, "2008-03-01", None),
        ({"minAge": 18}, "2008-03-02", "minAge"),
        ({"maxAge": 99}, "1920-01-01", "maxAge"),
        ({"latest": "today-18y"}, "2008-03-02", "latest"),
        ({}, "2990-01-01", None),
    ],
)
def test_a_date_within_the_days_that_the_author_says(schema: KnownJson, value: str, keyword: str | None) -> None:
    assert isinstance(schema, dict)
    check = form({"x": {"type": "string", "format": "date", **schema}})
    assert wrong(check, {"x": value}, **TODAY) == ({("x", keyword)} if keyword else set())


def test_nobody_was_born_tomorrow_or_lived_for_ever() -> None:
    check = form({"birthDate": {"type": "string", "format": "date"}})
    for value in ("2990-04-01", "0990-04-01", "2026-03-02"):
        assert wrong(check, {"birthDate": value}, **TODAY) == {("birthDate", "birth")}
    assert kept(check, {"birthDate": "1924-04-01"}, **TODAY) == {"birthDate": "1924-04-01"}


def test_money_has_no_more_decimals_than_its_currency() -> None:
    check = form({"pay": {"type": "number", "currency": "PLN"}, "yen": {"type": "number", "currency": "JPY"}})
    assert wrong(check, {"pay": 10.123, "yen": 10.5}, **TODAY) == {("pay", "decimals"), ("yen", "decimals")}
    assert kept(check, {"pay": 0.1, "yen": 1e6}, **TODAY) == {"pay": 0.1, "yen": 1e6}


@pytest.mark.parametrize(
    ("schema", "good", "as_kept", "bad", "reason"),
    [
        ({"format": "iban"}, "PL61 1090 1014 0000 0712 1981 2874", "PL61109010140000071219812874", "PL62109010140000071219812874", "CHECKSUM"),
        ({"format": "nip"}, "525-224-84-81", "5252248481", "5252248482", "CHECKSUM"),
        ({"format": "pesel"}, "44051401359", "44051401359", "44051401358", "CHECKSUM"),
        ({"format": "vat"}, "de 136695976", "DE136695976", "5252248481", "COUNTRY_REQUIRED"),
        ({"format": "lei"}, "5493001KJTIIGC8Y1R12", "5493001KJTIIGC8Y1R12", "5493001KJTIIGC8Y1R13", "CHECKSUM"),
        ({"check": {"name": "iban", "with": {"country": "PL"}}}, "PL61109010140000071219812874",
         "PL61109010140000071219812874", "DE89370400440532013000", "COUNTRY_MISMATCH"),
        ({"check": {"name": "iban", "with": {"country": "${form.land}"}}}, "DE89370400440532013000",
         "DE89370400440532013000", "PL61109010140000071219812874", "COUNTRY_MISMATCH"),
        ({"check": "email-address"}, "ada@example.com", "ada@example.com", "ada@", "FORMAT"),
    ],
)  # fmt: skip
def test_every_built_in_check_stands_at_a_field(
    schema: KnownJson, good: str, as_kept: str, bad: str, reason: str
) -> None:
    assert isinstance(schema, dict)
    check = form({"x": {"type": "string", **schema}, "land": {"type": "string"}})
    assert kept(check, {"x": good, "land": "DE"}, **TODAY) == {"x": as_kept, "land": "DE"}
    _, (finding,) = check.check({"x": bad, "land": "DE"}, TODAY)
    assert (finding.path, finding.keyword) == (("x",), "check")
    if finding.parameters["check"] != "email-address":
        assert finding.parameters["reason"] == reason
    assert bad not in finding.message


def test_checks_of_a_list_are_bounded_and_a_hidden_field_is_not_checked() -> None:
    check = form(
        {
            "all": {"type": "array", "items": {"type": "string", "format": "nip"}},
            "own": {"type": "string", "format": "nip", "visibleWhen": "form.all.size() == 1"},
        }
    )
    assert wrong(check, {"all": ["1"] * 201}, **TODAY) == {("", "tooLarge")}
    assert wrong(check, {"all": ["5252248481", "1"], "own": "1"}, **TODAY) == {("all/1", "check")}


def test_the_country_of_a_list_is_one_that_there_is() -> None:
    check = form({"x": {"type": "string", "format": "country"}})
    assert kept(check, {"x": "PL"}) == {"x": "PL"}
    assert wrong(check, {"x": "EU"}) == wrong(check, {"x": "Poland"}) == {("x", "format")}
