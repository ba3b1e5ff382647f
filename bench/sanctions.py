"""Searching a list of 100,000 names, and what comparing with each of them would take."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import psutil
from rapidfuzz import fuzz, process

from bench.harness import percentile
from passerelle.lists.index import NameIndex

NAMES = 100_000
SEARCHES = 200
THRESHOLD = 80
CONSONANTS = ("b", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "kh", "ch")
SYLLABLES = [consonant + vowel for consonant in CONSONANTS for vowel in ("a", "e", "i", "o", "u", "ai", "ov")]


async def screening(report: Any) -> None:
    """Each search is a name of the list with its words turned round and one letter lost."""
    source = random.Random(1)
    names = _names(source)
    before, began = psutil.Process().memory_info().rss, time.perf_counter()
    index = NameIndex(enumerate(names))
    report.line(
        f"index of {NAMES:,} names",
        seconds=round(time.perf_counter() - began, 1),
        megabytes=round((psutil.Process().memory_info().rss - before) / 1e6),
    )
    queries = [(number, _misspelt(source, names[number])) for number in source.sample(range(NAMES), SEARCHES)]
    pauses = asyncio.create_task(_longest_pause(done := asyncio.Event()))
    took, found = [], 0
    for number, query in queries:
        began = time.perf_counter()
        matches = await asyncio.to_thread(index.search, query, THRESHOLD)
        took.append((time.perf_counter() - began) * 1000)
        found += any(match.entry == number for match in matches)
    done.set()
    report.line(
        f"search of {NAMES:,} names",
        p50_ms=round(percentile(took, 0.5), 1),
        p95_ms=round(percentile(took, 0.95), 1),
        max_ms=round(max(took), 1),
        found=f"{found}/{SEARCHES}",
        longest_pause_of_the_loop_ms=round(await pauses, 1),
    )
    _one_by_one(report, names, [query for _, query in queries[:20]])


def _one_by_one(report: Any, names: list[str], queries: list[str]) -> None:
    """The same searches without an index."""
    took = []
    for query in queries:
        began = time.perf_counter()
        process.extract(query, names, scorer=fuzz.token_sort_ratio, score_cutoff=THRESHOLD, limit=None)
        took.append((time.perf_counter() - began) * 1000)
    report.line("token_sort_ratio with each name", p50_ms=round(percentile(took, 0.5), 1))


async def _longest_pause(done: asyncio.Event) -> float:
    """Milliseconds for which nothing else could run in the event loop."""
    longest, last = 0.0, time.perf_counter()
    while not done.is_set():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        longest, last = max(longest, now - last - 0.001), now
    return longest * 1000


def _names(source: random.Random) -> list[str]:
    """Two to four words each: given names repeat, family names rarely do, as in the public lists."""

    def word(most: int) -> str:
        return "".join(source.choice(SYLLABLES) for _ in range(source.randint(2, most))).title()

    given, family = [word(4) for _ in range(3000)], [word(5) for _ in range(60_000)]
    return [
        " ".join([*(source.choice(given) for _ in range(source.choice((1, 1, 2, 3)))), source.choice(family)])
        for _ in range(NAMES)
    ]


def _misspelt(source: random.Random, name: str) -> str:
    turned = " ".join(reversed(name.split()))
    place = source.choice([number for number, character in enumerate(turned) if character != " "])
    return turned[:place] + turned[place + 1 :]
