"""What commands share that work on the database, without a server between."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from passerelle.app.settings import Settings

T = TypeVar("T")

DevDir = Annotated[
    Path, typer.Option("--data-dir", help="Without PASSERELLE_DATABASE_URL: the folder of a running `passerelle dev`.")
]


def settings_beside(data_dir: Path) -> Settings:
    """The settings; where they name no database, with that of the `passerelle dev` on this folder."""
    from passerelle.app.settings import load
    from passerelle.dev import folder

    return folder.settings_beside(load(), data_dir)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine gives."""
    if sys.platform == "win32":
        import asyncio

        return asyncio.run(coroutine)
    import uvloop

    return uvloop.run(coroutine)
