"""Who may show the widget, and where an end page may lead: nothing that looks like an allowed address, but is none."""

from __future__ import annotations

from typing import Any

import pytest

from passerelle.themes.addresses import checked_origin, checked_target
from passerelle.themes.models import Theme
from passerelle.themes.palettes import colours


def theme(**fields: Any) -> Theme:
    parts = {"allowed_origins": (), "redirect_targets": (), **fields}
    return Theme(name="x", logo=None, colours=colours({}, {}), font="system", stylesheet="/x.css", **parts)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://APP.example.com:443/", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost:*", "http://localhost:*"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_origins_have_one_spelling(text: str, origin: str) -> None:
    assert checked_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "*", "app.example.com", "http://app.example.com", "https://", "https://*.example.com", "https://*",
        "https://app.example.com:*", "https://app.example.com/path", "https://app.example.com?x", "ftp://a.example",
        "https://user@app.example.com", "https://a.example https://b.example", "https://a.example;script-src *",
        "https://a.example:99999", "https://a.example,b", "javascript:alert(1)", "https://bücher.example",
        "https://a.example\\@b.example", "https://[::1", "null", "data:text/html,x",
    ],
)  # fmt: skip
def test_what_is_no_origin_is_refused_with_a_sentence(text: str) -> None:
    """Each becomes part of a Content-Security-Policy header: nothing may add a directive to it."""
    with pytest.raises(ValueError, match=r"."):
        checked_origin(text)


def test_origins_are_named_to_the_browser_which_lets_no_other_site_show_the_pages() -> None:
    some = theme(allowed_origins=("https://app.example.com", "http://localhost:*"))
    assert some.frame_ancestors == "'self' https://app.example.com http://localhost:*"


@pytest.mark.parametrize(
    ("target", "url", "allowed"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "https://a.example/x?y#z", True),
        ("https://a.example", "https://a.example?y", True),
        ("https://a.example/in", "https://a.example/in", True),
        ("https://a.example/in", "https://a.example/in/side", True),
        ("https://a.example/in", "https://a.example/inside", False),
        ("https://a.example/in", "https://a.example/in/../out", False),
        ("https://a.example/in", "https://a.example/in/%2e%2e/out", False),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example.evil.example", False),
        ("https://a.example", "https://a.example@evil.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://evil.example\\@a.example", False),
        ("https://a.example", "//a.example", False),
        ("https://a.example", "javascript:alert(1)//https://a.example", False),
        ("https://a.example", "https://a.example:port", False),
        ("https://a.example", " https://a.example", False),
    ],
)
def test_redirects_lead_below_allowed_targets_only(target: str, url: str, allowed: bool) -> None:
    assert theme(redirect_targets=(checked_target(target),)).allows_redirect(url) is allowed


@pytest.mark.parametrize("text", ["https://a.example/x?y", "https://a.example/../x", "http://a.example/x", "/x", ""])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_target(text)
