"""Searching a hundred thousand names in milliseconds.

A name is compared word by word, in whatever order. First the words of the query are compared with every word that
the list has (there are fewer words than names); then each name is scored by how much of the query it has, and
how much of it the query has. All of it is arithmetic on arrays, outside the interpreter's lock.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from passerelle.lists.names import LEGAL_FORMS, weight, words

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]

SAME_WORD: Final = 0.7
"""Words that are less alike are different words: 1 is the same, 0.7 is two or three letters of ten."""
MISSING_WORDS: Final = 0.1
"""How much of the score a name loses whose words are all missing in the other, as middle names may be."""
MOST_WORDS: Final = 30
"""Of a query; no name has as many."""


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that has a name like the one searched for."""

    entry: int
    """Its number in the list."""
    score: int
    """0 to 100."""
    name: str
    """Its nearest name, as the list writes it."""


class NameIndex:
    """Names, each of an entry. Never changes once it is built; any number of threads may search it."""

    def __init__(self, names: Iterable[tuple[int, str]]) -> None:
        """`names` are the entries' numbers with their names; an entry may have many."""
        prepared = [(owner, name, parts) for owner, name in names if (parts := words(name))]
        # By length, because names of very different lengths need not be compared letter by letter.
        prepared.sort(key=lambda item: sum(map(len, item[2])))
        vocabulary: dict[str, int] = {}
        word_of, name_of = array("i"), array("i")
        for number, (_, _, parts) in enumerate(prepared):
            for part in parts:
                word_of.append(vocabulary.setdefault(part, len(vocabulary)))
                name_of.append(number)
        self._names = [name for _, name, _ in prepared]
        self._joined = ["".join(parts) for _, _, parts in prepared]
        self._owners: Integers = np.array([owner for owner, _, _ in prepared], np.int32)
        self._weights: Floats = np.array([sum(map(weight, parts)) for _, _, parts in prepared], np.float32)
        self._counts: Integers = np.array([_telling(parts) for _, _, parts in prepared], np.int32)
        self._vocabulary = list(vocabulary)
        self._word_weights: Floats = np.array([weight(word) for word in vocabulary], np.float32)
        self._starts, self._places = _by_word(np.array(word_of, np.int32), np.array(name_of, np.int32), len(vocabulary))

    def __len__(self) -> int:
        return len(self._names)

    def search(self, name: str, threshold: int) -> list[Match]:
        """The entries with at least `threshold`, best first; of one with several such names the nearest."""
        parts = words(name)[:MOST_WORDS]
        if not parts or not self._names:
            return []
        scores = np.maximum(self._by_words(parts), self._as_one_word(parts, threshold))
        hundredths = np.floor(scores * 100 + 1e-3).astype(np.int32)
        found: dict[int, Match] = {}
        near = np.flatnonzero(hundredths >= threshold)
        for place in near[np.argsort(-hundredths[near], kind="stable")].tolist():
            owner = int(self._owners[place])
            found.setdefault(owner, Match(owner, int(hundredths[place]), self._names[place]))
        return list(found.values())

    def _by_words(self, parts: Sequence[str]) -> Floats:
        """The score of every name, by the words that it shares with the query."""
        alike: Floats = cdist(
            parts, self._vocabulary, scorer=Indel.normalized_similarity, score_cutoff=SAME_WORD, dtype=np.float32
        )
        of_query, of_name = self._of_query(parts, alike), self._of_name(alike)
        count = _telling(parts)
        shorter = np.where(self._counts < count, of_name, of_query)
        longer = np.where(self._counts < count, of_query, of_name)
        # One word alone says too little for others to be forgiven: a family name is not a person.
        forgiving = (self._counts != count) & (np.minimum(self._counts, count) > 1)
        forgiven = shorter * (1 - MISSING_WORDS * (1 - longer))
        scores: Floats = np.where(forgiving, forgiven, np.minimum(of_query, of_name))
        return scores

    def _of_query(self, parts: Sequence[str], alike: Floats) -> Floats:
        """For every name, how much of the query it has, 0 to 1."""
        total = np.zeros(len(self._names), np.float32)
        best = np.zeros(len(self._names), np.float32)
        for part, row in zip(parts, alike, strict=True):
            near = np.flatnonzero(row)
            best[:] = 0
            # The most alike come last: where a name has several of them, the last one stays.
            for word in near[np.argsort(row[near])].tolist():
                best[self._places_of(word)] = row[word]
            total += best * weight(part)
        scores: Floats = total / np.float32(sum(map(weight, parts)))
        return scores

    def _of_name(self, alike: Floats) -> Floats:
        """For every name, how much of it the query has, 0 to 1."""
        best = alike.max(axis=0)
        total = np.zeros(len(self._names), np.float32)
        for word in np.flatnonzero(best).tolist():
            total[self._places_of(word)] += best[word] * self._word_weights[word]
        scores: Floats = total / self._weights
        return scores

    def _as_one_word(self, parts: Sequence[str], threshold: int) -> Floats:
        """The score of every name, by its letters without the spaces: Abd al-Rahman and Abdulrahman."""
        joined, least = "".join(parts), threshold / 100
        # Indel similarity is at most twice the shorter length, divided by both.
        first = bisect_left(self._joined, len(joined) * least / (2 - least), key=len)
        last = bisect_right(self._joined, len(joined) * (2 - least) / least, key=len)
        scores = np.zeros(len(self._names), np.float32)
        scores[first:last] = cdist(
            [joined],
            self._joined[first:last],
            scorer=Indel.normalized_similarity,
            score_cutoff=least,
            dtype=np.float32,
        )[0]
        return scores

    def _places_of(self, word: int) -> Integers:
        """The names that have this word; each name once."""
        return self._places[self._starts[word] : self._starts[word + 1]]


def _telling(parts: Sequence[str]) -> int:
    """How many words say more than a legal form."""
    return sum(part not in LEGAL_FORMS for part in parts)


def _by_word(word_of: Integers, name_of: Integers, count: int) -> tuple[Integers, Integers]:
    """The names of each word, one word after the other, and where each word's begin."""
    order = np.argsort(word_of, kind="stable")
    starts = np.searchsorted(word_of[order], np.arange(count + 1)).astype(np.int32)
    return starts, name_of[order]
