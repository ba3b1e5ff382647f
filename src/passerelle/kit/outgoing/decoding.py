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


class NoEncoding:
    """No encoding."""

    def decode(self, data: bytes, limit: int) -> bytes:
        return data[:limit]

    def finish(self) -> None:
        return None


_MAGIC: Final = b"\x1f\x8b"


class Gzip:
    """`gzip`, of one or several members (RFC 1952, 2.2). Never makes more than it is asked for.

    What follows a member and does not begin as one is padding, which gzip(1), curl and browsers leave alone, too.
    """

    def __init__(self) -> None:
        self._member = self._fresh()
        self._members = 1
        self._whole = True
        self._behind = b""
        """A byte behind a member that may begin another one."""
        self._padding = False

    @staticmethod
    def _fresh() -> zlib._Decompress:
        return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def decode(self, data: bytes, limit: int) -> bytes:
        out = bytearray()
        while data and len(out) < limit and not self._padding:
            if self._member.eof:
                data = self._behind + data
                if len(data) < len(_MAGIC) and _MAGIC.startswith(data):
                    self._behind = data
                    break
                self._behind = b""
                if not data.startswith(_MAGIC):
                    self._padding = True
                    break
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


class Deflate:
    """`deflate`: zlib's format (RFC 9110, 8.4.1.2), or the bare one that some servers mean by it."""

    def __init__(self) -> None:
        self._inner: zlib._Decompress | None = None

    def decode(self, data: bytes, limit: int) -> bytes:
        if not data or limit <= 0:
            return b""
        if self._inner is None:
            # zlib's first byte has 8 in its lower half; a bare stream's has it only for a block type that is none.
            self._inner = zlib.decompressobj(zlib.MAX_WBITS if data[0] & 0x0F == 8 else -zlib.MAX_WBITS)
        try:
            return self._inner.decompress(self._inner.unconsumed_tail + data, limit)
        except zlib.error as error:
            raise Undecodable("its deflate encoding is broken") from error

    def finish(self) -> None:
        if self._inner is not None and not self._inner.eof:
            raise Undecodable("its deflate encoding ends too early")


class Perhaps:
    """An encoding by its name, whose bytes tell whether it is there at all: some servers name it and do not encode."""

    def __init__(self, magic: bytes, encoded: Decoder) -> None:
        self._magic = magic
        self._encoded = encoded
        self._begun = b""
        self._chosen: Decoder | None = None

    def decode(self, data: bytes, limit: int) -> bytes:
        if self._chosen is None:
            self._begun += data
            if len(self._begun) < len(self._magic) and self._magic.startswith(self._begun):
                return b""
            self._chosen = self._encoded if self._begun.startswith(self._magic) else NoEncoding()
            data, self._begun = self._begun, b""
        return self._chosen.decode(data, limit)

    def finish(self) -> None:
        if self._chosen is not None:
            self._chosen.finish()
        elif self._begun:
            raise Undecodable("its body ends too early")


_FOREIGN: Final = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz", "aes128gcm", "exi", "pack200-gzip"})
"""Encodings that exist and were not offered. Whatever else stands there is a mistake, and says nothing of the bytes."""


def decoder_for(encoding: str) -> Decoder:
    """The decoder for a `Content-Encoding` header, as lenient as browsers are with names that are none.

    Raises `Undecodable` for an encoding that exists and was not offered, and for several.
    """
    named = [name for name in (part.strip().lower() for part in encoding.split(",")) if name not in _NONE]
    known = [name for name in named if name in _FOREIGN or name in _OFFERED]
    if not known:
        return NoEncoding()
    if len(known) > 1 or known[0] in _FOREIGN:
        raise Undecodable(f"its content encoding is not one of those offered ({ENCODINGS})")
    return Deflate() if known[0] == "deflate" else Perhaps(_MAGIC, Gzip())


_NONE: Final = frozenset({"", "identity", "none"})
_OFFERED: Final = frozenset({"gzip", "x-gzip", "deflate"})


async def read(chunks: AsyncIterator[bytes], decoder: Decoder, limit: int) -> bytes:
    """The whole decoded body. Raises `TooLarge` beyond `limit` bytes, `Undecodable`."""
    body = bytearray()
    async for chunk in chunks:
        body += decoder.decode(chunk, limit + 1 - len(body))
        if len(body) > limit:
            raise TooLarge
    decoder.finish()
    return bytes(body)
