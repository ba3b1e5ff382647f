"""What is refused before anything is resolved, and what goes out exactly as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.kit.outgoing import OutgoingError, OutgoingInvalid, OutgoingRefused
from passerelle.kit.outgoing.target import check_head, origin_of, target_of


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://host/x",
        "gopher://host/",
        "//host/x",
        "host/x",
        "http://user:word@host/",
        "http://@host/",
        "http://user@host/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://127.1/",
        "http://127.0.0.1./",
    ],
)
def test_urls_that_are_not_to_be_used_are_refused(url: str) -> None:
    with pytest.raises(OutgoingRefused):
        target_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///path",
        "http:host",
        "http://host:0/",
        "http://host:99999/",
        "http://host:port/",
        "http://a..b/",
        "http://ex%61mple/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://host/a b",
        "http://host/a\r\nX: y",
        "http://host/\x00",
        "http://host\\@other/",
        "http://256.256.256.256.example../",
        "http://host/" + "a" * 8_000,
    ],
)
def test_what_is_not_a_url_is_named_so(url: str) -> None:
    with pytest.raises(OutgoingInvalid):
        target_of(url)


@pytest.mark.parametrize(
    "path",
    ["/", "/a%2Fb%3Ac%7e", "/a/../b", "/%2e%2e/x", "/a;b=c?x=a+b%20c%2B&sig=%2Fx%3D", "//double", "/x?"],
)
def test_path_and_query_go_out_as_written(path: str) -> None:
    """Signed URLs break when a client tidies them up."""
    assert target_of(f"https://host{path}").raw_path_qs == path.removesuffix("?")


def test_other_alphabets_are_encoded() -> None:
    target = target_of("https://żółw.example/ż?q=ą")
    assert target.raw_host == "xn--w-uga1v8h.example"
    assert target.raw_path_qs == "/%C5%BC?q=%C4%85"


def test_a_url_without_a_path_asks_for_the_root() -> None:
    assert target_of("https://host?x=1").raw_path_qs == "/?x=1"


def test_the_origin_shows_nothing_of_path_and_query() -> None:
    assert origin_of(target_of("https://host:8443/secret/path?key=secret")) == "https://host:8443"


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_target_or_an_error_that_does_not_repeat_it(text: str) -> None:
    try:
        target = target_of("http://host/" + text)
    except OutgoingError as error:
        message = error.message
    else:
        assert target.host == "host"
        return
    assert len(text) < 8 or text not in message


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_host_is_a_target_or_an_error(text: str) -> None:
    try:
        target = target_of(f"http://{text}/")
    except OutgoingError:
        return
    assert target.raw_host


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET /evil HTTP/1.1\r\nX:", {}),
        ("", {}),
        ("GET", {"X-A": "secret\r\nX-B: c"}),
        ("GET", {"X-A": "secret\n"}),
        ("GET", {"X-A": "secret\x00"}),
        ("GET", {"X A": "v"}),
        ("GET", {"X:A": "v"}),
        ("GET", {"": "v"}),
    ],
)
def test_a_head_that_would_end_a_line_early_is_refused_without_its_value(method: str, headers: dict[str, str]) -> None:
    with pytest.raises(OutgoingInvalid) as error:
        check_head(method, headers)
    assert "secret" not in error.value.message
