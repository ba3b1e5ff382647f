"""Starts the embedded PostgreSQL, watches over it and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
from pathlib import Path

import asyncpg
import structlog

from passerelle.dev.postgres import cluster, leftovers, options
from passerelle.dev.postgres.accounts import choose_account
from passerelle.dev.postgres.errors import EmbeddedError
from passerelle.dev.postgres.folder import DataFolder, FolderLock, explained, make_socket_folder, remove_folder
from passerelle.dev.postgres.log import LogFile
from passerelle.dev.postgres.programs import Programs, installation
from passerelle.dev.postgres.restarts import Restarts
from passerelle.dev.postgres.server import PostgresServer

_log = structlog.get_logger(__name__)


class EmbeddedPostgres:
    """One PostgreSQL on one data folder, alive for as long as this process.

    For one event loop, in the main thread: the kernel ties the server's life to the thread that starts it.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = DataFolder(data_dir.expanduser().resolve())
        self._lock: FolderLock | None = None
        self._programs = Programs(Path(), None)
        self._server: PostgresServer | None = None
        self._ready_at: float | None = None
        self._stopping = asyncio.Event()
        self._launching = asyncio.Lock()

    @staticmethod
    def address_of(data_dir: Path) -> str:
        """The address of the database that another process runs on this folder, for tools beside it.

        Raises `EmbeddedError` where the folder has none.
        """
        folder = DataFolder(data_dir.expanduser().resolve())
        with explained(folder.root):
            password = folder.kept_password()
            if password is None or not folder.cluster.exists():
                raise EmbeddedError(f"{folder.root} holds no database: start `passerelle dev` on it first")
            return options.url(password, folder.sockets(folder.cluster.stat().st_uid))

    async def start(self) -> str:
        """Lock the folder, make the database if it is new, start it and wait until it is ready.

        Gives the database's address, `postgresql://…`, which stays the same for the folder's life. Raises
        `EmbeddedError`, and leaves nothing running then.
        """
        if threading.current_thread() is not threading.main_thread():
            raise EmbeddedError("Start the embedded PostgreSQL in the main thread: it lives as long as that")
        with explained(self._folder.root):
            home = installation()
            account = choose_account(os.geteuid(), self._folder.cluster)
            self._folder.create(account)
            self._lock = FolderLock(self._folder.lock)
            self._programs = Programs(home, account)
            self._stopping.clear()
            try:
                return await self._bring_up()
            except BaseException:
                await self.stop()
                raise

    async def stop(self) -> None:
        """Shut the database down and give the folder free; nothing is left running. May be called twice."""
        self._stopping.set()
        async with self._launching:  # a restart under way has its process now, or will not have one
            server, self._server = self._server, None
        if self._lock is None:
            return
        try:
            if server is not None:
                await server.shut_down()
            await self._clear()
            remove_folder(self._sockets)
        finally:
            self._lock.release()
            self._lock = None

    async def watch(self) -> None:
        """Start the database again whenever it dies by itself; returns once `stop` is called.

        Raises `EmbeddedError` when that failed too often in a row, with the reason of the last time.
        """
        restarts, trouble = Restarts(), ""
        while self._server is not None:
            server = self._server
            await server.until_dead()
            if self._stopping.is_set():
                return
            delay = restarts.delay(self._lived())
            if delay is None:
                raise EmbeddedError(
                    f"PostgreSQL died, and {restarts.failed_starts} attempts to start it again failed, "
                    f"see {self._folder.log}: {trouble}"
                )
            _log.warning("postgres.died", exit_status=server.returncode, restart_in_seconds=delay)
            if await self._stopped_within(delay):
                return
            try:
                await self._launch()
            except (EmbeddedError, OSError) as error:
                trouble = str(error)
                _log.warning("postgres.start_failed", reason=trouble)

    async def _bring_up(self) -> str:
        folder, programs = self._folder, self._programs
        kept = folder.kept_password()
        password = kept or secrets.token_urlsafe(32)
        await self._clear()
        cluster.remove_drafts(folder)
        if not cluster.exists(folder.cluster):
            await cluster.make(folder, programs, password)
        elif kept is None:
            await cluster.alone(folder.cluster, programs, options.new_password(password))
        if kept is None:  # kept last: what is kept is the database's
            folder.keep_password(password)
        await self._launch()
        url = options.url(password, self._sockets)
        await self._check(url)
        return url

    async def _launch(self) -> None:
        """Start the server on a cluster that may have been left in any state, and wait until it is ready."""
        self._ready_at = None
        await self._clear()
        make_socket_folder(self._sockets, self._programs.account)
        async with self._launching:
            if self._stopping.is_set():
                raise EmbeddedError("PostgreSQL is being stopped")
            log = LogFile(self._folder.log)
            server = await PostgresServer.launch(self._programs, self._folder.cluster, self._sockets, log)
            self._server = server
        try:
            await server.until_ready()
        except BaseException:
            await server.shut_down()
            raise
        self._ready_at = asyncio.get_running_loop().time()

    async def _check(self, url: str) -> None:
        """Connect as the application will."""
        try:
            connection = await asyncpg.connect(url, timeout=30)
        except asyncpg.InvalidPasswordError as error:
            raise EmbeddedError(
                f"The database does not take the password in {self._folder.password}: "
                "delete the file and start again, which sets a new one"
            ) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            reason = " ".join(str(error).split())
            raise EmbeddedError(f"PostgreSQL runs but cannot be used, see {self._folder.log}: {reason}") from error
        await connection.close()

    async def _clear(self) -> None:
        await leftovers.clear(self._folder.cluster, self._sockets.name)

    @property
    def _sockets(self) -> Path:
        account = self._programs.account
        return self._folder.sockets(account.uid if account else os.geteuid())

    def _lived(self) -> float | None:
        """Seconds from ready to now; None for a server that never was."""
        return None if self._ready_at is None else asyncio.get_running_loop().time() - self._ready_at

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
        return self._stopping.is_set()
