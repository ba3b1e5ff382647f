"""Bodies become values that can be kept, or clear errors."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.kit.json import Json, dumps
from passerelle.kit.outgoing.content import ContentError, NotJson, NotText, content_of

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(VALUES)
def test_json_is_read_as_it_was_written(value: Json) -> None:
    assert content_of("application/json", dumps(value).encode()) == value


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON; charset=utf-8",
        "application/problem+json",
        "text/json",
        "application/json;x",
    ],
)
def test_json_is_known_by_its_content_type(content_type: str) -> None:
    assert content_of(content_type, b'{"a": [1, 2.5]}') == {"a": [1, 2.5]}


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "application/xml", "nonsense"])
def test_everything_else_is_text(content_type: str) -> None:
    assert content_of(content_type, '{"ż": 1}'.encode()) == '{"ż": 1}'


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_an_empty_body_is_null(content_type: str) -> None:
    assert content_of(content_type, b"") is None


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert content_of("application/json", b"\xef\xbb\xbf1") == 1
    assert content_of("text/plain", b"\xef\xbb\xbfa") == "a"


def test_the_charset_is_taken_from_the_content_type() -> None:
    assert content_of("text/plain; charset=ISO-8859-2", "żółw".encode("iso8859-2")) == "żółw"
    assert content_of('application/json; charset="windows-1250"', '"żółw"'.encode("cp1250")) == "żółw"
    assert content_of("text/plain; charset=UTF-16", "żółw".encode("utf-16")) == "żółw"


@pytest.mark.parametrize("charset", ["nonsense", "base64", "punycode", "idna", "unicode_escape", "utf-7", "a\0b"])
def test_only_charsets_of_the_web_are_known(charset: str) -> None:
    """Python knows codecs that are slow by design, or no text at all: other names say nothing, as in browsers."""
    assert content_of(f"text/plain; charset={charset}", "+AGE-żYWJj".encode()) == "+AGE-żYWJj"
    assert content_of(f"text/plain; charset={charset}", b"caf\xe9") == "café"


def test_a_mark_tells_more_than_a_charset() -> None:
    assert content_of("text/plain; charset=utf-8", "żółw".encode("utf-16")) == "żółw"
    assert content_of("application/json", '{"ż": 1}'.encode("utf-16")) == {"ż": 1}


def test_a_body_without_a_type_may_be_json() -> None:
    assert content_of("", b' {"a": 1}') == {"a": 1}
    assert content_of("", b"{a}") == "{a}"


@pytest.mark.parametrize("body", [b"\xff\x00", b"%PDF-1.7\n\xe2\xe3\xcf\xd3", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_text_is_named_so(body: bytes) -> None:
    with pytest.raises(NotText, match="not text in utf-8"):
        content_of("application/octet-stream", body)


def test_nul_cannot_be_kept() -> None:
    with pytest.raises(NotText, match="NUL"):
        content_of("text/plain", b"a\0b")
    for body in (b'["a\\u0000b"]', b'{"a\\u0000b": 1}'):
        with pytest.raises(NotJson, match="NUL"):
            content_of("application/json", body)
    assert content_of("application/json", b'["a\\\\u0000b"]') == ["a\\u0000b"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "not JSON"),
        (b"<html>", "not JSON"),
        (b"NaN", "not JSON"),
        (b"[Infinity]", "not JSON"),
        (b'"\\ud800"', "not JSON"),
        (b"{} {}", "not JSON"),
        (b"1" + b"0" * 400, "64 bits"),
        (b"1" * 5_000, "not JSON"),
        (b"[18446744073709551616]", "64 bits"),
        (b"[-9223372036854775809]", "64 bits"),
        (b"[1e400]", "too large"),
        (b"[-1E+999]", "too large"),
        (b"[" * 300 + b"]" * 300, "deeper than 200 levels"),
        (b"[" * 100_000, "deeper than 200 levels"),
        (b'{"a":' * 10_000, "deeper than 200 levels"),
    ],
)
def test_json_that_cannot_be_kept_is_named(body: bytes, says: str) -> None:
    with pytest.raises(NotJson, match=says):
        content_of("application/json", body)


@pytest.mark.parametrize(
    "body", [b"[9223372036854775807, -9223372036854775808, 1e308, 1.5e-400]", b'["12345678901234567890123"]']
)
def test_what_only_looks_too_large_is_kept(body: bytes) -> None:
    assert isinstance(content_of("application/json", body), list)


@settings(deadline=None)
@given(st.text(max_size=40), st.binary(max_size=200))
def test_any_answer_is_a_value_that_can_be_written_or_an_error(content_type: str, body: bytes) -> None:
    try:
        value = content_of(content_type, body)
    except ContentError:
        return
    assert "\0" not in dumps(value)
