"""Whatever the store of files fails with is told as what it is, by everything that is done with files."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from typing import Any

import obstore
import pytest
from obstore.exceptions import BaseError, GenericError

from passerelle.kit.errors import PasserelleError
from passerelle.resources.files import Files


async def kept(files: Files) -> None:
    await files.put("folder/a", io.BytesIO(b"a"))


async def read(files: Files) -> None:
    assert [part async for part in await files.read("folder/a")]


async def listed(files: Files) -> None:
    assert [path async for path in files.listed("folder")]


ACTS: list[tuple[Callable[[Files], Awaitable[None]], str]] = [
    (kept, "put_async"),
    (read, "get_async"),
    (listed, "list"),
    (lambda files: files.delete("folder/a"), "delete_async"),
    (lambda files: files.delete_below("folder"), "delete_async"),
    (lambda files: files.delete_below("folder"), "list"),
]


@pytest.mark.parametrize(("act", "function"), ACTS)
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GenericError("it does not answer"), "FILES_UNAVAILABLE"),
        (BaseError("nor this"), "FILES_UNAVAILABLE"),
        (PermissionError("not yours"), "FILES_UNAVAILABLE"),
        (ConnectionResetError("by the peer"), "FILES_UNAVAILABLE"),
        (GenericError("No space left on device (os error 28)"), "FILES_FULL"),
    ],
)
async def test_an_error_of_the_store_is_told(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[Files], Awaitable[None]], function: str, error: Exception, code: str
) -> None:
    files = Files.in_memory()
    await kept(files)

    def failing(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(obstore, function, failing)
    with pytest.raises(PasserelleError) as raised:
        await act(files)
    assert [one.code for one in raised.value.problems] == [code]


async def test_a_bucket_that_is_gone_is_told_by_who_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library raises an error of Python's own then."""

    async def failing(*_: Any) -> Any:
        raise FileNotFoundError("The specified bucket does not exist")

    monkeypatch.setattr(obstore, "put_async", failing)
    with pytest.raises(PasserelleError, match="does not answer"):
        await kept(Files.in_memory())
