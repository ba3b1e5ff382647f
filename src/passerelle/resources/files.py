"""The object store that files are kept in: a folder, S3, Google Cloud Storage, Azure, or memory for tests."""

from __future__ import annotations

import asyncio
import errno
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import Any, BinaryIO, Final
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, MemoryStore, from_url

from passerelle.kit.errors import CommandError
from passerelle.resources.errors import FILES_FULL, FILES_UNAVAILABLE

_CHUNK: Final = 1 << 20
_PATIENCE: Final = 3.0
"""Seconds that the store has to say that it is there."""
_TRIAL: Final = 10.0
"""Seconds that it has to keep, give and delete a small file."""
_NO_ROOM: Final = f"os error {errno.ENOSPC}"
"""What the library says of a folder whose disk is full; it has no class of its own for that."""
_ACTS: Final = {"put": "write", "get": "read", "delete": "delete"}


@dataclass(frozen=True, slots=True)
class StoreState:
    """How the store stands. `refusal`: why it cannot be used; `free`: bytes, where that can be known."""

    kind: str
    refusal: str | None
    free: int | None


class FilesUrlError(CommandError):
    """`PASSERELLE_FILES_URL` cannot be used; one sentence says what would be right."""


class FileGoneError(Exception):
    """The store has no file under that path."""


class Files:
    """Files by their paths. `Files.in_memory()` is the stand-in for tests."""

    def __init__(self, store: Any) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> Files:
        """The store that a folder's path or a `file:`, `s3:`, `gs:` or `az:` address names.

        Credentials of a cloud come from its usual environment variables. Raises `FilesUrlError`.
        """
        parts = urlsplit(url)
        try:
            if parts.scheme in ("", "file"):
                folder = unquote(parts.path) if parts.scheme else url
                return cls(LocalStore(Path(folder).absolute(), mkdir=True, automatic_cleanup=True))
            return cls(from_url(url))
        except (BaseError, ValueError, OSError) as error:
            raise FilesUrlError(f"PASSERELLE_FILES_URL ({url}): {_first_line(error)}") from None

    @classmethod
    async def tried(cls, url: str) -> None:
        """Keep a small file there, read it and delete it. Raises `FilesUrlError`, which says what to do."""
        store = cls.at(url)._store
        path, content, act = f"trial/{secrets.token_hex(8)}", b"passerelle", "put"
        try:
            async with asyncio.timeout(_TRIAL):
                await obstore.put_async(store, path, content)
                act = "get"
                found = bytes(await (await obstore.get_async(store, path)).bytes_async())
                act = "delete"
                await obstore.delete_async(store, path)
        except TimeoutError:
            why = f"it did not {_ACTS[act]} a small file within {_TRIAL:g} seconds: is its address right?"
        except (BaseError, OSError) as error:
            why = _explained(act, error)
        else:
            why = "" if found == content else "it gave another file than it was given"
        if why:
            raise FilesUrlError(f"PASSERELLE_FILES_URL ({url}): {why}")

    @classmethod
    def in_memory(cls) -> Files:
        """A store that forgets."""
        return cls(MemoryStore())

    async def state(self) -> StoreState:
        """Whether the store answers, within a few seconds, and what is free in it where that can be known."""
        kind = "memory" if isinstance(self._store, MemoryStore) else type(self._store).__name__.removesuffix("Store")
        free = None
        try:
            async with asyncio.timeout(_PATIENCE):
                with suppress(NotFoundError, FileNotFoundError):
                    await obstore.head_async(self._store, "asked-whether-it-answers")
                if isinstance(self._store, LocalStore):
                    kind, free = "folder", (await asyncio.to_thread(disk_usage, str(self._store.prefix))).free
        except (BaseError, OSError, TimeoutError) as error:
            return StoreState(kind.lower(), _first_line(error)[:300] or "it does not answer", free)
        return StoreState(kind.lower(), None, free)

    async def put(self, path: str, file: BinaryIO) -> None:
        """Keep a file, in one piece or not at all. Raises FILES_FULL, FILES_UNAVAILABLE."""
        with _told():
            await obstore.put_async(self._store, path, file)

    async def read(self, path: str) -> AsyncIterator[bytes]:
        """A file's bytes in chunks of a megabyte or so. Raises `FileGoneError`, FILES_UNAVAILABLE."""
        with _told():
            try:
                found = await obstore.get_async(self._store, path)
            except (NotFoundError, FileNotFoundError):
                raise FileGoneError(path) from None
        return _chunks(found.stream(min_chunk_size=_CHUNK))

    async def listed(self, folder: str) -> AsyncIterator[str]:
        """The paths of all files in a folder, in order where the store has one. Raises FILES_UNAVAILABLE."""
        with _told(), suppress(NotFoundError, FileNotFoundError):
            async for part in obstore.list(self._store, folder):
                for one in part:
                    yield one["path"]

    async def delete_below(self, folder: str) -> None:
        """Delete every file of a folder. Raises FILES_UNAVAILABLE."""
        with _told():
            async for some in obstore.list(self._store, folder):
                await obstore.delete_async(self._store, [one["path"] for one in some])

    async def delete(self, path: str) -> None:
        """Delete a file, if it is there. Raises FILES_UNAVAILABLE."""
        with _told(), suppress(NotFoundError, FileNotFoundError):
            await obstore.delete_async(self._store, path)


def _explained(act: str, error: Exception) -> str:
    """What to do where a cloud or a folder refuses to `act`."""
    if isinstance(error, NotFoundError | FileNotFoundError) and act == "put":
        return "there is no such bucket, container or folder: make it, or correct the address"
    refused = isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError)
    if refused or "AccessDenied" in str(error):  # what becomes of several deletions is told in the text alone
        return f"it may not be used to {_ACTS[act]} files: give these credentials, or this user, that right"
    return f"it could not {_ACTS[act]} a small file: {_first_line(error)}"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


async def _chunks(stream: Any) -> AsyncIterator[bytes]:
    with _told():
        async for chunk in stream:
            yield bytes(chunk)


@contextmanager
def _told() -> Iterator[None]:
    """Raises FILES_FULL or FILES_UNAVAILABLE for what the store fails with: some of it are Python's own errors."""
    try:
        yield
    except (BaseError, OSError) as error:
        if _NO_ROOM in str(error):
            message = "the store of files is full: an administrator has to make room, then send the request again"
            raise FILES_FULL.error(message, headers={"Retry-After": "60"}) from error
        raise FILES_UNAVAILABLE.error("the store of files does not answer: send the request again") from error
