"""Values in URLs cannot change where a URL leads or what it asks for."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.kit.json import Json
from passerelle.kit.outgoing.urls import has_dot_segments, insert_into_url, plain_text, with_query

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(deadline=None)
@given(TEXTS)
def test_a_value_in_the_path_stays_one_segment(value: str) -> None:
    before = "https://host/companies/"
    parts = urlsplit(before + insert_into_url(before, value) + "/documents")
    assert (parts.netloc, parts.query, parts.fragment) == ("host", "", "")
    assert [unquote(segment) for segment in parts.path.split("/")] == ["", "companies", value, "documents"]


@settings(deadline=None)
@given(TEXTS)
def test_a_value_in_the_query_stays_one_value(value: str) -> None:
    before = "https://host/find?name="
    parts = urlsplit(before + insert_into_url(before, value) + "&exact=true")
    assert (parts.path, parts.fragment) == ("/find", "")
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == {"name": value, "exact": "true"}


@settings(deadline=None)
@given(TEXTS)
def test_a_value_in_the_host_leads_nowhere_else(value: str) -> None:
    for before, after in (("https://", ".example/x"), ("https://api.", ".example/x"), ("https://host:", "/x")):
        try:
            parts = urlsplit(before + insert_into_url(before, value) + after)
        except ValueError:
            continue
        assert parts.netloc.endswith(after.partition("/")[0])
        assert "@" not in parts.netloc
        assert (parts.path, parts.query) == ("/x", "")


@pytest.mark.parametrize("value", [".evil.example", "@evil.example", ":80@evil", "/evil", "?x", "#x", "\\evil", ""])
def test_a_value_behind_a_host_cannot_extend_it(value: str) -> None:
    with pytest.raises(ValueError, match="host"):
        insert_into_url("https://api.example", value)


@pytest.mark.parametrize("value", ["registry.example", "10.0.0.5:8090", "[fd00::1]:443", "żółw.pl", "localhost"])
def test_a_whole_host_may_have_its_port(value: str) -> None:
    assert insert_into_url("https://", value) == value


def test_a_value_at_the_very_start_is_a_url_and_stays_as_it_is() -> None:
    url = "https://host/a?b=c%20d#e"
    assert insert_into_url("", url) == url
    assert insert_into_url(url.partition("?")[0] + "/", "a/b") == "a%2Fb"


def test_an_empty_value_in_the_path_would_ask_for_something_else() -> None:
    with pytest.raises(ValueError, match="empty"):
        insert_into_url("https://host/companies/", "")
    assert insert_into_url("https://host/companies?name=", "") == ""


@pytest.mark.parametrize(("value", "what"), [(None, "null"), (["s3cret"], "a list"), ({"s3cret": 1}, "an object")])
def test_other_values_are_named_by_kind_only(value: Json, what: str) -> None:
    with pytest.raises(ValueError, match=f"is {what}") as error:
        insert_into_url("https://host/", value)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (7, "7"), (7.0, "7"), (0.5, "0.5"), (1e300, "1e+300"), ("", "")],
)
def test_numbers_and_booleans_are_written_as_in_json(value: Json, text: str) -> None:
    assert plain_text(value) == text


@pytest.mark.parametrize(
    "url", ["https://h/..", "https://h/a/../b", "https://h/./a", "https://h/%2E%2e/a", "https://h/.%2e?x"]
)
def test_parts_that_are_only_dots_are_found(url: str) -> None:
    assert has_dot_segments(url)


@pytest.mark.parametrize(
    "url", ["https://h", "https://h/a.b/...", "https://h/x?y=/../z", "https://h/x#/../", "https://h/a..b"]
)
def test_other_dots_are_nothing_special(url: str) -> None:
    assert not has_dot_segments(url)


@pytest.mark.parametrize(
    ("url", "query", "whole"),
    [
        ("https://h/x", {}, "https://h/x"),
        ("https://h/x", {"a": None}, "https://h/x"),
        ("https://h/x", {"a": "b c&d", "e": 1}, "https://h/x?a=b%20c%26d&e=1"),
        ("https://h/x?y=z", {"a": "/"}, "https://h/x?y=z&a=%2F"),
        ("https://h/x#part", {"a": True}, "https://h/x?a=true"),
        ("https://h/x", {"tag": ["a", None, "b"], "none": []}, "https://h/x?tag=a&tag=b"),
        ("https://h/x", {"ż": "ą", "empty": ""}, "https://h/x?%C5%BC=%C4%85&empty="),
    ],
)
def test_a_query_is_put_behind_the_one_that_is_there(url: str, query: dict[str, Json], whole: str) -> None:
    assert with_query(url, query) == whole


def test_a_value_that_no_query_can_hold_is_named() -> None:
    with pytest.raises(ValueError, match="`filter` is an object"):
        with_query("https://h", {"filter": {"a": 1}})
