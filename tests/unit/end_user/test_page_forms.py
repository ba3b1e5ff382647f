"""A form from a JSON Schema and back: nothing that was typed is lost or changed on the way."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.end_user.pages.forms.dates import join_date, months_in, parse_date
from passerelle.end_user.pages.forms.hints import attributes_of
from passerelle.end_user.pages.forms.model import Control, FormField
from passerelle.end_user.pages.forms.numbers import format_number, parse_number
from passerelle.end_user.pages.forms.parsing import parse_form
from passerelle.end_user.pages.forms.posted import Posted
from passerelle.end_user.pages.forms.problems import sentences
from passerelle.end_user.pages.forms.reading import read_form
from passerelle.end_user.pages.forms.view import FormState, view_form
from passerelle.end_user.pages.rendering import fields_html
from passerelle.end_user.session.models import FieldProblem
from passerelle.kit.text import composed
from passerelle.languages.service import shipped

EN, PL = shipped()["en"], shipped()["pl"]


class _Controls(HTMLParser):
    """What a browser would send for the form that it got."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self._select: str | None = None
        self._area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name")
        if tag == "input" and name and (found.get("type") not in ("checkbox", "radio") or "checked" in found):
            self.pairs.append((name, found.get("value") or ""))
        if tag == "select":
            self._select = name
        if tag == "option" and self._select and "selected" in found:
            self.pairs.append((self._select, found["value"] or ""))
        if tag == "textarea" and name:
            self._area = name
            self.pairs.append((name, ""))

    def handle_data(self, data: str) -> None:
        if self._area:
            name, typed = self.pairs[-1]
            self.pairs[-1] = (name, typed + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        if tag == "textarea" and self._area:
            name, typed = self.pairs[-1]
            # Browsers drop the first line break of a text area, and send others as CR LF.
            self.pairs[-1] = (name, typed.removeprefix("\n").replace("\n", "\r\n"))
            self._area = None


def _sent(html: str) -> Posted:
    parser = _Controls()
    parser.feed(html)
    parser.close()
    return Posted.of(parser.pairs)


def _round_trip(form: FormField, values: dict[str, Any], language: Any = EN) -> dict[str, Any]:
    html = fields_html(view_form(form, FormState(values, language, region="PL")), language)
    return parse_form(form, _sent(html), language.decimal, keep_blank=True).values


# A word as people type it: no blanks around it, which are taken away, and no control characters.
WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\x85"), min_size=1, max_size=20
).map(composed)  # as every text is kept
NAMES = st.text("abcXYZ019 _-/~%é\"'<>&#", min_size=1, max_size=8).filter(lambda name: name.strip() == name)
LINES = st.lists(WORDS, min_size=1, max_size=4).map("\n".join)


def _scalars() -> st.SearchStrategy[tuple[dict[str, Any], st.SearchStrategy[Any]]]:
    integers = st.integers(-(2**63) + 1, 2**63 - 1)
    floats = st.floats(allow_nan=False, allow_infinity=False, width=32).map(
        lambda n: int(n) if n.is_integer() and abs(n) < 2**53 else n
    )
    return st.one_of(
        st.just(({"type": "string"}, WORDS)),
        st.just(({"type": "string", "maxLength": 1000}, LINES)),
        st.just(({"type": "string", "format": "email"}, st.emails())),
        st.just(({"type": "string", "format": "date"}, st.dates().map(lambda day: day.isoformat()))),
        st.just(
            (
                {"type": "string", "format": "phone"},
                st.sampled_from(["+48600100200", "+12125550123", "+442079460958", "+77012345678"]),
            )
        ),
        st.just(({"type": "integer"}, integers)),
        st.just(({"type": "number"}, st.one_of(integers, floats))),
        st.just(({"type": "boolean"}, st.booleans())),
        st.lists(st.one_of(WORDS, st.integers(0, 99), st.booleans()), min_size=1, max_size=9, unique_by=repr).map(
            lambda options: ({"enum": options}, st.sampled_from(options))
        ),
        st.lists(WORDS, min_size=1, max_size=5, unique=True).map(
            lambda options: (
                {"type": "array", "items": {"enum": options}},
                st.sets(st.sampled_from(options), min_size=1).map(
                    lambda chosen: [one for one in options if one in chosen]
                ),
            )
        ),
    )


