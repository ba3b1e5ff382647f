"""`Accept` is read as media types, and chooses the version that answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.media_types import (
    DeprecationNotice,
    Versioned,
    negotiate,
    parse_accept,
    versioned_headers,
)


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (None, 1),
        ("", 1),
        ("*/*", 1),
        ("application/json", 1),
        ("application/*", 1),
        ("application/json;version=1", 1),
        ("application/json;version=2", 2),
        ("APPLICATION/JSON;VERSION=2", 2),
        ("  application/json ;  version = 2 ", 2),
        ('application/json;version="2"', 2),
        (r'application/json;version="\2"', 2),
        ("application/json;charset=utf-8;version=2", 2),
        ("application/json;q=0.5;version=2", 2),
        ("text/html, application/json;version=2", 2),
        ("text/html,application/xhtml+xml,*/*;q=0.8", 1),
        ("text/html", 1),
        ("application/json;version=1;q=0.4, application/json;version=2;q=0.9", 2),
        ("application/json;version=2;q=0.4, application/json;q=0.9", 1),
        ("application/json, application/json;version=2", 2),
        ("application/json;version=7, */*;q=0.1", 1),
        ("application/json;version=7, application/json;version=2;q=0.1", 2),
        ("application/json;version=1;q=0, */*", 2),
        ("application/json;version=2;q=abc", 2),
        ('application/json;x="a,b;version=1";version=2', 2),
        ('text/plain;x="application/json;version=9", application/json;version=2', 2),
        (",,;, ;version=2,", 1),
    ],
)
def test_the_version_that_a_header_asks_for(accept: str | None, version: int) -> None:
    assert negotiate(accept, available=(1, 2)) == version


@pytest.mark.parametrize(
    "accept",
    [
        "application/json;version=3",
        "application/json;version=0",
        "application/json;version=02",
        "application/json;version=",
        "application/json;version=two",
        "application/json;version=2.0",
        "application/json;version=-1",
        "application/json;version=٢".encode().decode("latin-1"),
        "application/*;version=9",
        "*/*;version=9",
        "text/html, application/json;version=9",
        "application/json;q=0",
        "application/json;version=2;q=0",
    ],
)
def test_a_version_that_there_is_not_is_refused_by_name(accept: str) -> None:
    with pytest.raises(PasserelleError) as caught:
        negotiate(accept, available=(1, 2))

    assert caught.value.status == 406
    assert caught.value.problems[0].code == "UNSUPPORTED_VERSION"
    assert caught.value.headers["Vary"] == "Accept"
    for version in (1, 2):
        assert f"`Accept: application/json;version={version}`" in caught.value.problems[0].message


def test_an_endpoint_with_one_version_answers_it_whatever_the_header_says() -> None:
    assert negotiate("application/json;version=9", available=(1,)) == 1


@pytest.mark.parametrize("accept", [None, "*/*", "application/json"])
def test_a_key_pins_the_version_of_requests_that_name_none(accept: str | None) -> None:
    assert negotiate(accept, available=(1, 2), default=2) == 2


def test_a_named_version_beats_the_pinned_one() -> None:
    assert negotiate("application/json;version=1", available=(1, 2), default=2) == 1


def test_a_pinned_version_that_the_endpoint_lacks_is_its_first() -> None:
    assert negotiate(None, available=(1, 2), default=3) == 1


_token = st.text(st.characters(codec="ascii", exclude_characters='",;= \\', categories=["L", "N", "P"]), min_size=1)
_quoted = st.text(max_size=8).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
_parameter = st.tuples(_token.filter(lambda name: name.lower() not in ("q", "version")), st.one_of(_token, _quoted))
_space = st.sampled_from(["", " ", "  ", "\t"])


@st.composite
def _ranges(draw: st.DrawFn) -> tuple[str, int | None, float]:
    """A range that covers JSON, its version and its quality, spelled in any of the ways that mean the same."""
    version = draw(st.none() | st.integers(1, 99))
    thousandths = draw(st.integers(0, 1000))
    parameters = [f"{name}={value}" for name, value in draw(st.lists(_parameter, max_size=2))]
    if version is not None:
        parameters.append(draw(st.sampled_from([f"version={version}", f'Version="{version}"'])))
    parameters.append(f"q={thousandths / 1000:.3f}")
    separator = draw(_space) + ";" + draw(_space)
    name = draw(st.sampled_from(["application/json", "Application/JSON"]))
    return separator.join([name, *draw(st.permutations(parameters))]), version, thousandths / 1000


@given(st.lists(_ranges(), min_size=1, max_size=4), _space)
def test_ranges_are_read_back_however_they_are_spelled(ranges: list[tuple[str, int | None, float]], space: str) -> None:
    parsed = parse_accept(f"{space},{space}".join(text for text, _, _ in ranges))

    assert [(one.version, one.q) for one in parsed] == [
        (None if version is None else str(version), q) for _, version, q in ranges
    ]


@given(st.text())
def test_whatever_stands_in_the_header_a_version_or_a_refusal_comes_out(accept: str) -> None:
    outcome: int
    try:
        outcome = negotiate(accept, available=(1, 2))
    except PasserelleError as refusal:
        outcome = refusal.status

    assert outcome in (1, 2, 406)


def test_a_header_made_to_be_slow_is_read_in_one_pass() -> None:
    """Unclosed quotes, escaped quotes: with backtracking this would take minutes."""
    for text in ('"\\' * 30_000, '\\"' * 30_000, '"' * 60_001, 'application/json;x="' + '\\"' * 30_000 + "\\"):
        assert len(parse_accept(text)) <= 1


def test_answers_in_version_1_say_that_it_ends_and_what_replaces_it() -> None:
    notice = DeprecationNotice(
        since=datetime(2026, 1, 1, tzinfo=UTC),
        explained_at="https://passerelle.test/docs",
        sunset=datetime(2027, 6, 30, tzinfo=UTC),
    )

    headers = dict(versioned_headers(Versioned(1, "/workflows/run"), notice))

    assert headers == {
        b"content-type": b"application/json;version=1",
        b"vary": b"Accept",
        b"deprecation": b"@1767225600",
        b"sunset": b"Wed, 30 Jun 2027 00:00:00 GMT",
        b"link": b'<https://passerelle.test/docs>; rel="deprecation", </workflows/run>; rel="successor-version"',
    }


def test_answers_in_version_2_carry_no_notice() -> None:
    notice = DeprecationNotice(datetime(2026, 1, 1, tzinfo=UTC), "https://passerelle.test/docs")

    headers = dict(versioned_headers(Versioned(2, "/workflows/run"), notice))

    assert headers == {b"content-type": b"application/json;version=2", b"vary": b"Accept"}
