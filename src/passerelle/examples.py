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
PARAMETERS: Final[dict[str, dict[str, str]]] = {
    "company-check": {"nip": "7740001454"},
    "company-onboarding": {"userId": "demo"},
    "customer-onboarding": {"firstName": "Ada", "email": "ada@example.com"},
    "nightly-batch": {
        "companies": """[
  {"nip": "9980079190", "name": "Piekarnia Płock 1 sp. z o.o."},
  {"nip": "9983721936", "name": "Drukarnia Opole 1 sp. z o.o."},
  {"nip": "9999999982", "name": "Nieznana sp. z o.o."}
]"""
    },
    "person-screening": {
        "firstNames": "Anna",
        "lastName": "Zielińska",
        "birthDate": "1985-03-17",
        "pesel": "85031712485",
        "documentLines": """[
  "P<POLZIELINSKA<<ANNA<MARIA<<<<<<<<<<<<<<<<<<",
  "EX00001233POL8503172F340601685031712485<<<04"
]""",
    },
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


def lists() -> Iterator[tuple[str, bytes]]:
    """Name and content of every list that the examples look in: `examples/<name>/lists/<list>.csv`."""
    for path in sorted(FOLDER.glob("*/lists/*.csv")):
        yield path.stem, path.read_bytes()


async def serve_register() -> None:
    """Serve the company register of `company-check`, as long as this runs.

    Its port may be taken by another `passerelle dev`, whose register serves as well; when that goes, this one comes.
    """
    program = FOLDER / "company-check" / "register.py"
    if not program.exists():
        return
    module = _load(program)
    register = module.Register(others=[FOLDER / "nightly-batch" / "companies.json"])
    while True:
        try:
            with module.running(register, REGISTER_PORT):
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
