"""The command: its exit status, its schema, what it loads, and what `--watch` notices."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema_rs import meta, validator_for
from typer.testing import CliRunner

from passerelle.cli.main import app
from passerelle.definitions.source import read_source
from passerelle.scenarios.running import run_files
from passerelle.scenarios.schema import scenarios_schema
from passerelle.scenarios.watching import times_of, wait_for_change
from tests.unit.scenarios.scenario_files import kinds

EXAMPLES = Path(__file__).parents[3] / "examples"
EXAMPLE = EXAMPLES / "company-check/company-check.test.yaml"


def test_every_example_has_scenarios() -> None:
    definitions = {path.parent for path in EXAMPLES.glob("*/*.yaml") if path.stem == path.parent.name}
    assert len(definitions) >= 4
    assert all((folder / f"{folder.name}.test.yaml").exists() for folder in definitions)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/*.test.yaml")), ids=lambda path: path.parent.name)
def test_an_example_passes_and_its_scenarios_go_everywhere(file: Path) -> None:
    result = CliRunner().invoke(app, ["test", str(file), "--coverage"])
    assert result.exit_code == 0, result.output
    assert " 0 failed" in result.output
    assert "steps (100 %)" in result.output
    assert "not run:" not in result.output
    assert "not taken:" not in result.output


def test_a_scenario_takes_milliseconds() -> None:
    *_, file = [next(run_files([EXAMPLE], kinds())) for _ in range(2)]  # the first one loads the checks' data
    assert sorted(outcome.seconds for outcome in file.outcomes)[4] < 0.05


def test_a_failing_scenario_is_exit_status_1(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nsteps: [{id: a, set: {x: 1}}]")
    (tmp_path / "a.test.yaml").write_text("scenarios: [{name: a, expect: {result: 1}}]")
    assert CliRunner().invoke(app, ["test", str(tmp_path)]).exit_code == 1


def test_the_schema_is_published_and_fits_the_example() -> None:
    result = CliRunner().invoke(app, ["schema", "--scenarios"])
    assert json.loads(result.output) == scenarios_schema()
    meta.validate(scenarios_schema())
    example = read_source(EXAMPLE.read_text(encoding="utf-8")).value
    assert validator_for(scenarios_schema()).is_valid(example)


def test_every_key_is_described() -> None:
    """Editors show the descriptions."""

    def undescribed(part: object, path: str) -> Iterator[str]:
        if isinstance(part, dict):
            for name, value in part.get("properties", {}).items():
                if "description" not in value and "$ref" not in value:
                    yield f"{path}.{name}"
            for key, value in part.items():
                yield from undescribed(value, f"{path}.{key}")
        elif isinstance(part, list):
            for value in part:
                yield from undescribed(value, path)

    assert list(undescribed(scenarios_schema(), "")) == []


def test_it_loads_no_server_and_no_shell() -> None:
    """Half a second to start is little: each of these would take a good part of it."""
    script = (
        "import sys; from passerelle.cli.test import test; from pathlib import Path;"
        "from rich.console import Console;"
        f"test([Path({str(EXAMPLE)!r})], Console(quiet=True), coverage=False, watch=False);"
        "print([name for name in ('prompt_toolkit', 'fastapi', 'sqlalchemy', 'asyncpg', 'aiohttp', 'structlog', 'pydantic', 'email_validator')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_watching_notices_what_is_new_gone_or_different(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    changes = [lambda: file.write_text("longer"), file.unlink, lambda: file.write_text("back")]
    for change in changes:
        slept: list[float] = []

        def sleep(seconds: float, slept: list[float] = slept, change: object = change) -> None:
            slept.append(seconds)
            assert callable(change)
            if len(slept) == 2:
                change()

        before = times_of([file])
        assert wait_for_change(lambda: [file], before, sleep) != before
        assert len(slept) == 2


def test_watching_notices_a_change_of_the_same_length(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("one")
    before = times_of([file])
    os.utime(file, ns=(1, 1))
    assert times_of([file]) != before


def test_watching_runs_again_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nsteps: [{id: a, set: {x: 1}}]")
    scenarios = tmp_path / "a.test.yaml"
    scenarios.write_text("scenarios: [{name: a, expect: {outputs: {a: {x: 2}}}}]")
    rounds = iter([lambda: scenarios.write_text("scenarios: [{name: a, expect: {outputs: {a: {x: 1}}}}]")])

    def sleep(_: float) -> None:
        change = next(rounds, None)
        if change is None:
            raise KeyboardInterrupt
        change()

    monkeypatch.setattr("passerelle.cli.test.sleep", sleep)
    result = CliRunner().invoke(app, ["test", str(tmp_path), "--watch"])
    assert result.output.index("0 passed, 1 failed") < result.output.index("1 passed, 0 failed")
