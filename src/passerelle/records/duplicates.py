"""Candidates for a merge: pairs of records that are the same, or nearly, in chosen fields.

Every pair of a large table cannot be compared. Records that must be equal in some fields are put into one group
each; in a large group, texts are sorted in three ways, and each is compared with its neighbours (the sorted
neighbourhood method). So the cost grows as the number of records does, and is known before.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import heappush, heapreplace
from typing import Any, Final, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz
from rapidfuzz.process import cpdist

from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError, Problem
from passerelle.kit.http.fields import pointer
from passerelle.kit.json import Json, dumps
from passerelle.records.conditions import Arguments, condition_sql
from passerelle.records.errors import DUPLICATES_TOO_MANY, FILTER_INVALID
from passerelle.records.finding import searched_by
from passerelle.records.repository import RecordRepository
from passerelle.records.searching import words_of
from passerelle.records.sight import sight_of
from passerelle.tables.models import Field, Table
from passerelle.tables.service import Tables
from passerelle.tables.types import type_of
from passerelle.tables.values import unknown_field

MOST_RECORDS: Final = 100_000
"""Records that are looked at in one call: some seconds of one core, and 50 MB."""
SMALL: Final = 50
"""Records of a group in which every pair is compared."""
NEIGHBOURS: Final = 10
"""In a larger one: how many that follow in an order each record is compared with."""

CHUNK: Final = 100_000
"""Pairs that are compared in one call of the library."""

_ORDERS: Final[tuple[Callable[[str], Any], ...]] = (
    lambda text: text,
    lambda text: text[::-1],
    lambda text: sorted(text.split()),
)
"""What texts are sorted by: how they begin, how they end, their words in alphabetical order."""

Match = Literal["exact", "near"]
Numbers = NDArray[np.int_]
Scores = NDArray[np.float64]
Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class FieldMatch:
    """A field that both records of a pair must have in common. `least`: of 100, how near values must be."""

    field: Field
    match: Match
    least: int


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two records, and how near they are in the fields that may differ: 100 is the same."""

    score: float
    older: UUID
    newer: UUID


@dataclass(frozen=True, slots=True)
class Candidates:
    """The nearest pairs of all that were found."""

    pairs: list[Pair]
    found: int
    comparisons: int


@dataclass(frozen=True, slots=True)
class _Column:
    """A field's texts: the words as they are written, and in alphabetical order. `least`: of 100, how near."""

    written: Texts
    ordered: Texts
    least: int

    @classmethod
    def of(cls, values: Sequence[Json], least: int) -> _Column:
        words = [words_of(str(value)) for value in values]
        return cls(
            np.array([" ".join(one) for one in words], object),
            np.array([" ".join(sorted(one)) for one in words], object),
            least,
        )


class Duplicates:
    """Looks for duplicates in tables of every workspace, one table at a time in each process."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        repository: RecordRepository,
        most_records: int = MOST_RECORDS,
    ) -> None:
        self._database = database
        self._tables = tables
        self._repository = repository
        self._most_records = most_records
        self._turn = asyncio.Semaphore(1)

    async def find(
        self, workspace_id: UUID, table: str, wanted: Sequence[tuple[str, Match, int]], condition: Json, limit: int
    ) -> dict[str, Any]:
        """The nearest pairs with their records, and what was looked at.

        wanted      name, match and least nearness of each field
        condition   a filter, as in a search
        Raises TABLE_NOT_FOUND, FILTER_INVALID, FILTER_TOO_LARGE, DUPLICATES_TOO_MANY.
        """
        found = await self._tables.find_now(workspace_id, table)
        sight = sight_of(found)
        sight.require_any()
        fields = _fields(sight.shown, wanted)
        sight.require_open((one.field for one in fields), ["fields"])
        async with self._turn:
            rows = await self._rows(found, fields, condition)
            candidates = await asyncio.to_thread(compare, rows, fields, limit)
        async with self._database.workspace(workspace_id) as connection:
            ids = {one for pair in candidates.pairs for one in (pair.older, pair.newer)}
            there = await self._repository.find_many(connection, found, list(ids))
        return {
            "data": [
                {"score": pair.score, "records": [sight.json(there[one]) for one in (pair.older, pair.newer)]}
                for pair in candidates.pairs
                if pair.older in there and pair.newer in there
            ],
            "found": candidates.found,
            "records": len(rows),
            "comparisons": candidates.comparisons,
        }

    async def _rows(self, table: Table, fields: Sequence[FieldMatch], condition: Json) -> list[tuple[UUID, list[Json]]]:
        parsed = searched_by(table, condition)
        arguments = Arguments(table.workspace_id, table.id)
        conditions = ["r.workspace_id = $1", "r.table_id = $2", "r.deleted_at IS NULL"]
        conditions += [f"r.values ? {arguments.add(one.field.key)}" for one in fields]
        if parsed is not None:
            conditions.append(condition_sql(parsed, arguments))
        values = ", ".join(f"r.values->'{one.field.key}'" for one in fields)
        sql = (
            f"SELECT r.id, {values} FROM record r WHERE {' AND '.join(conditions)} "  # noqa: S608 - see `conditions`
            f"ORDER BY r.id LIMIT {self._most_records + 1}"
        )
        async with self._database.workspace(table.workspace_id) as connection:
            rows = await connection.fetch(sql, *arguments.values)
        if len(rows) > self._most_records:
            raise DUPLICATES_TOO_MANY.error(
                f"more than {self._most_records:,} records have a value in each of these fields: "
                "narrow them by `filter`, such as one country or one month after the other"
            )
        return [(row[0], list(row)[1:]) for row in rows]


def compare(rows: Sequence[tuple[UUID, list[Json]]], fields: Sequence[FieldMatch], limit: int) -> Candidates:
    """The nearest pairs of `rows` (id and values, in the order of `fields`) that match in every field."""
    near = [(index, one.least) for index, one in enumerate(fields) if one.match == "near"]
    texts = [_Column.of([values[index] for _, values in rows], least) for index, least in near]
    comparisons = found = 0
    nearest: list[Pair] = []
    for ones, others in _chunks(_groups(rows, fields), texts[0].written if texts else None):
        comparisons += len(ones)
        scores = _scores(ones, others, texts)
        matching = np.flatnonzero(scores)
        found += len(matching)
        # Only those that can still be among the nearest are looked at one by one.
        best = matching[np.argsort(-scores[matching], kind="stable")[:limit]]
        for at in best:
            _keep(nearest, Pair(round(float(scores[at]), 1), rows[ones[at]][0], rows[others[at]][0]), limit)
    return Candidates(sorted(nearest, key=lambda pair: (-pair.score, pair.older)), found, comparisons)


def _groups(rows: Sequence[tuple[UUID, list[Json]]], fields: Sequence[FieldMatch]) -> Iterator[Numbers]:
    """The rows, oldest first, that are equal in the fields that must be."""
    exact = [index for index, one in enumerate(fields) if one.match == "exact"]
    groups: dict[str, list[int]] = defaultdict(list)
    for number, (_, values) in enumerate(rows):
        groups[dumps([values[index] for index in exact])].append(number)
    return (np.array(members) for members in groups.values() if len(members) > 1)


def _chunks(groups: Iterator[Numbers], texts: Texts | None) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairs that are worth a comparison, each once, the older record first, many at a time."""
    held: list[tuple[Numbers, Numbers]] = []
    count = 0
    for members in groups:
        for pairs in (
            _pairs(members, texts) if texts is not None else [(members[:1].repeat(len(members) - 1), members[1:])]
        ):
            held.append(pairs)
            count += len(pairs[0])
            if count >= CHUNK:
                yield _joined(held)
                held, count = [], 0
    if held:
        yield _joined(held)


