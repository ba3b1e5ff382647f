"""What a release installs: the wheel alone, in an empty folder, without the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.acceptance.running import Dev, start_dev
from tests.passable import passable

ROOT = Path(__file__).parents[2]
RUN = "from passerelle.cli.main import main; main()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds. Its libraries are those of this environment."""
    built = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = built.glob("*.whl")
    folder = passable(tmp_path_factory.mktemp("installed"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def dev(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    running = start_dev(
        tmp_path_factory.mktemp("empty") / "data",
        environment={"PYTHONPATH": str(installed)},
        program=(sys.executable, "-c", RUN),
    )
    yield running
    assert running.stop() == 0


def test_the_command_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    """Or the other tests would look at the checkout."""
    told = subprocess.run(
        [sys.executable, "-c", "import passerelle; print(passerelle.__file__)"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(told.stdout.strip()) == installed / "passerelle" / "__init__.py"


def test_nothing_but_the_product_is_deployed(installed: Path) -> None:
    tops = {path.name for path in installed.iterdir() if path.name != "__pycache__"}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"passerelle"}
    unwanted = {".git", ".github", ".gitignore", ".env", "tests", "node_modules", "bench"}
    parts = {part for path in installed.rglob("*") for part in path.relative_to(installed).parts}
    assert not parts & unwanted
    # The image copies by name what it is built of.
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert not any("git" in one or "tests" in one for one in ignored if one.startswith("!"))


def test_the_demo_has_its_definitions_and_its_register(dev: Dev) -> None:
    with dev.api() as api:
        definitions = {one["name"]: one["id"] for one in api.get("/definitions").json()["data"]}
        assert {"company-check", "customer-onboarding", "nightly-batch"} <= set(definitions)
        run = api.post(
            "/workflows/run",
            json={"workflowDefinitionId": definitions["company-check"], "parameters": {"nip": "7740001454"}},
        ).json()
        assert run["status"] == "COMPLETED"


def test_templates_come_along_with_their_pictures(dev: Dev) -> None:
    with dev.api() as api:
        names = [one["name"] for one in api.get("/templates").json()["data"]]
        assert len(names) == 12
        assert all(api.get(f"/templates/{name}/picture").status_code == 200 for name in names)


@pytest.mark.parametrize("path", ["/", "/app", "/docs", "/sign-in", "/widget.js"])
def test_pages_have_their_files(dev: Dev, path: str) -> None:
    answer = httpx.get(dev.demo["baseUrl"] + path, follow_redirects=True)
    assert answer.status_code == 200
