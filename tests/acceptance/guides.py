"""Guides whose commands are run in order, and what they print compared."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.acceptance.running import PASSERELLE, Dev

GUIDES = Path(__file__).parents[2] / "docs/guides"
BETWEEN = "=== what the guide shows next ==="


def guide(name: str) -> str:
    """A guide's text."""
    return (GUIDES / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Its snippets in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


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


def followed(name: str, dev: Dev, folder: Path, files: tuple[str, ...] = ("yaml",)) -> int:
    """Write a guide's files, run its commands, and hold what they print against what it shows; how many there are."""
    text = guide(name)
    for block in [block for language in files for block in blocks(text, language)]:
        path, _, content = block.partition("\n")
        file = folder / path.removeprefix("# ")
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
    told = [step for block in blocks(text, "sh") if "export TOKEN" not in block for step in steps(block)]
    script = "".join(f"{command}\necho; echo '{BETWEEN}'\n" for command, _ in told)
    connection = {"URL": dev.demo["baseUrl"], "TOKEN": dev.demo["organizationToken"]}
    environment = {
        **os.environ,
        **connection,
        **{f"PASSERELLE_{name}": value for name, value in connection.items()},
        "PATH": f"{PASSERELLE.parent}:{os.environ['PATH']}",
        "COLUMNS": "200",
    }
    # `diff` ends with 1 where something differs, so not every status can be 0.
    done = subprocess.run(
        ["bash", "-uc", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    printed = [part.strip("\n") for part in done.stdout.split(BETWEEN)][:-1]
    assert len(printed) == len(told)
    for (command, output), found in zip(told, printed, strict=True):
        assert re.fullmatch(shown(output), found, re.DOTALL), f"$ {command}\n{found}\ninstead of\n{output}"
    return len(told)
