"""Functions, times and durations."""

from __future__ import annotations

from typing import Any

import cel
import pytest

from tests.unit.definitions.expressions.evaluating import reason, value

STARTED = {"startedAt": "2026-11-23T23:30:15.250Z"}


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ('size("ąę😀")', 3),
        ("size([1, 2]) + {}.size()", 2),
        ('int("-7") + int(1.9) + int(-1.9)', -7),
        ('double("1.5e1")', 15),
        ("string(70.0) + string(0.5) + string(true) + string(9007199254740993)", "700.5true9007199254740993"),
        ('bool("true")', True),
        ('"abcabc".contains("ca") && "abc".startsWith("ab") && "abc".endsWith("bc")', True),
        ('"0123456789".matches("^[0-9]{10}$")', True),
        ('matches("ąę", "^\\\\pL+$")', True),
        ('"abc".charAt(1) + "abc".substring(1) + "abc".substring(0, 1.0)', "bbca"),
        ('"abcb".indexOf("b") + "abcb".lastIndexOf("b") + "abc".indexOf("z")', 3),
        ('"a-b-c".replace("-", "+") + "a-b".replace("-", "", 0)', "a+b+ca-b"),
        ('"a,b".split(",").join("; ")', "a; b"),
        ('" Żółw ".trim().upperAscii() + "ABĄ".lowerAscii()', "ŻółW" + "abĄ"),
        ('"abc".reverse() + [1, 2].reverse().map(x, string(x)).join()', "cba21"),
        ("[33.3, 33.3, 33.4].sum() == 100 && [].sum() == 0 && [1, 2].sum() == 3", True),
        ("[3, 1.5, 2].sort()", [1.5, 2, 3]),
        ('["b", "a"].min() + ["b", "a"].max()', "ab"),
        ("[1, 1.0, true, [1], [1.0], 2, null, null].distinct()", [1, True, [1], 2, None]),
        ("[1, [2, [3]]].flatten()", [1, 2, [3]]),
        ("[1, [2, [3]]].flatten(2)", [1, 2, 3]),
        ("[1, 2, 3].slice(1, 3)", [2, 3]),
        ("math.greatest(1, 2.5, 2) + math.least([3, 1])", 3.5),
        ("[math.ceil(1.2), math.floor(-1.2), math.round(2.5), math.round(-2.5), math.trunc(-1.7)]", [2, -2, 3, -3, -1]),
        ("math.abs(-1.5) + math.sign(-3) + math.sign(0.0)", 0.5),
        ('base64.encode("user:pass")', "dXNlcjpwYXNz"),
    ],
)
def test_functions(source: str, result: Any) -> None:
    assert value(source) == result


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("timestamp(execution.startedAt)", "2026-11-23T23:30:15.250Z"),
        ('timestamp(execution.startedAt) + duration("2h")', "2026-11-24T01:30:15.250Z"),
        ('timestamp("2026-11-23T10:00:00+02:00")', "2026-11-23T08:00:00.000Z"),
        ('timestamp("2000-02-29")', "2000-02-29T00:00:00.000Z"),
        ("timestamp(0)", "1970-01-01T00:00:00.000Z"),
        ('timestamp(execution.startedAt) - timestamp("2026-11-23")', "84615.25s"),
        ('duration("2d") + duration("1h30m") - duration("0.5s")', "178199.5s"),
        ('duration("-90m")', "-5400s"),
        ('duration("90m") > duration("1h")', True),
        ('timestamp("2026-01-01") < timestamp(execution.startedAt)', True),
        ('string(duration("1m")) + string(timestamp("2026-01-01"))', "60s2026-01-01T00:00:00.000Z"),
        ("timestamp(execution.startedAt).getHours()", 23),
        ('timestamp(execution.startedAt).getHours("Europe/Warsaw")', 0),
        ('timestamp(execution.startedAt).getDate("+01:00")', 24),
        ('int(timestamp("1970-01-02"))', 86400),
        ("[timestamp(0)]", ["1970-01-01T00:00:00.000Z"]),
        ('[duration("1m"), duration("2m")].sum()', "180s"),
        ('timestamp(parameters.born) + duration("6574d") <= timestamp(execution.startedAt)', True),
    ],
)
def test_times_and_durations_come_back_as_json(source: str, result: Any) -> None:
    assert value(source, execution=STARTED, parameters={"born": "2008-11-23"}) == result