@st.composite
def _objects(draw: st.DrawFn, depth: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """A schema of an object and values that fit it, every field filled in."""
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    values: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        shape = draw(st.sampled_from(["scalar", "scalar", "scalar", "object", "list"] if depth < 2 else ["scalar"]))
        if shape == "scalar":
            inner, strategy = draw(_scalars())
            value = draw(strategy)
        elif shape == "object":
            inner, value = draw(_objects(depth + 1))
            inner["properties"]["always"], value["always"] = {"type": "string"}, "x"
        else:
            item, filled = draw(_objects(depth + 1))
            item["properties"]["always"], filled["always"] = {"type": "string"}, "x"
            inner, value = {"type": "array", "items": item}, [filled] * draw(st.integers(1, 3))
        schema["properties"][name] = inner
        values[name] = value
    schema["required"] = draw(st.lists(st.sampled_from(sorted(values)), unique=True))
    return schema, values


@given(_objects(), st.sampled_from([EN, PL]))
def test_what_a_form_shows_comes_back_as_it_was(pair: tuple[dict[str, Any], dict[str, Any]], language: Any) -> None:
    schema, values = pair
    assert _round_trip(read_form(schema), values, language) == values


@given(
    st.one_of(st.integers(-(2**63) + 1, 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False)),
    st.sampled_from(".,"),
)
def test_a_number_is_written_so_that_it_can_be_read_back(number: float, decimal: str) -> None:
    assert parse_number(format_number(number, decimal), decimal) == number


@given(st.text(max_size=60), st.sampled_from(".,"))
def test_any_text_is_a_number_or_none(typed: str, decimal: str) -> None:
    number = parse_number(typed, decimal)
    assert number is None or isinstance(number, int | float)


@pytest.mark.parametrize(
    ("typed", "decimal", "number"),
    [
        ("1 234,50", ",", 1234.5), ("1\u00a0234,50", ",", 1234.5), ("1,234.50", ".", 1234.5), ("1.234,50", ".", 1234.5),
        ("1,234", ".", 1234), ("1,234", ",", 1.234), ("1.234", ",", 1234), ("0.234", ",", 0.234), ("12,5", ".", 12.5), ("12.5", ",", 12.5), ("1,234,567", ".", 1234567),
        ("1'234.50", ".", 1234.5), ("-3", ".", -3), ("−3", ".", -3), ("+3", ".", 3), (".5", ".", 0.5), ("5.", ".", 5), ("007", ".", 7),
        ("", ".", None), ("-", ".", None), (".", ".", None), ("1e5", ".", None), ("NaN", ".", None), ("Infinity", ".", None), ("0x10", ".", None), ("1_000", ".", None),
        ("12 zł", ",", 12), ("1,23,456", ".", 123456), ("1.2.3", ".", None), ("1,2.3,4", ".", None), ("٣", ".", 3), ("9" * 30, ".", None), ("9" * 500, ".", None),
    ],
)  # fmt: skip
def test_numbers_as_people_type_them(typed: str, decimal: str, number: float | None) -> None:
    assert parse_number(typed, decimal) == number


FORM = read_form(
    {
        "type": "object",
        "required": ["name", "agree", "owners"],
        "properties": {
            "name": {"type": "string", "title": {"en": "Name", "pl": "Nazwa"}, "minLength": 2},
            "born": {"type": "string", "format": "date"},
            "share": {"type": "number", "maximum": 100},
            "agree": {"const": True, "type": "boolean"},
            "sure": {"type": "boolean"},
            "owners": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["first"],
                    "properties": {"first": {"type": "string"}, "last": {"type": "string"}},
                },
            },
            "extra": {"type": "string", "visibleWhen": "form.sure"},
        },
    }
)


def _posted(**values: str) -> Posted:
    return Posted.of((name.replace("__", "#"), value) for name, value in values.items())


@pytest.mark.parametrize(
    ("parts", "value"),
    [
        (("31", "12", "1980"), "1980-12-31"), (("1", "2", "2000"), "2000-02-01"), (("31", "2", "2000"), "31/2/2000"),
        (("1", "", ""), "1//"), (("1", "2", "98"), "1/2/98"), (("a", "b", "c"), "a/b/c"), (("1/2", "3", "2000"), "1 2/3/2000"), (("29", "2", "2100"), "29/2/2100"),
    ],
)  # fmt: skip
def test_a_date_of_three_parts(parts: tuple[str, str, str], value: str) -> None:
    """What is no date stays as it was typed, part by part, so that only the wrong part has to be typed again."""
    sent = Posted.of(zip(("/born#day", "/born#month", "/born#year"), parts, strict=True))
    assert parse_form(FORM, sent, ".").values == {"born": value}
    shown = fields_html(view_form(FORM, FormState({"born": value}, EN)), EN)
    assert parse_form(FORM, _sent(shown), ".").values["born"] == value


