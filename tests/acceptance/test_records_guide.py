"""The records guide is real: its files are written, its commands run in order, and what they print is compared."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from running import PASSERELLE, Dev

from passerelle.tables.schemas import FieldBody
from passerelle.tables.types import TYPES

GUIDE = (Path(__file__).parents[2] / "docs/guides/records.md").read_text(encoding="utf-8")
BETWEEN = "=== what the guide shows next ==="


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def steps(block: str) -> list[tuple[str, str]]:
    """Each command with the output that stands below it as a comment."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if line.startswith("# "):
            command, output = found[-1]
            found[-1] = (command, f"{output}{line.removeprefix('# ')}\n")
        elif line.startswith((" ", "}")):
            found[-1] = (f"{found[-1][0]}\n{line}", "")
        else:
            found.append((line, ""))
    return found


def shown(output: str) -> str:
    """What a command must print: `…` stands for anything."""
    return ".*".join(re.escape(part) for part in output.rstrip("\n").split("…"))


def test_every_command_prints_what_the_guide_shows(dev: Dev, tmp_path: Path) -> None:
    for block in [*blocks("yaml"), *blocks("csv")]:
        name, _, text = block.partition("\n")
        file = tmp_path / name.removeprefix("# ")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    told = [step for block in blocks("sh") if "export TOKEN" not in block for step in steps(block)]
    script = "".join(f"{command}\necho; echo '{BETWEEN}'\n" for command, _ in told)
    connection = {"URL": dev.demo["baseUrl"], "TOKEN": dev.demo["organizationToken"]}
    environment = {
        **os.environ,
        **connection,
        **{f"PASSERELLE_{name}": value for name, value in connection.items()},
        "PATH": f"{PASSERELLE.parent}:{os.environ['PATH']}",
    }
    # `diff` ends with 1 where something differs, so not every status can be 0.
    done = subprocess.run(
        ["bash", "-uc", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    printed = [part.strip("\n") for part in done.stdout.split(BETWEEN)][:-1]
    assert len(printed) == len(told) > 30
    for (command, output), text in zip(told, printed, strict=True):
        assert re.fullmatch(shown(output), text, re.DOTALL), f"$ {command}\n{text}\ninstead of\n{output}"


def test_every_type_and_setting_is_told() -> None:
    for name in [*TYPES, *(facts.alias or name for name, facts in FieldBody.model_fields.items())]:
        assert re.search(rf"\b{name}\b", GUIDE), name