@pytest.mark.parametrize(
    "source",
    [
        *(f'timestamp("2024-02-29T23:59:58.125Z").{getter}()' for getter in ("getFullYear", "getMonth", "getDate")),
        *(
            f'timestamp("2024-02-29T23:59:58.125Z").{getter}()'
            for getter in ("getDayOfMonth", "getDayOfWeek", "getDayOfYear")
        ),
        *(f'timestamp("2024-02-29T23:59:58.125Z").{getter}()' for getter in ("getHours", "getMinutes", "getSeconds")),
        'timestamp("2024-02-29T23:59:58.125Z").getMilliseconds()',
        *(f'duration("1h30m5s").{getter}()' for getter in ("getHours", "getMinutes", "getSeconds")),
        'duration("1h") + duration("30m") == duration("90m")',
        'timestamp("2024-03-01T00:00:00Z") - duration("24h") == timestamp("2024-02-29T00:00:00Z")',
        '"abc".contains("bc") && !"abc".startsWith("b") && "abc".endsWith("c") && "abc".matches("a.c")',
        "[1, 2, 3].exists_one(x, x > 2) && [1, 2].all(x, x > 0) && ![1].exists(x, x > 1)",
        '{"a": 1, "b": 2}.all(key, key < "c")',
        "[1, 2, 3].filter(x, x > 1).map(x, x * 2)",
        "[1, 2, 3].map(x, x > 1, x * 2)",
        "int('42') + int(2.9) + size('abc')",
    ],
)
def test_standard_functions_are_those_of_the_library(source: str) -> None:
    assert value(source) == cel.evaluate(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("size(1)", "size(…): takes a text or a list or an object, not a number"),
        ('"a".contains(1)', "contains(…): value 2 must be a text, not a number"),
        ('"abc".substring(1.5)', "value 2 must be a whole number, not a number"),
        ('"abc".substring(5)', "a position is outside of the text or list"),
        ('int("7.5")', "the text is not a whole number"),
        ('double("x")', "the text is not a number"),
        ('bool("maybe")', "the text is neither true nor false"),
        ("string(null)", "not null"),
        ("string([1])", "not a list"),
        ('timestamp("yesterday")', "not a time such as 2026-01-05T09:00:00Z"),
        ('timestamp("2026-02-30")', "not a time such as"),
        ("timestamp(1e300)", "not a time such as"),
        ('duration("2 hours")', "not a duration such as 2d, 1h30m or 2.5s"),
        ('duration("99999999999999999999h")', "longer than a duration can be"),
        ('timestamp("9999-12-31") + duration("400d")', "after the year 9999"),
        ('timestamp("9999-12-31T23:00:00Z").getHours("+14:00")', "after the year 9999"),
        ('timestamp("0001-01-01T00:00:00+10:00")', "not a time such as"),
        ('timestamp("2026-01-01").getHours("Mars/Base")', "not a time zone such as Europe/Warsaw"),
        ('timestamp("2026-01-01").getHours("../../etc/passwd")', "not a time zone"),
        ('duration("1h").getHours("UTC")', "a duration has no time zone"),
        ('timestamp("2026-01-01") + 1', "cannot add a time and a number"),
        ("[].max()", "the list is empty"),
        ('[1, "a"].sort()', "takes values of one kind"),
        ('["a"].sum()', "takes a list of numbers, or of durations"),
        ("[1].join()", "takes a list of texts"),
        ('"a".matches(parameters.pattern)', "not a regular expression"),
    ],
)
def test_what_a_function_cannot_take_is_named(source: str, words: str) -> None:
    assert words in reason(source, parameters={"pattern": "("})
