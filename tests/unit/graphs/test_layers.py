"""What must hold of every layout: nothing overlaps, ways lead down, and the same comes out twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.graphs.layers import COLUMN_GAP, ROW_GAP, Size, lay_out

Flow = tuple[dict[str, Size], list[tuple[str, ...]]]


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    count = draw(st.integers(1, 12))
    side = st.integers(2, 20).map(lambda length: length * 10.0)
    sizes = {f"n{number}": (draw(side), draw(side)) for number in range(count)}
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda pair: pair[0] != pair[1])
    pairs = draw(st.lists(ends, max_size=18, unique=True)) if count > 1 else []
    ways: list[tuple[str, ...]] = []
    for number, (source, target) in enumerate(pairs):
        if draw(st.booleans()):
            sizes[f"label{number}"] = (draw(side), 16.0)
            ways.append((f"n{source}", f"label{number}", f"n{target}"))
        else:
            ways.append((f"n{source}", f"n{target}"))
    return sizes, ways


@settings(max_examples=80, deadline=None)
@given(flows())
def test_boxes_keep_their_gaps_and_stay_inside(flow: Flow) -> None:
    sizes, ways = flow
    layout = lay_out(sizes, ways)
    boxes = [(layout.places[name], size) for name, size in sizes.items()]
    for number, ((x, y), (width, height)) in enumerate(boxes):
        assert -1e-6 <= x - width / 2 <= x + width / 2 <= layout.size[0] + 1e-6
        assert -1e-6 <= y - height / 2 <= y + height / 2 <= layout.size[1] + 1e-6
        for (other_x, other_y), (other_width, other_height) in boxes[number + 1 :]:
            beside = abs(x - other_x) - (width + other_width) / 2 >= COLUMN_GAP - 1e-6
            apart = abs(y - other_y) - (height + other_height) / 2 >= ROW_GAP - 1e-6
            assert beside or apart


@settings(max_examples=80, deadline=None)
@given(flows())
def test_ways_lead_from_box_to_box_in_the_direction_of_the_text(flow: Flow) -> None:
    sizes, ways = flow
    layout = lay_out(sizes, ways)
    order = list(sizes)
    for way, points in zip(ways, layout.ways, strict=True):
        down = order.index(way[0]) < order.index(way[-1])
        heights = [y for _, y in points]
        assert heights == sorted(heights, reverse=not down)
        for end, (x, y) in ((way[0], points[0]), (way[-1], points[-1])):
            place, size = layout.places[end], sizes[end]
            assert x == place[0]
            assert abs(abs(y - place[1]) - size[1] / 2) < 1e-6


@settings(max_examples=30, deadline=None)
@given(flows())
def test_the_same_flow_is_laid_out_the_same(flow: Flow) -> None:
    assert lay_out(*flow) == lay_out(*flow)


def test_a_straight_list_is_one_column() -> None:
    sizes = dict.fromkeys("abcd", (40.0, 20.0))
    layout = lay_out(sizes, [("a", "b"), ("b", "c"), ("c", "d")])
    assert {x for x, _ in layout.places.values()} == {20.0}


def test_a_crossing_that_need_not_be_is_not_there() -> None:
    sizes = dict.fromkeys("abcdef", (40.0, 20.0))
    layout = lay_out(sizes, [("a", "b"), ("a", "c"), ("b", "e"), ("c", "d"), ("d", "f"), ("e", "f")])
    b, c, d, e = (layout.places[name][0] for name in "bcde")
    assert (b < c) == (e < d)
