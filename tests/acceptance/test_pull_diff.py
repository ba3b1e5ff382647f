"""`passerelle push`, `pull` and `diff` against a running server."""

from __future__ import annotations

import subprocess
from pathlib import Path

from running import PASSERELLE, Dev

TEXT = "name: pulled\nsteps:\n  - {id: a, set: {x: 1}}  # ą\n"


def passerelle(dev: Dev, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command against the server."""
    options = ("--url", dev.demo["baseUrl"], "--token", dev.demo["organizationToken"])
    return subprocess.run([PASSERELLE, *arguments, *options], capture_output=True, text=True, check=False)


def test_a_definition_comes_back_as_it_was_pushed_and_diff_tells_what_changed(dev: Dev, tmp_path: Path) -> None:
    file = tmp_path / "pulled.yaml"
    file.write_text(TEXT, encoding="utf-8")
    assert "a push makes a new definition pulled" in (new := passerelle(dev, "diff", str(file))).stdout
    assert new.returncode == 1
    assert passerelle(dev, "push", str(file)).returncode == 0
    assert passerelle(dev, "diff", str(file)).returncode == 0
    folder = tmp_path / "definitions"
    assert passerelle(dev, "pull", "pulled", "--dir", str(folder)).returncode == 0
    assert (folder / "pulled.yaml").read_bytes() == file.read_bytes()
    file.write_text(TEXT.replace("1", "2"), encoding="utf-8")
    changed = passerelle(dev, "diff", str(file))
    assert changed.returncode == 1
    assert "a push makes revision 2 of pulled" in changed.stdout
    assert "+  - {id: a, set: {x: 2}}  # ą" in changed.stdout
