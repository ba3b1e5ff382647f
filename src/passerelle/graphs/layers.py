"""A layered layout after Sugiyama: every node on a row below those that lead to it, few crossings, straight ways.

Works on sizes only and knows nothing of what is drawn. The same input always gives the same places.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

COLUMN_GAP: Final = 28.0
ROW_GAP: Final = 30.0
SWEEPS: Final = 12
_STRAIGHT: Final = 8.0
"""How much more a bend in a long way weighs than a node that stands off the middle of its neighbours."""

Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: the middle of each box, and the points that each way goes through, end to end."""

    size: Size
    places: Mapping[str, Point]
    ways: tuple[tuple[Point, ...], ...]


def lay_out(sizes: Mapping[str, Size], ways: Sequence[tuple[str, ...]]) -> Layout:
    """Place boxes of these sizes. A way leads through the boxes that it names, each one once.

    Boxes are given in the order of the text: a way that leads back in it does not pull its target down.
    """
    return _Layers(sizes, ways).layout()


class _Layers:
    def __init__(self, sizes: Mapping[str, Size], ways: Sequence[tuple[str, ...]]) -> None:
        self._sizes = dict(sizes)
        number = {name: index for index, name in enumerate(sizes)}
        self._backward = [number[way[0]] > number[way[-1]] for way in ways]
        down = [tuple(reversed(way)) if back else way for way, back in zip(ways, self._backward, strict=True)]
        self._rows = self._ranked(down)
        self._ways = [self._with_points(way, index) for index, way in enumerate(down)]
        self._above, self._below = self._neighbours()

    def layout(self) -> Layout:
        grid = self._ordered()
        across = self._across(grid)
        heights = [max((self._sizes[name][1] for name in row), default=0.0) for row in grid]
        down, top = [], 0.0
        for height in heights:
            down.append(top + height / 2)
            top += height + ROW_GAP
        left = min(across[name] - self._sizes[name][0] / 2 for row in grid for name in row)
        places = {name: (across[name] - left, down[self._rows[name]]) for row in grid for name in row}
        width = max(places[name][0] + self._sizes[name][0] / 2 for name in places)
        ways = [self._points(way, places, heights) for way in self._ways]
        ways = [points[::-1] if back else points for points, back in zip(ways, self._backward, strict=True)]
        return Layout((width, max(top - ROW_GAP, 0.0)), places, tuple(map(tuple, ways)))

    def _ranked(self, ways: Sequence[tuple[str, ...]]) -> dict[str, int]:
        """Each box one row below the lowest of those that lead to it."""
        rows = dict.fromkeys(self._sizes, 0)
        steps = [pair for way in ways for pair in pairwise(way)]
        for _ in rows:
            before = dict(rows)
            for upper, lower in steps:
                rows[lower] = max(rows[lower], rows[upper] + 1)
            if rows == before:
                break
        return rows

    def _with_points(self, way: tuple[str, ...], index: int) -> list[str]:
        """The way with a point of its own on every row that it only passes."""
        whole = [way[0]]
        for upper, lower in pairwise(way):
            for row in range(self._rows[upper] + 1, self._rows[lower]):
                point = f"{index}/{row}"
                self._sizes[point], self._rows[point] = (0.0, 0.0), row
                whole.append(point)
            whole.append(lower)
        return whole

    def _neighbours(self) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
        above: dict[str, list[str]] = {name: [] for name in self._sizes}
        below: dict[str, list[str]] = {name: [] for name in self._sizes}
        for way in self._ways:
            for upper, lower in pairwise(way):
                above[lower].append(upper)
                below[upper].append(lower)
        return above, below

    def _ordered(self) -> list[list[str]]:
        """Rows in an order with few crossings: each box near the middle of its neighbours, downwards and upwards."""
        grid: list[list[str]] = [[] for _ in range(max(self._rows.values()) + 1)]
        for name, row in self._rows.items():
            grid[row].append(name)
        best, least = grid, self._crossings(grid)
        for sweep in range(SWEEPS):
            near = self._above if sweep % 2 == 0 else self._below
            grid = [list(row) for row in grid]
            at = {name: place for row in grid for place, name in enumerate(row)}
            for names in grid if sweep % 2 == 0 else reversed(grid):
                wanted = {name: _mean([at[other] for other in near[name]], at[name]) for name in names}
                names.sort(key=wanted.__getitem__)
                at.update((name, place) for place, name in enumerate(names))
            if (crossings := self._crossings(grid)) < least:
                best, least = grid, crossings
        return best

    def _crossings(self, grid: list[list[str]]) -> int:
        at = {name: place for row in grid for place, name in enumerate(row)}
        total = 0
        for row in grid:
            seen: list[int] = []
            for name in row:
                ends = [at[other] for other in self._below[name]]
                total += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    def _across(self, grid: list[list[str]]) -> dict[str, float]:
        across = {name: float(place) for row in grid for place, name in enumerate(row)}
        for row in grid:
            self._settle(row, across, {name: across[name] for name in row})
        for sweep in range(2 * SWEEPS):
            near = self._above if sweep % 2 == 0 else self._below
            for row in grid if sweep % 2 == 0 else reversed(grid):
                wanted = {name: _mean([across[other] for other in near[name]], across[name]) for name in row}
                self._settle(row, across, wanted)
        return across

    def _settle(self, row: list[str], across: dict[str, float], wanted: Mapping[str, float]) -> None:
        """Put a row as near to where it is wanted as its order and its gaps allow, by least squares.

        Boxes that would overlap are joined into a block, which stands where its members want it on average.
        """
        blocks: list[tuple[float, float, list[tuple[str, float]]]] = []  # place, weight, members with their offsets
        for name in row:
            weight = 1.0 if self._sizes[name] != (0.0, 0.0) else _STRAIGHT
            block = (wanted[name], weight, [(name, 0.0)])
            while blocks:
                place, before, members = blocks[-1]
                last, offset = members[-1]
                shift = offset + self._sizes[last][0] / 2 + COLUMN_GAP + self._sizes[block[2][0][0]][0] / 2
                if place + shift <= block[0] + 1e-9:
                    break
                blocks.pop()
                whole = before + block[1]
                middle = (place * before + (block[0] - shift) * block[1]) / whole
                block = (middle, whole, [*members, *((other, shift + away) for other, away in block[2])])
            blocks.append(block)
        for place, _, members in blocks:
            for name, offset in members:
                across[name] = place + offset

    def _points(self, way: list[str], places: Mapping[str, Point], heights: list[float]) -> list[Point]:
        """From the lower edge of the first box, through both edges of all between, to the upper edge of the last."""
        points: list[Point] = []
        for number, name in enumerate(way):
            x, y = places[name]
            passed = self._sizes[name][1] == 0
            half = (heights[self._rows[name]] if passed else self._sizes[name][1]) / 2
            if number > 0:
                points.append((x, y - half))
            if number < len(way) - 1:
                points.append((x, y + half))
        return points


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
