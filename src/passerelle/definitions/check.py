"""`passerelle check FILE…`: what is wrong with definitions in files, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from passerelle.definitions.compiler import compile_definition
from passerelle.definitions.kinds import KindRegistry


def check_files(paths: Iterable[Path], kinds: KindRegistry) -> list[str]:
    """Everything that is wrong, one line each: `file:line: path: what is wrong and what would be right`."""
    return [line for path in paths for line in _check_file(path, kinds)]


def _check_file(path: Path, kinds: KindRegistry) -> Iterator[str]:
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        yield f"{path}: cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        yield f"{path}: is not UTF-8 from byte {error.start} on; save it as UTF-8"
    else:
        yield from (f"{path}:{problem}" for problem in compile_definition(text, kinds).problems)