@pytest.mark.parametrize("typed", ["31.12.1980", "31/12/1980", "31-12-1980", "31 12 1980", "1980-12-31"])
def test_a_date_as_one_text(typed: str) -> None:
    assert parse_form(FORM, Posted.of([("/born", typed)]), ".").values == {"born": "1980-12-31"}


def test_an_empty_form_has_no_values_and_says_what_was_emptied() -> None:
    sent = Posted.of([("/name", "  "), ("/sure", ""), ("/owners", "1"), ("/owners/0/first", "")])
    parsed = parse_form(FORM, sent, ".")
    assert parsed.values == {"sure": False}
    assert set(parsed.emptied) == {"name", "owners"}
    assert parsed.draft() == {"sure": False, "name": None, "owners": None}


def test_a_blank_item_is_kept_while_typing_and_left_out_when_sent() -> None:
    sent = Posted.of([("/owners", "2"), ("/owners/0/first", "Ada"), ("/owners/1/first", "")])
    assert parse_form(FORM, sent, ".", keep_blank=True).values == {"owners": [{"first": "Ada"}, {}]}
    assert parse_form(FORM, sent, ".").values == {"owners": [{"first": "Ada"}]}


@pytest.mark.parametrize("count", ["-1", "x", "", "1000", "1e3", "٣"])
def test_a_count_that_nobody_types_is_not_believed(count: str) -> None:
    assert parse_form(FORM, Posted.of([("/owners", count)]), ".").values == {}


def _problem(pointer: str, keyword: str, **parameters: Any) -> FieldProblem:
    return FieldProblem("FIELD_INVALID", "in English", pointer, keyword, parameters)


def test_every_problem_is_told_at_its_field_in_the_language_of_the_page() -> None:
    """In the order of the page, whatever the order in which they were found."""
    found = [
        _problem("/owners/1/first", "required"),
        _problem("/owners/0/first", "required"),
        _problem("/strange", "unknown"),
        _problem("/agree", "const", options=[True]),
        _problem("/share", "type", expected=["number"]),
        _problem("/born", "format", format="date"),
        _problem("/name", "minLength", limit=2),
        _problem("/name", "required"),
    ]
    told = sentences(FORM, found, EN)
    assert list(told.items()) == [
        ("/name", "This is too short. Characters needed: 2."),
        ("/born", "Enter a real date, for example 31 3 1980."),
        ("/share", "Enter a number, for example 12.50."),
        ("/agree", "Please tick this box to go on."),
        ("/owners/0/first", "Please fill this in."),
        ("/owners/1/first", "Please fill this in."),
        ("/strange", "This was not asked for."),
    ]
    assert sentences(FORM, found, PL)["/owners/0/first"] == "Uzupełnij to pole."
    assert sentences(FORM, [_problem("/share", "maximum", limit=99.5)], PL) == {"/share": "Wpisz 99,5 lub mniej."}


def test_the_authors_own_words_come_first() -> None:
    said = _problem("/name", "pattern", pattern="x", said={"en": "Ten digits, please.", "pl": "Dziesięć cyfr."})
    assert sentences(FORM, [said], PL) == {"/name": "Dziesięć cyfr."}


@given(
    st.text(max_size=12),
    st.dictionaries(st.sampled_from(["limit", "format", "options"]), st.none() | st.integers() | st.text(max_size=5)),
)
def test_whatever_is_wrong_has_a_sentence(keyword: str, parameters: dict[str, Any]) -> None:
    for name in (keyword, "required", "format", "minLength", "maximum", "type"):
        told = sentences(FORM, [_problem("/name", name, **parameters)], EN)
        assert told["/name"]


def test_a_hidden_field_is_there_but_not_sent() -> None:
    shown = fields_html(view_form(FORM, FormState({"extra": "x"}, EN, hidden={"/properties/extra"})), EN)
    assert 'data-source="/properties/extra" hidden disabled' in shown


