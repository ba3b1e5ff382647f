"""Looking for harmful content. Passerelle itself knows the test file of all scanners, and leaves viruses to them."""

from __future__ import annotations

import asyncio
from typing import BinaryIO, Final, Protocol

EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The harmless text that every scanner reports, to test it (eicar.org)."""
_CHUNK: Final = 1 << 20


class Scanner(Protocol):
    """Says what is wrong with a file."""

    async def scan(self, file: BinaryIO) -> str | None:
        """The name of what was found in it; None where nothing was. Leaves the file at its beginning."""


class EicarOnly:
    """Knows the EICAR test file and nothing else: it shows that files are scanned, it does not protect."""

    async def scan(self, file: BinaryIO) -> str | None:
        """`EICAR` where the test text stands anywhere in the file."""
        return "EICAR" if await asyncio.to_thread(_holds, file, EICAR) else None


def _holds(file: BinaryIO, wanted: bytes) -> bool:
    file.seek(0)
    before = b""
    try:
        while chunk := file.read(_CHUNK):
            if wanted in before + chunk:
                return True
            before = chunk[-len(wanted) :]
        return False
    finally:
        file.seek(0)