def _pairs(members: Numbers, texts: Texts) -> Iterator[tuple[Numbers, Numbers]]:
    if len(members) <= SMALL:
        ones, others = np.triu_indices(len(members), 1)
        yield members[ones], members[others]
        return
    before: list[Numbers] = []
    for key in _ORDERS:
        order = np.array(sorted(members, key=lambda number: key(str(texts[number]))))
        for distance in range(1, NEIGHBOURS + 1):
            left, right = order[:-distance], order[distance:]
            ones, others = np.minimum(left, right), np.maximum(left, right)
            new = np.ones(len(ones), bool)
            for rank in before:
                # What stood near in an order before has been compared already.
                new &= np.abs(rank[ones] - rank[others]) > NEIGHBOURS
            yield ones[new], others[new]
        rank = np.empty(len(texts), int)
        rank[order] = np.arange(len(order))
        before.append(rank)


def _joined(held: Sequence[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    return np.concatenate([ones for ones, _ in held]), np.concatenate([others for _, others in held])


def _scores(ones: Numbers, others: Numbers, columns: Sequence[_Column]) -> Scores:
    """How near each pair is, over all texts; 0 where one text is further than it may be."""
    if not columns:
        return np.full(len(ones), 100.0)
    total = np.zeros(len(ones))
    matching = np.ones(len(ones), bool)
    for column in columns:
        # Once as they are written, once with their words in alphabetical order: the better one counts.
        scores = np.maximum(
            *[
                cpdist(texts[ones], texts[others], scorer=fuzz.ratio, score_cutoff=column.least)
                for texts in (column.written, column.ordered)
            ]
        )
        matching &= (scores >= column.least) & (column.written[ones] != "")
        total += scores
    return np.where(matching, total / len(columns), 0.0)


def _keep(nearest: list[Pair], pair: Pair, limit: int) -> None:
    if len(nearest) < limit:
        heappush(nearest, pair)
    elif pair > nearest[0]:
        heapreplace(nearest, pair)


def _fields(table: Table, wanted: Sequence[tuple[str, Match, int]]) -> list[FieldMatch]:
    """Raises FILTER_INVALID with everything that is wrong."""
    problems: list[Problem] = []
    fields: list[FieldMatch] = []
    for index, (name, match, least) in enumerate(wanted):
        found = table.by_name.get(name)
        if found is None:
            problems.append(_problem(unknown_field(table, name), index))
        elif match == "near" and (type_of(found).kind != "text" or not type_of(found).searched):
            problems.append(_problem(f"`{name}` is of type {found.type}, which is compared exactly only", index))
        elif not type_of(found).indexable:
            problems.append(_problem(f"`{name}` is of type {found.type}, which is not compared", index))
        else:
            fields.append(FieldMatch(found, match, least))
    if problems:
        raise PasserelleError(FILTER_INVALID.status, problems)
    return fields


def _problem(message: str, index: int) -> Problem:
    return FILTER_INVALID.problem(message, pointer(("fields", index, "field")))
