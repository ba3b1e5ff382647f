"""The example plug-in as if it were installed: metadata as pip would write them from its `pyproject.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

PLUGIN = Path(__file__).parents[1] / "examples/plugin"


def plugged(folder: Path) -> tuple[str, str]:
    """What Python's path needs: `folder`, which then holds the metadata, and the plug-in's own."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head)
    groups = project["entry-points"].items()
    sections = (
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]) for group, points in groups
    )
    (info / "entry_points.txt").write_text("\n".join(sections))
    return str(folder), str(PLUGIN)
