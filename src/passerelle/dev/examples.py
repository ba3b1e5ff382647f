"""The examples, as `passerelle dev` offers them: of the checkout, or those that the wheel carries."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Final
from urllib.parse import urlsplit

_CARRIED: Final = Path(__file__).parents[1] / "examples"
FOLDER: Final = _CARRIED if _CARRIED.exists() else Path(__file__).parents[3] / "examples"
REGISTER_URL: Final = "http://localhost:8090"
"""Where the examples look for their company register, as their files say."""
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
"""The roles to which the examples and the templates assign reviews; both of the demo's credentials have them."""


def definitions(register_url: str) -> Iterator[tuple[str, str]]:
    """Name and text of every example: `examples/<name>/<name>.yaml`. They ask the register at `register_url`."""
    for path in sorted(FOLDER.glob("*/*.yaml")):
        if path.stem == path.parent.name:
            yield path.stem, path.read_text(encoding="utf-8").replace(REGISTER_URL, register_url)


def tables() -> Iterator[str]:
    """The text of every table that the examples keep their records in: `examples/<name>/tables/<table>.yaml`."""
    for path in sorted(FOLDER.glob("*/tables/*.yaml")):
        yield path.read_text(encoding="utf-8")


def lists() -> Iterator[tuple[str, bytes]]:
    """Name and content of every list that the examples look in: `examples/<name>/lists/<list>.csv`."""
    for path in sorted(FOLDER.glob("*/lists/*.csv")):
        yield path.stem, path.read_bytes()


@asynccontextmanager
async def register() -> AsyncIterator[str]:
    """Serve the company register of `company-check`; where it is. A free port, where its own is taken."""
    program = FOLDER / "company-check" / "register.py"
    if not program.exists():
        yield REGISTER_URL
        return
    module = _load(program)
    served = module.Register(others=[FOLDER / "nightly-batch" / "companies.json"])
    with ExitStack() as stack:
        try:
            url: str = stack.enter_context(module.running(served, urlsplit(REGISTER_URL).port))
        except OSError:
            url = stack.enter_context(module.running(served, 0))
        yield url.replace("127.0.0.1", "localhost")


def _load(program: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("passerelle_example_register", program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
