"""A flow as an SVG picture, made without any other program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from textwrap import wrap
from typing import Final

from passerelle.graphs.layers import Layout, Point, Size, lay_out
from passerelle.graphs.models import Edge, Graph, Node

MARGIN: Final = 16.0
PADDING: Final = 14.0
LINE: Final = 16.0
LABEL_WIDTH: Final = 36
"""Characters of a condition in one line."""

# Widths of a character: a picture knows no fonts, so these are a little more than usual ones need.
_NAME, _KIND, _CODE = 7.6, 6.6, 7.0

_STYLE: Final = """
text { font: 12px system-ui, sans-serif; fill: #57606a; text-anchor: middle; dominant-baseline: central; }
text.name { font-size: 13px; font-weight: 600; fill: #1f2328; }
text.code { font: 11px ui-monospace, Menlo, Consolas, monospace; fill: #57606a; }
.box { fill: #ffffff; stroke: #8c959f; }
.user { fill: #ddf4ff; stroke: #0969da; }
.choice, .skip { fill: #fff8c5; stroke: #bf8700; }
.failed { fill: #ffebe9; stroke: #cf222e; }
.group { fill: #f6f8fa; stroke: #8c959f; }
.inner { fill: none; stroke: #d0d7de; stroke-dasharray: 4 3; }
.dot { fill: #57606a; stroke: none; }
.ring { fill: #ffffff; stroke: #57606a; }
.way { fill: none; stroke: #57606a; marker-end: url(#arrow); }
.error { stroke: #cf222e; stroke-dasharray: 5 3; }
""".strip()
_ARROW: Final = (
    '<marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker>'
)


def svg(graph: Graph, title: str) -> str:
    """The flow as one SVG document; `title` is what screen readers say."""
    picture = _Picture(graph)
    width, height = (side + 2 * MARGIN for side in picture.size)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{_ARROW}</defs>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *_moved((MARGIN, MARGIN), picture.lines()),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Label:
    """A condition on its way: takes room like a box."""

    lines: tuple[str, ...]

    @property
    def size(self) -> Size:
        return max(map(len, self.lines)) * _CODE, len(self.lines) * LINE


class _Picture:
    """One list of steps, laid out; those inside a group are pictures of their own."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._inner = {
            node.id: [(name, _Picture(inner)) for name, inner in node.inner] for node in graph.nodes if node.inner
        }
        self._edges = [edge for edge in graph.edges if edge.source != edge.target]
        self._loops = [edge for edge in graph.edges if edge.source == edge.target]
        self._labels = {f"label {n}": _label(edge) for n, edge in enumerate(self._edges) if edge.label}
        self._sizes = {node.id: self._size(node) for node in graph.nodes}
        sizes = {**self._sizes, **{name: label.size for name, label in self._labels.items()}}
        self._layout: Layout = lay_out(sizes, [self._way(number, edge) for number, edge in enumerate(self._edges)])

    @property
    def size(self) -> Size:
        width, height = self._layout.size
        return width + (_loops_width(self._loops) if self._loops else 0), height

    def lines(self) -> Iterator[str]:
        for edge, points in zip(self._edges, self._layout.ways, strict=True):
            ends = self._sizes[edge.source][0], self._sizes[edge.target][0]
            yield f'<path class="way{" error" if edge.error else ""}" d="{_curve(_aside(points, *ends))}"/>'
        for name, label in self._labels.items():
            yield from _texts(label.lines, self._layout.places[name], ["code"] * len(label.lines), halo=True)
        for node in self._graph.nodes:
            yield from self._node(node, self._layout.places[node.id], self._sizes[node.id])
        for edge in self._loops:
            yield from _loop(edge, self._layout.places[edge.source], self._sizes[edge.source])

    def _way(self, number: int, edge: Edge) -> tuple[str, ...]:
        label = f"label {number}"
        return (edge.source, label, edge.target) if label in self._labels else (edge.source, edge.target)

    def _size(self, node: Node) -> Size:
        if node.shape in ("start", "end", "skip"):
            return (20.0, 20.0)
        width = max(len(node.lines[0]) * _NAME, *(len(line) * _KIND for line in node.lines[1:])) + 2 * PADDING
        height = len(node.lines) * LINE + PADDING
        if node.shape == "choice":
            width += height
        if node.inner:
            inside = [picture.size for _, picture in self._inner[node.id]]
            width = max(width, sum(size[0] for size in inside) + PADDING * (3 * len(inside) + 1))
            height += max(size[1] for size in inside) + LINE + 4 * PADDING
        return (width, height)

    def _node(self, node: Node, place: Point, size: Size) -> Iterator[str]:
        x, y = place
        if node.shape == "start":
            yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="7"/>'
        elif node.shape == "end":
            yield f'<circle class="ring" cx="{x:.1f}" cy="{y:.1f}" r="9"/>'
            yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        elif node.shape in ("choice", "skip"):
            yield f'<path class="{node.shape}" d="{_pointed(place, size)}"/>'
        else:
            look = {"step": "box", "group": "group"}.get(node.shape, node.shape)
            yield _box(look, (x - size[0] / 2, y - size[1] / 2), size, 16 if node.shape == "user" else 5)
        middle = y - size[1] / 2 + (len(node.lines) * LINE + PADDING) / 2
        yield from _texts(node.lines, (x, middle), ["name", ""][: len(node.lines)])
        if node.inner:
            yield from self._group(node, place, size)

    def _group(self, node: Node, place: Point, size: Size) -> Iterator[str]:
        """The pictures inside a group side by side, each under its name."""
        pictures = self._inner[node.id]
        width = sum(picture.size[0] + 2 * PADDING for _, picture in pictures) + PADDING * (len(pictures) - 1)
        left = place[0] - width / 2
        top = place[1] - size[1] / 2 + len(node.lines) * LINE + PADDING
        for name, picture in pictures:
            across = picture.size[0] + 2 * PADDING
            frame = (across, picture.size[1] + LINE + 2 * PADDING)
            yield _box("inner", (left, top), frame, 5)
            yield from _texts((name,), (left + across / 2, top + PADDING), [""])
            yield from _moved((left + PADDING, top + LINE + PADDING), picture.lines())
            left += across + PADDING


def _label(edge: Edge) -> _Label:
    return _Label(tuple(wrap(edge.label, LABEL_WIDTH, break_long_words=False, break_on_hyphens=False)))


def _moved(by: Point, lines: Iterator[str]) -> Iterator[str]:
    yield f'<g transform="translate({by[0]:.1f} {by[1]:.1f})">'
    yield from lines
    yield "</g>"


def _box(look: str, corner: Point, size: Size, radius: int) -> str:
    return (
        f'<rect class="{look}" x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" '
        f'height="{size[1]:.1f}" rx="{radius}"/>'
    )


def _texts(lines: tuple[str, ...], middle: Point, looks: list[str], *, halo: bool = False) -> Iterator[str]:
    # A way passes under its condition, so the letters stand on a white edge.
    edge = ' paint-order="stroke" stroke="#ffffff" stroke-width="4"' if halo else ""
    top = middle[1] - (len(lines) - 1) * LINE / 2
    for number, (line, look) in enumerate(zip(lines, looks, strict=True)):
        named = f' class="{look}"' if look else ""
        yield f'<text{named} x="{middle[0]:.1f}" y="{top + number * LINE:.1f}"{edge}>{escape(line)}</text>'


def _pointed(place: Point, size: Size) -> str:
    """A box with a point on each side; a diamond where it is as high as wide."""
    (x, y), half, depth = place, size[0] / 2, size[1] / 2
    shoulder = max(half - depth, 0.0)
    corners = [
        (-half, 0.0),
        (-shoulder, -depth),
        (shoulder, -depth),
        (half, 0.0),
        (shoulder, depth),
        (-shoulder, depth),
    ]
    return "M" + " ".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners) + "z"


def _aside(points: tuple[Point, ...], source: float, target: float) -> tuple[Point, ...]:
    """A way that leads back up keeps off the middle of its ends, where the ways down are."""
    (x, y), *between, (to_x, to_y) = points
    if to_y > y:
        return points
    return ((x + source / 4, y), *between, (to_x + target / 4, to_y))


def _curve(points: tuple[Point, ...]) -> str:
    """Through all points, upright at each of them."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        if abs(x - to_x) < 0.05:
            parts.append(f"V{to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
    return "".join(parts)


def _loops_width(loops: list[Edge]) -> float:
    return max((_label(edge).size[0] if edge.label else 0.0) for edge in loops) + 2 * PADDING + 24


def _loop(edge: Edge, place: Point, size: Size) -> Iterator[str]:
    """A way from a step to itself, at its right side."""
    right, y = place[0] + size[0] / 2, place[1]
    path = (
        f"M{right:.1f} {y - 8:.1f}C{right + 30:.1f} {y - 16:.1f} {right + 30:.1f} {y + 16:.1f} {right:.1f} {y + 8:.1f}"
    )
    yield f'<path class="way{" error" if edge.error else ""}" d="{path}"/>'
    if edge.label:
        label = _label(edge)
        yield from _texts(label.lines, (right + 28 + label.size[0] / 2, y), ["code"] * len(label.lines), halo=True)
