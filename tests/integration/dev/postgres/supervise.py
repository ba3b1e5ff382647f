"""A process that runs the embedded PostgreSQL of a folder, as `passerelle dev` does, for tests that kill it.

Prints the address once the database is ready, ends on SIGTERM, and on an error with its sentence.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import uvloop

from passerelle.dev.postgres import EmbeddedError, EmbeddedPostgres


async def supervise(data_dir: Path) -> None:
    database = EmbeddedPostgres(data_dir)
    url = await database.start()
    watching = asyncio.create_task(database.watch())
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    print(url, flush=True)
    await terminated.wait()
    await database.stop()
    await watching


if __name__ == "__main__":
    try:
        uvloop.run(supervise(Path(sys.argv[1])))
    except EmbeddedError as error:
        sys.exit(str(error))
