"""What a dependency may become is bounded: from the version that is tested to the next that may break."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[3]
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("packages/*/pyproject.toml"))]
PINS = [  # Several of one name where a release needs a newer Python.
    (canonicalize_name(name), Version(version))
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
]


def requirements(file: Path) -> list[Requirement]:
    """Every dependency that the project names: of the product, of its extras, of its development."""
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    groups = [
        told["project"].get("dependencies", []),
        *told["project"].get("optional-dependencies", {}).values(),
        *told.get("dependency-groups", {}).values(),
    ]
    return [Requirement(text) for group in groups for text in group]


def test_every_dependency_has_both_bounds_and_is_pinned_within_them() -> None:
    named = [requirement for file in PROJECTS for requirement in requirements(file)]
    assert named
    unbounded = [str(r) for r in named if sorted(bound.operator for bound in r.specifier) != ["<", ">="]]
    assert unbounded == []
    ours = {tomllib.loads(file.read_text(encoding="utf-8"))["project"]["name"] for file in PROJECTS}
    pinned = {name for name, _ in PINS} | ours
    outside = [str(r) for r in named if canonicalize_name(r.name) not in pinned]
    outside += [
        f"{r}: {pin}"
        for r in named
        for name, pin in PINS
        if name == canonicalize_name(r.name) and pin not in r.specifier
    ]
    assert outside == []