@given(st.dictionaries(st.sampled_from(["name", "born", "share", "agree", "sure", "owners", "extra"]), st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6)))  # fmt: skip
def test_any_draft_can_be_shown(values: dict[str, Any]) -> None:
    """A draft may hold anything: it is somebody's half-typed page, or was written for an older revision."""
    html = fields_html(view_form(FORM, FormState(values, EN)), EN)
    assert 'name="/name"' in html


@given(st.text(max_size=40))
def test_nothing_that_was_typed_becomes_markup(typed: str) -> None:
    html = fields_html(view_form(FORM, FormState({"name": typed}, EN, problems={"/name": typed})), EN)
    tags = {match[1] for match in re.finditer(r"<(/?[a-zA-Z]+)", html)}
    assert tags <= {
        tag
        for one in (
            "div",
            "label",
            "input",
            "p",
            "span",
            "fieldset",
            "legend",
            "button",
            "ul",
            "li",
            "svg",
            "path",
            "h2",
            "h3",
            "use",
            "circle",
        )
        for tag in (one, f"/{one}")
    }


@pytest.mark.parametrize(
    ("schema", "control"),
    [
        ({"type": ["string", "null"]}, Control.TEXT),
        ({}, Control.TEXT),
        ({"enum": ["a", "b"]}, Control.RADIOS),
        ({"enum": list("abcdef")}, Control.SELECT),
        ({"oneOf": [{"const": 1, "title": "One"}]}, Control.RADIOS),
        ({"type": "array", "items": {"enum": ["a"]}}, Control.CHECKS),
        ({"type": "array", "items": {"type": "string"}}, Control.REPEAT),
        ({"type": "object", "properties": {"countryCode": {}, "number": {}}}, Control.PHONE_PARTS),
        ({"$ref": "#/$defs/day"}, Control.DATE),
        ({"const": 3}, Control.CONST),
        ({"maxLength": 2000}, Control.AREA),
    ],
)
def test_which_control_asks_for_what(schema: dict[str, Any], control: Control) -> None:
    form = read_form(
        {"type": "object", "properties": {"x": schema}, "$defs": {"day": {"type": "string", "format": "date"}}}
    )
    assert form.fields[0].control is control


def test_a_schema_that_refers_to_itself_ends() -> None:
    form = read_form(
        {
            "type": "object",
            "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#/$defs/no"}, "c": {"$ref": "#/properties/c"}},
        }
    )
    assert {field.name for field in form.fields} == {"a", "b", "c"}


def test_a_moment_of_another_zone_is_shown_in_utc() -> None:
    form = read_form({"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}})
    (shown,) = view_form(form, FormState({"at": "2026-07-01T00:30:00+02:00"}, EN))
    assert shown.value == "2026-06-30T22:30:00"


def test_a_group_that_may_stay_empty_says_so_where_its_fields_do_not() -> None:
    street = {"type": "object", "properties": {"street": {"type": "string"}}}
    schema = {
        "type": "object",
        "required": ["home"],
        "properties": {
            "home": {**street, "required": ["street"]},
            "second": {**street, "required": ["street"]},
            "third": street,
            "names": {"type": "array", "items": {"type": "string"}},
        },
    }
    shown = view_form(read_form(schema), FormState({}, EN))
    assert [one.pointer for one in shown if one.optional] == ["/second", "/names"]


MONTHS = months_in("pl", "ar")


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("1.04.1990", "1990-04-01"), ("1990-04-01", "1990-04-01"), ("1990/4/1", "1990-04-01"), ("1 April 1990", "1990-04-01"),
        ("April 1, 1990", "1990-04-01"), ("1st Apr 1990", "1990-04-01"), ("1 kwietnia 1990 r.", "1990-04-01"),
        ("1 kwi 1990", "1990-04-01"), ("١ أبريل ١٩٩٠", "1990-04-01"), ("31.2.1990", "31.2.1990"), ("1.4.90", "1.4.90"),
        ("born 1.4.1990", "born 1.4.1990"), ("x" * 100, "x" * 100), ("1 Smarch 1990", "1 Smarch 1990"),
    ],
)  # fmt: skip
def test_a_date_is_read_as_people_write_and_paste_it(typed: str, iso: str) -> None:
    assert parse_date(typed, MONTHS) == iso
    if iso != typed:
        for parts in ((typed, "", ""), ("", typed, "")):
            assert join_date(*parts, MONTHS) == iso


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (("1", "4", ""), "The year is missing."),
        (("", "4", "1990"), "The day is missing."),
        (("1", "", "1990"), "The month is missing."),
        (("1", "4", "90"), "Write the year with four digits."),
        (("31", "2", "1990"), "Enter a real date, for example 31 3 1980."),
    ],
)
def test_the_missing_part_of_a_date_is_named_and_marked(parts: tuple[str, str, str], said: str) -> None:
    value = join_date(*parts, MONTHS)
    told = sentences(FORM, [_problem("/born", "format", format="date")], EN, {"born": value})
    assert told == {"/born": said}
    shown = next(one for one in view_form(FORM, FormState({"born": value}, EN, told)) if one.pointer == "/born")
    blank = tuple(not part for part in parts)
    assert shown.wrong_parts == (blank if any(blank) else (True, True, True))


