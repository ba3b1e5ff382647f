"""Names: what counts as alike, in whatever script and order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.lists.index import NameIndex
from passerelle.lists.names import words

NAMES = [
    "Vladimir Vladimirovich Putin",
    "Владимир Путин",
    "John Michael Smith",
    "Rosneft Oil Company",
    "Alfa Bank JSC",
    "Abd al-Rahman ibn Ali",
    "习近平",
    "Mohammed Ali Hassan",
    "Żółkiewska-Ąkowska Łucja",
]
INDEX = NameIndex(enumerate(NAMES))


def best(query: str, threshold: int = 80) -> list[tuple[str, int]]:
    return [(match.name, match.score) for match in INDEX.search(query, threshold)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Żółkiewska-Ąkowska, Łucja", ["zolkiewska", "akowska", "lucja"]),
        ("O'Brien / O’Brien", ["obrien"]),
        ("Владимир Путин", ["vladimir", "putin"]),
        ("习近平", ["xijinping"]),
        ("Zakłady S.A.", ["zaklady", "sa"]),
        ("Firma Sp. z o.o.", ["firma", "sp", "z", "oo"]),
        ("—", []),
    ],
)
def test_words_are_latin_and_small(name: str, expected: list[str]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("PUTIN, Vladimir", "Владимир Путин"),
        ("Vladmir Putin", "Владимир Путин"),
        ("Putin Vladimir Vladimirovitch", "Vladimir Vladimirovich Putin"),
        ("Smith John", "John Michael Smith"),
        ("Alfa-Bank", "Alfa Bank JSC"),
        ("Alfa Bank OOO", "Alfa Bank JSC"),
        ("Alfa Bank Sp. z o.o.", "Alfa Bank JSC"),
        ("Abdulrahman Ibn Ali", "Abd al-Rahman ibn Ali"),
        ("Xi Jinping", "习近平"),
        ("Muhammad Ali Hasan", "Mohammed Ali Hassan"),
        ("Lucja Zolkiewska Akowska", "Żółkiewska-Ąkowska Łucja"),
    ],
)
def test_other_ways_to_write_a_name_match(query: str, name: str) -> None:
    assert name in [found for found, _ in best(query)]


@pytest.mark.parametrize(
    "query", ["Smith", "Ali", "Vladimir Lenin", "Ivan Petrov", "Oil Company", "Michael Jordan", "JSC", "—"]
)
def test_other_people_do_not_match(query: str) -> None:
    assert best(query) == []


def test_the_same_name_has_a_hundred_and_the_best_comes_first() -> None:
    assert best("putin vladimir") == [("Владимир Путин", 100), ("Vladimir Vladimirovich Putin", 98)]


def test_an_entry_with_several_names_is_found_once_by_its_nearest() -> None:
    index = NameIndex([(7, "Jon Smith"), (7, "John Smith"), (8, "John Smythe")])
    assert [(match.entry, match.name) for match in index.search("John Smith", 70)] == [
        (7, "John Smith"),
        (8, "John Smythe"),
    ]


def test_an_empty_list_has_no_match() -> None:
    assert NameIndex([]).search("John Smith", 50) == []
    assert len(NameIndex([(0, "—")])) == 0


NAME = st.lists(st.text("abcdefghiklmnoprstuvyz", min_size=2, max_size=9), min_size=2, max_size=4, unique=True)


@given(NAME, st.randoms(use_true_random=False))
def test_order_and_case_never_matter(parts: list[str], shuffle: random.Random) -> None:
    index = NameIndex([(0, " ".join(parts))])
    mixed = [part.title() for part in parts]
    shuffle.shuffle(mixed)
    assert [match.score for match in index.search(", ".join(mixed), 100)] == [100]


@given(st.lists(NAME, min_size=1, max_size=8), NAME)
def test_a_name_scores_the_same_whatever_else_is_on_the_list(names: list[list[str]], query: list[str]) -> None:
    """The index only saves time: it finds what comparing one by one finds."""
    written = [" ".join(name) for name in names]
    together = {match.entry: match.score for match in NameIndex(enumerate(written)).search(" ".join(query), 50)}
    apart = {
        number: match.score
        for number, name in enumerate(written)
        for match in NameIndex([(0, name)]).search(" ".join(query), 50)
    }
    assert together == apart


@given(st.text(max_size=60), st.integers(50, 100))
def test_any_text_may_be_searched_for(query: str, threshold: int) -> None:
    assert all(threshold <= score <= 100 for _, score in best(query, threshold))
