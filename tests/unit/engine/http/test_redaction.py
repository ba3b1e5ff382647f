"""Secrets do not show."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.engine.kinds import MASK
from passerelle.engine.redaction import Redaction
from passerelle.kit.json import dumps

SECRETS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=MASK), min_size=4, max_size=20)


@settings(deadline=None)
@given(st.lists(SECRETS, min_size=1, max_size=3), st.data())
def test_no_secret_shows_whatever_stands_around_it(secrets: list[str], data: st.DataObject) -> None:
    around = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
    text = "".join(data.draw(around) + secret for secret in secrets) + data.draw(around)
    masked = Redaction(secrets).text(text)
    assert not any(secret in masked.replace(MASK, "\n") for secret in secrets if "\n" not in secret)


def test_a_secret_is_found_in_the_forms_that_others_give_it() -> None:
    secret = 'p/ä ß"\\key+'
    redaction = Redaction([secret])
    percent_encoded = quote(secret, safe="")
    for form in (
        secret,
        percent_encoded,
        percent_encoded.replace("%C3", "%c3").replace("%A4", "%a4").replace("%2F", "%2f").replace("%5C", "%5c")
        .replace("%2B", "%2b").replace("%9F", "%9f"),
        quote(secret),
        dumps(secret)[1:-1],
        json.dumps(secret)[1:-1],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    ):  # fmt: skip
        assert redaction.text(f"<{form}>") == f"<{MASK}>"


def test_a_secret_is_found_in_bytes_that_were_read_as_latin_1() -> None:
    """As many servers read a header, and then repeat it."""
    assert Redaction(["klucz-Ą1"]).text(json.dumps("klucz-Ą1".encode().decode("latin-1"))) == f'"{MASK}"'


@pytest.mark.parametrize("before", ["", "a", "ab", "Bearer "])
@pytest.mark.parametrize("after", ["", "!", "!!", ":more"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_found_inside_of_what_was_put_into_base64(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    """What is left of it are the characters that it shares with its neighbours: at most six bits at either side."""
    secret = "s3cret>?~key-1"
    masked = Redaction([secret]).text(encode((before + secret + after).encode()).decode())
    assert MASK in masked
    whole = len(before + secret + after) * 8 / 6
    hidden = whole - len(masked.replace(MASK, "").rstrip("="))
    assert hidden >= len(secret) * 8 / 6 - 2


def test_texts_keys_and_numbers_are_masked_at_any_depth() -> None:
    redaction = Redaction(["s3cret", "123456"])
    value = {"a s3cret": [{"b": "s3cret!"}, 123456, 91234560, 12.5, True, None]}
    assert redaction.json(value) == {
        f"a {MASK}": [{"b": f"{MASK}!"}, MASK, f"9{MASK}0", 12.5, True, None],
    }


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redaction(["token", "token-of-more"]).text("token-of-more") == MASK


def test_short_values_and_other_types_hide_nothing() -> None:
    redaction = Redaction(["abc", "", None, 12345])
    assert redaction.text("abc 12345") == "abc 12345"
    assert Redaction([]).json({"a": 1}) == {"a": 1}