def test_a_field_says_what_to_enter_where_it_is_the_persons_own() -> None:
    form = read_form(
        {
            "type": "object",
            "properties": {
                "firstName": {"type": "string"},
                "phone": {"type": "string", "format": "phone"},
                "spouse": {"type": "object", "properties": {"firstName": {"type": "string"}}},
            },
        }
    )
    found = [_problem("/firstName", "required"), _problem("/spouse/firstName", "required")]
    assert sentences(form, found, EN) == {
        "/firstName": "Enter your first name.",
        "/spouse/firstName": EN("problem.required"),
    }
    assert "Enter your first name." in EN.naming
    lost = [_problem("/phone", "format", format="phone")]
    assert sentences(form, lost, EN, {"phone": "600 100 200"})["/phone"] == EN("problem.phone_country")
    assert sentences(form, lost, EN, {"phone": "+48 1"})["/phone"] == EN("problem.format_phone")


@pytest.mark.parametrize(
    ("path", "about", "more", "token"),
    [
        ("firstName", "you", {}, "given-name"),
        ("spouse/firstName", "you", {}, "off"),
        ("spouse/firstName", "you", {"autofill": True}, "given-name"),
        ("home/postalCode", "you", {}, "postal-code"),
        ("billingAddress/postalCode", "you", {}, "billing postal-code"),
        ("firstName", "guardian", {}, "off"),
        ("name", "company Your company", {}, "organization"),
        ("email", "company Your company", {}, "off"),
        ("email", "you", {"autofill": False}, "off"),
        ("code", "you", {"autofill": "one-time-code"}, "one-time-code"),
        ("code", "you", {}, None),
    ],
)
def test_only_the_persons_own_fields_are_filled_in_by_the_browser(
    path: str, about: str, more: dict[str, Any], token: str | None
) -> None:
    group, _, name = path.rpartition("/")
    schema = {"type": "object", "properties": {name: {"type": "string", **more}}}
    form = read_form({"type": "object", "properties": {group: schema}} if group else schema)
    field = next(one for one in form.walk() if one.name == name)
    assert attributes_of(field, about).get("autocomplete") == token


def test_a_country_is_chosen_by_its_name_in_the_readers_language() -> None:
    form = read_form(
        {
            "type": "object",
            "properties": {
                "land": {"type": "string", "format": "country"},
                "country": {"enum": ["DE", "PL"]},
                "size": {"enum": ["S", "M"]},
            },
        }
    )
    land, country, size = view_form(form, FormState({"land": "DE"}, PL))
    assert land.searched
    assert [one.label for one in land.choices if one.chosen] == ["Niemcy"]
    assert [(one.key, one.label) for one in country.choices] == [("DE", "Niemcy"), ("PL", "Polska")]
    assert not country.searched
    assert [one.label for one in size.choices] == ["S", "M"]


@pytest.mark.parametrize(
    ("typed", "currency", "number"),
    [
        ("1 234,50 zł", "PLN", 1234.5), ("PLN 12", "PLN", 12), ("€ 12", "EUR", 12), ("12 €", "PLN", None), ("$12", "", 12),
        ("-5 zł", "PLN", -5), ("12,34,567.5", "", 1234567.5), ("CHF 1'000", "CHF", 1000), ("١٢٫٥", "", 12.5),
    ],
)  # fmt: skip
def test_amounts_are_read_with_the_sign_of_their_own_currency(typed: str, currency: str, number: float | None) -> None:
    assert parse_number(typed, ",", currency) == number
