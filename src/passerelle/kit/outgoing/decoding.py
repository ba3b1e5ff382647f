"""Reads a body up to a limit that counts decoded bytes, so that a small answer cannot unfold to a huge one."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final, Protocol

ENCODINGS: Final = "gzip"
"""What is offered in `Accept-Encoding`."""
MOST_MEMBERS: Final = 1_000
"""Members of one gzip body: empty ones make work and no bytes."""


class TooLarge(Exception):  # noqa: N818
    """There are more bytes than the limit."""


class Undecodable(Exception):  # noqa: N818
    """The bytes are not in the encoding that the answer names, or end too early."""


class Decoder(Protocol):
    """Turns the bytes of the connection into those of the body."""

    def decode(self, data: bytes, limit: int) -> bytes:
        """What `data` stands for, at most `limit` bytes of it: the caller stops there."""

    def finish(self) -> None:
        """Nothing more comes. Raises `Undecodable` where something is missing."""


class Identity:
    """No encoding."""

    def decode(self, data: bytes, limit: int) -> bytes:
        return data[:limit]

    def finish(self) -> None:
        return None


class Gzip:
    """`gzip`, of one or several members (RFC 1952, 2.2). Never makes more than it is asked for."""

    def __init__(self) -> None:
        self._member = self._fresh()
        self._members = 1
        self._whole = True

    @staticmethod
    def _fresh() -> zlib._Decompress:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def decode(self, data: bytes, limit: int) -> bytes:
        out = bytearray()
        while data and len(out) < limit:
            if self._member.eof:
                self._next_member()
            try:
                out += self._member.decompress(data, limit - len(out))
            except zlib.error as error:
                raise Undecodable("its gzip encoding is broken") from error
            self._whole = self._member.eof
            data = self._member.unused_data
        return bytes(out)

    def _next_member(self) -> None:
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise Undecodable(f"its gzip encoding has more than {MOST_MEMBERS} members")
        self._member = self._fresh()

    def finish(self) -> None:
        if not self._whole:
            raise Undecodable("its gzip encoding ends too early")


def decoder_for(encoding: str) -> Decoder:
    """The decoder for a `Content-Encoding` header. Raises `Undecodable` for one that was not offered."""
    match encoding.strip().lower():
        case "" | "identity":
            return Identity()
        case "gzip" | "x-gzip":
            return Gzip()
    raise Undecodable(f"its content encoding is not one of those offered ({ENCODINGS})")


async def read(chunks: AsyncIterator[bytes], decoder: Decoder, limit: int) -> bytes:
    """The whole decoded body. Raises `TooLarge` beyond `limit` bytes, `Undecodable`."""
    body = bytearray()
    async for chunk in chunks:
        body += decoder.decode(chunk, limit + 1 - len(body))
        if len(body) > limit:
            raise TooLarge
    decoder.finish()
    return bytes(body)
