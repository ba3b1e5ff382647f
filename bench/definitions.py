"""Long lists, and the commands that a writer of definitions waits for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.harness import PASSERELLE, Passerelle, running
from passerelle.definitions.compiler import compile_definition
from passerelle.engine.registry import load_kinds

EXAMPLES = Path(__file__).parents[1] / "examples"
COMPANIES = EXAMPLES / "nightly-batch" / "companies.json"
REGISTER_PORT = 18091
PER_SECOND = 50
FAIL_EVERY = 10

ITEMS = 10_000
EACH = """
name: each-item
parameters: {items: {type: list, required: true}}
steps:
  - id: all
    each: {in: "${parameters.items}", atOnce: 20, steps: [{id: one, set: {doubled: "${item * 2}"}}]}
result: "${size(steps.all.items)}"
"""

STEPS = 500


@contextmanager
def _register() -> Iterator[str]:
    """The example's register: fifty answers a second, each tenth of them a failure."""
    program = [sys.executable, str(EXAMPLES / "company-check" / "register.py"), "--companies", str(COMPANIES)]
    limits = ["--port", str(REGISTER_PORT), "--per-second", str(PER_SECOND), "--fail-every", str(FAIL_EVERY)]
    process = subprocess.Popen([*program, *limits], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://localhost:{REGISTER_PORT}"
    finally:
        process.terminate()
        process.wait()


async def batch(report: Any) -> None:
    """500 companies, twenty at once, one register call in ten failing: beside what the register's limit allows."""
    companies = [{name: one[name] for name in ("nip", "name")} for one in json.loads(COMPANIES.read_text("utf-8"))]
    allowed = {"PASSERELLE_EGRESS_ALLOW": f"localhost:{REGISTER_PORT}"}
    with _register() as url, running(environment=allowed) as passerelle:
        parameters = {"companies": companies, "registerUrl": url}
        took, result = await _run(passerelle, passerelle.demo["definitions"]["nightly-batch"], parameters)
    answers = len(companies) * FAIL_EVERY / (FAIL_EVERY - 1)
    least = (answers - PER_SECOND) / PER_SECOND  # a second's worth is answered at once
    assert result["asked"] == len(companies), result
    report.line(
        f"batch of {len(companies)} companies",
        seconds=round(took, 1),
        registers_limit_seconds=round(least, 1),
        ratio=round(took / least, 2),
        not_asked=result["notAsked"],
    )


async def each(report: Any) -> None:
    """`each` over many items that ask nobody."""
    with running() as passerelle:
        definition = passerelle.push(EACH)
        await _run(passerelle, definition, {"items": [1, 2, 3]})
        before = passerelle.memory()
        took, count = await _run(passerelle, definition, {"items": list(range(ITEMS))})
        growth = (passerelle.peak_memory() - before) / 1e6
    assert count == ITEMS
    report.line(f"each over {ITEMS:,} items", seconds=round(took, 1), memory_growth_mb=round(growth, 1))


async def _run(passerelle: Passerelle, definition: str, parameters: Any) -> tuple[float, Any]:
    """Seconds from the start to the end, and the result."""
    async with httpx.AsyncClient(base_url=passerelle.url, headers=passerelle.headers, timeout=60) as client:
        began = time.perf_counter()
        body = {"workflowDefinitionId": definition, "parameters": parameters}
        where = f"/workflows/{(await client.post('/workflows', json=body)).raise_for_status().json()['id']}"
        while (status := (await client.get(f"{where}/timeline")).json()["status"]) in ("RUNNING", "AWAITING"):
            await asyncio.sleep(0.1)
        took = time.perf_counter() - began
        assert status == "COMPLETED", (await client.get(where)).text
        return took, (await client.get(f"{where}/result")).json()["result"]


async def commands(report: Any) -> None:
    """`check` of a long definition, within the process and as a command; how soon `test` begins."""
    step = '  - id: s{n}\n    when: "parameters.x > {n}"\n    set: {{x: "${{parameters.x * {n}}}"}}\n'
    text = "name: long\nparameters: {x: {type: number, required: true}}\nsteps:\n"
    text += "".join(step.format(n=n) for n in range(STEPS))
    kinds = load_kinds()
    compile_definition(text, kinds)
    began = time.perf_counter()
    assert compile_definition(text, kinds).definition is not None
    compiled = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "long.yaml")
        path.write_text(text)
        check = _seconds("check", str(path))
        Path(folder, "one.yaml").write_text("name: one\nsteps: [{id: a, set: {x: 1}}]")
        Path(folder, "one.test.yaml").write_text("scenarios: [{name: a, expect: {status: COMPLETED}}]")
        test = _seconds("test", str(Path(folder, "one.test.yaml")))
    report.line(f"check of {STEPS} steps", compile_ms=round(compiled * 1000), command_ms=round(check * 1000))
    report.line("test of one scenario", command_ms=round(test * 1000))


def _seconds(*arguments: str) -> float:
    """The best of five."""
    best = 1e9
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([PASSERELLE, *arguments], check=True, capture_output=True)
        best = min(best, time.perf_counter() - began)
    return best
