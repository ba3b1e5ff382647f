"""Cursors are opaque, signed, and fit only the list that they were made for."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from passerelle.kit.errors import PasserelleError
from passerelle.kit.http.pages import Cursors, limit_of
from passerelle.kit.secrets import SecretBox

CURSORS = Cursors(SecretBox(["k" * 40]))
BOUND = {"list": "workflows", "status": "FAILED"}

scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]))
positions = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), scalars, max_size=4)


def code_of(cursor: str, bound_to: Any = BOUND) -> str:
    with pytest.raises(PasserelleError) as caught:
        CURSORS.decode(cursor, bound_to=bound_to)
    assert caught.value.status == 400
    return caught.value.problems[0].code


@given(positions, positions)
def test_a_position_comes_back_as_it_was(position: dict[str, Any], bound_to: dict[str, Any]) -> None:
    cursor = CURSORS.encode(position, bound_to=bound_to)

    assert CURSORS.decode(cursor, bound_to=bound_to) == position
    assert cursor.replace("-", "a").replace("_", "a").isalnum()


@given(positions, st.data())
def test_an_altered_cursor_is_refused(position: dict[str, Any], data: st.DataObject) -> None:
    cursor = CURSORS.encode(position, bound_to=BOUND)
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=="))
    index = data.draw(st.integers(0, len(raw) - 1))
    raw[index] ^= data.draw(st.integers(1, 255))

    assert code_of(base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) == "CURSOR_INVALID"


@given(positions, positions, positions)
def test_a_cursor_of_other_filters_is_refused(
    position: dict[str, Any], mine: dict[str, Any], other: dict[str, Any]
) -> None:
    assume(mine != other)
    cursor = CURSORS.encode(position, bound_to=["a", mine])

    assert code_of(cursor, ["a", other]) == "CURSOR_INVALID"


@given(st.text())
def test_whatever_is_sent_as_a_cursor_is_refused(text: str) -> None:
    assert code_of(text) == "CURSOR_INVALID"


def test_the_order_of_filters_does_not_matter() -> None:
    cursor = CURSORS.encode({"id": 1}, bound_to={"a": 1, "b": 2})

    assert CURSORS.decode(cursor, bound_to={"b": 2, "a": 1}) == {"id": 1}


def test_ids_come_back_as_text() -> None:
    cursor = CURSORS.encode({"id": UUID(int=1)}, bound_to=[UUID(int=2)])

    assert CURSORS.decode(cursor, bound_to=[UUID(int=2)]) == {"id": str(UUID(int=1))}


def test_a_cursor_survives_a_new_key_and_not_a_foreign_one() -> None:
    cursor = CURSORS.encode({"id": 1}, bound_to=BOUND)

    assert Cursors(SecretBox(["n" * 40, "k" * 40])).decode(cursor, bound_to=BOUND) == {"id": 1}
    with pytest.raises(PasserelleError):
        Cursors(SecretBox(["n" * 40])).decode(cursor, bound_to=BOUND)


@pytest.mark.parametrize(("text", "limit"), [(None, 25), ("1", 1), ("500", 500), ("025", 25)])
def test_a_limit_is_a_number_from_1_to_500(text: str | None, limit: int) -> None:
    assert limit_of(text) == limit


@pytest.mark.parametrize("text", ["", "0", "501", "-1", "1.5", "1e2", " 7", "x", "9" * 5000, "٣"])
def test_any_other_limit_is_refused_not_cut(text: str) -> None:
    with pytest.raises(PasserelleError) as caught:
        limit_of(text)
    assert caught.value.problems[0].code == "LIMIT_INVALID"
