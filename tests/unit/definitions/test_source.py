"""Reading the text: what YAML means here, where everything stands, and that no text can do harm."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from passerelle.definitions.source import MAX_DEPTH, read_source


def told(text: str) -> list[str]:
    """What is wrong with a text, as `line:column message`."""
    return [f"{problem.line}:{problem.column} {problem.message}" for problem in read_source(text).problems]


# What plain words mean.


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "y", "N", "2026-01-05", "2026-01-05T10:00:00Z", "12:30"])
def test_the_surprises_of_yaml_1_1_stay_texts(word: str) -> None:
    assert read_source(f"{word}: {word}").value == {word: word}


@pytest.mark.parametrize("word", ["0123", "0o17", "0x1F", "1_000", "+48123", ".5", "5.", "1e", "--1", "NULLABLE"])
def test_what_json_would_not_read_as_a_number_stays_a_text(word: str) -> None:
    assert read_source(f"a: {word}").value == {"a": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("|\n  1", "1"),
    ],
)
def test_words_of_json_are_its_values(word: str, value: object) -> None:
    read = read_source(f"a: {word}")
    assert (read.value, read.problems) == ({"a": value}, ())
    assert type(read.value["a"]) is type(value)


# What is refused.


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "1:1 the text is empty; a definition needs at least `name` and `steps`"),
        ("# nothing\n", "1:1 the text is empty; a definition needs at least `name` and `steps`"),
        ("a: 1\nb: 2\na: 3\n", "3:1 the key stands twice, first on line 1; keep one of them"),
        ("a: .inf", '1:4 there is no number `.inf`; write ".inf" if a text is meant'),
        ("a: -.NaN", '1:4 there is no number `-.NaN`; write "-.NaN" if a text is meant'),
        ("a: 1e999", '1:4 the number is too large; write "1e999" if a text is meant'),
        (
            "a: 18446744073709551616",
            '1:4 the number is too large; write "18446744073709551616" if a text is meant',
        ),
        ("1: a", '1:1 a key must be a text; write it in quotes: "1"'),
        ("true: a", '1:1 a key must be a text; write it in quotes: "true"'),
        ("[a]: b", "1:1 a key must be a text; a text that begins with a bracket must be in quotes"),
        ("a: &x b\n*x : c", "2:1 an alias cannot be a key; write the key out"),
        ("<<: {a: 1}", "1:1 merge keys are not supported; write the keys out"),
        ("a: !secret b", "1:4 tags such as `!secret` are not supported; quotes make a text"),
        ("a: !!str 1", "1:4 tags such as `tag:yaml.org,2002:str` are not supported; quotes make a text"),
        ("a: 1\n---\nb: 2", "2:1 a second document begins here; a definition is one document, without `---`"),
        ("a: *x", "1:4 `*x` repeats nothing; write `&x` before a value above"),
        ("a: &x [*x]", "1:8 `*x` stands inside of what it repeats; write the value out"),
        ('a: "\\0"', "1:4 a text may not contain the character NUL; remove it"),
        ("a: b\0", "1:5 the character U+0000 may not stand in YAML; remove it"),
        ("a:\n  b\ud800", "2:4 the character U+D800 may not stand in YAML; remove it"),
        ("a:\n\t- b", "2:1 is not YAML: a tab cannot indent; use spaces"),
        (
            "a: b: c",
            "1:5 is not YAML: mapping values are not allowed in this context: a text with `: ` in it must be in"
            " quotes, and keys of one mapping must stand in the same column",
        ),
        (
            "a: 'b",
            "1:6 is not YAML: found unexpected end of stream: a quote or a bracket is open to the end of the text",
        ),
        ("[" * 5000, "1:101 more than 100 levels of lists and mappings; flatten it"),
        (
            "a: " + "x" * 1_000_000,
            "1:1 the text has 1,000,003 bytes; a definition may have 1,000,000: split it with `workflow` steps",
        ),
    ],
)
def test_what_is_refused_and_how(text: str, wrong: str) -> None:
    assert told(text) == [wrong]


def test_everything_wrong_is_told_at_once() -> None:
    assert len(told("a: .inf\na: 1\n2: x\nb: *x\n")) == 4


def test_of_a_key_that_stands_twice_the_first_value_counts() -> None:
    assert read_source("a: 1\na: 2").value == {"a": 1}


def test_aliases_repeat_values() -> None:
    assert read_source("a: &x {b: [1]}\nc: *x").value == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_aliases_cannot_blow_a_text_up() -> None:
    levels = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
    assert told(f"a0: &a0 [x, x, x]\n{levels}") == ["6:25 more than 100,000 values, those that aliases repeat included"]


def test_aliases_cannot_nest_deeper_than_text_can() -> None:
    levels = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, MAX_DEPTH + 1))
    assert told(f"a0: &a0 []\n{levels}") == ["100:12 more than 100 levels of lists and mappings; flatten it"]


# Places.


def test_every_key_and_item_has_its_place() -> None:
    source = read_source("name: a\nsteps:\n  - id: one\n    set:\n      x: [1, 2]\n")
    assert source.place(("steps", 0)) == (3, 5)
    assert source.place(("steps", 0, "set", "x")) == (5, 7)
    assert source.place(("steps", 0, "set", "x", 1)) == (5, 14)


def test_what_is_missing_is_where_it_should_stand() -> None:
    source = read_source("name: a\nsteps:\n  - id: one\n")
    assert source.place(("steps", 0, "http", "url")) == (3, 5)
    assert source.place(("nothing",)) == (1, 1)


def test_what_an_alias_repeats_stands_at_the_alias() -> None:
    source = read_source("a: &x\n  b: 1\nc: *x\n")
    assert source.place(("c", "b")) == (3, 1)


# JSON is read as JSON, whoever wrote it.


@pytest.mark.parametrize(
    "text",
    [
        '{"a":\t1,\n\t"b":[true,null]}',
        '{"emoji": "\\ud83d\\ude00", "escaped": "\\\\ud83d\\\\ude00"}',
        '{"a":"x\u2028y\x7f\x85z"}',
        '{"path":"a\\/b"}',
        '{"":""}',
        json.dumps({"a": {"b": "ąę"}}, indent="\t"),
    ],
)
def test_corners_in_which_yaml_is_not_json(text: str) -> None:
    read = read_source(text)
    assert (read.value, read.problems) == (json.loads(text), ())


def test_lines_of_json_are_those_of_the_text() -> None:
    assert read_source('{\n\t"a": {\n\t\t"b": 1}}').place(("a", "b")) == (3, 3)


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_source("\ufeffa: 1").value == {"a": 1}


# Any value survives, and no text makes it fall over.

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.booleans(), st.sampled_from([None, 2, "\t"]))
def test_any_json_is_read_as_json_reads_it(value: dict[str, Any], ascii_only: bool, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read_source(text).value == json.loads(text)


def ambiguous(value: object) -> bool:
    """Whether YAML 1.1 and JSON disagree about a text that PyYAML would write without quotes."""
    if isinstance(value, dict):
        return any(ambiguous(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(ambiguous, value))
    return isinstance(value, str) and re.fullmatch(r"-?[0-9]+[eE][-+]?[0-9]+", value) is not None


@given(VALUES.filter(lambda value: not ambiguous(value)), st.booleans())
def test_any_value_is_read_as_pyyaml_reads_it(value: Any, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert read_source(text).value == yaml.safe_load(text)


@given(st.text(max_size=200) | st.text("{}[]:-,&*!|>'\"#%@\n \tab1<?", max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    read = read_source(text)
    assert read.readable or read.problems
