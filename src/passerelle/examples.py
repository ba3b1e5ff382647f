"""The examples of this repository, as `passerelle dev` offers them."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "examples"
REGISTER_PORT: Final = 8090
REGISTER_ADDRESSES: Final = (f"localhost:{REGISTER_PORT}", f"127.0.0.1:{REGISTER_PORT}")
"""What steps may reach on this machine so that the examples run."""
SECRETS: Final = {"REGISTRY_KEY": "a-key-that-opens-nothing"}
"""The secrets that the examples name."""
PARAMETERS: Final[dict[str, dict[str, str]]] = {
    "company-check": {"nip": "7740001454"},
    "company-onboarding": {"userId": "demo"},
    "customer-onboarding": {"firstName": "Ada", "email": "ada@example.com"},
}
"""What the examples can be tried with."""
ROLES: Final = ("compliance",)
"""The roles to which the examples assign reviews; both of the demo's credentials have them."""


def definitions() -> Iterator[str]:
    """The text of every example: `examples/<name>/<name>.yaml`."""
    for path in sorted(FOLDER.glob("*/*.yaml")):
        if path.stem == path.parent.name:
            yield path.read_text(encoding="utf-8")


def tables() -> Iterator[str]:
    """The text of every table that the examples keep their records in: `examples/<name>/tables/<table>.yaml`."""
    for path in sorted(FOLDER.glob("*/tables/*.yaml")):
        yield path.read_text(encoding="utf-8")


async def serve_register() -> None:
    """Serve the company register of `company-check`, as long as this runs.

    Its port may be taken by another `passerelle dev`, whose register serves as well; when that goes, this one comes.
    """
    program = FOLDER / "company-check" / "register.py"
    if not program.exists():
        return
    module = _load(program)
    while True:
        try:
            with module.running(module.Register(), REGISTER_PORT):
                await asyncio.Event().wait()
        except OSError:
            await asyncio.sleep(1)


def _load(program: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("passerelle_example_register", program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
