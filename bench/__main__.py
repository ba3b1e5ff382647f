"""`make bench [only=NAME…]`: measures, prints a table and writes it to build/bench.json.

Every figure stands beside one of the same session that it can be compared with; two runs of one set-up differ by
up to 1.5 times on a shared machine, so only larger gaps mean something.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import (
    builder,
    cases,
    corpus,
    dashboard,
    definitions,
    fair,
    forms,
    growth,
    lighthouse,
    moves,
    page,
    people,
    processes,
    records,
    resting,
    runs,
    sanctions,
    transfers,
    webhooks,
)


@dataclass
class Report:
    """What was measured."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def line(self, name: str, **figures: Any) -> None:
        """One measurement."""
        self.rows.append({"name": name, **figures})
        print(f"{name:36} " + "  ".join(f"{key}={value}" for key, value in figures.items()), flush=True)

    def note(self, text: str) -> None:
        """Something that could not be measured, and why."""
        print(f"- {text}", flush=True)


SCENARIOS = {
    "builder": builder.builder,
    "cases": cases.moving_cases,
    "pure": runs.pure_runs,
    "call": runs.runs_with_a_call,
    "processes": processes.sharing,
    "handoff": resting.hand_off,
    "waiting": resting.waiting,
    "batch": definitions.batch,
    "each": definitions.each,
    "people": people.checks_and_lists,
    "fair": fair.flood,
    "corpus": corpus.hostile,
    "commands": definitions.commands,
    "moves": moves.moving,
    "page": page.first_page,
    "form": forms.submissions,
    "dashboard": dashboard.dashboard,
    "growth": growth.growth,
    "grid": lighthouse.grid,
    "lighthouse": lighthouse.lighthouse,
    "records": records.records,
    "record-changes": records.writing,
    "transfers": transfers.transfers,
    "sanctions": sanctions.screening,
    "webhook-latency": webhooks.commit_to_attempt,
    "webhook-throughput": webhooks.throughput,
    "webhook-neighbours": webhooks.neighbours,
}


def main() -> None:
    """Run the scenarios that the command line names, all without names."""
    if shutil.which("wrk") is None:
        sys.exit("bench: wrk is not installed: apt-get install wrk")
    report = Report()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}\n")
    for name in sys.argv[1:] or SCENARIOS:
        asyncio.run(SCENARIOS[name](report))
    build = Path("build")
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(json.dumps(report.rows, indent=2))


if __name__ == "__main__":
    main()
