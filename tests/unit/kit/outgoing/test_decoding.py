"""Bodies are read up to a limit of decoded bytes."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.kit.outgoing.decoding import MOST_MEMBERS, TooLarge, Undecodable, decoder_for, read


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@settings(deadline=None)
@given(body=st.binary(max_size=2_000), size=st.integers(1, 500), members=st.integers(1, 3))
async def test_gzip_is_undone_however_it_is_cut(body: bytes, size: int, members: int) -> None:
    sent = gzip.compress(body) * members
    got = await read(stream(pieces(sent, size)), decoder_for("GZip"), 10_000)
    assert got == body * members


@pytest.mark.parametrize("encoding", ["", "identity"])
async def test_the_limit_is_the_last_size_that_passes(encoding: str) -> None:
    assert await read(stream([b"ab", b"cd"]), decoder_for(encoding), 4) == b"abcd"
    with pytest.raises(TooLarge):
        await read(stream([b"ab", b"cde"]), decoder_for(encoding), 4)


async def test_the_limit_counts_decoded_bytes() -> None:
    sent = gzip.compress(b"x" * 1_000)
    assert len(await read(stream([sent]), decoder_for("gzip"), 1_000)) == 1_000
    with pytest.raises(TooLarge):
        await read(stream([sent]), decoder_for("gzip"), 999)


async def test_a_bomb_is_cut_before_it_unfolds() -> None:
    """One chunk of 100 KB stands for 100 MB: it must never be in memory."""
    bomb = gzip.compress(b"\0" * 100_000_000, compresslevel=9)
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            await read(stream([bomb]), decoder_for("gzip"), 1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


async def test_work_without_bytes_is_bounded() -> None:
    with pytest.raises(Undecodable, match="members"):
        await read(stream([gzip.compress(b"") * (MOST_MEMBERS + 1)]), decoder_for("gzip"), 10)


@pytest.mark.parametrize(
    "sent",
    [gzip.compress(b"x" * 500)[:-4], gzip.compress(b"x")[:12] + b"rubbish", b"\x1f"],
    ids=["cut", "rubbish in it", "only begun"],  # gzip writes the time of day: ids made of it differ
)
async def test_broken_gzip_is_an_error(sent: bytes) -> None:
    with pytest.raises(Undecodable):
        await read(stream([sent]), decoder_for("gzip"), 1_000)


async def test_no_body_at_all_is_fine_whatever_the_header_says() -> None:
    """The answer to HEAD names the encoding of a body that is not sent."""
    assert await read(stream([]), decoder_for("gzip"), 10) == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_encodings_that_were_not_offered_are_refused(encoding: str) -> None:
    with pytest.raises(Undecodable, match="gzip"):
        decoder_for(encoding)


@pytest.mark.parametrize("tail", [bytes(8), b"\n", b"\x1f", b"rubbish", gzip.compress(b"", mtime=0) + b"\0"])
@pytest.mark.parametrize("size", [1, 3, 1_000])
async def test_what_follows_a_member_and_is_none_is_left_alone(tail: bytes, size: int) -> None:
    sent = gzip.compress(b"paid") + tail
    assert await read(stream(pieces(sent, size)), decoder_for("gzip"), 1_000) == b"paid"


@pytest.mark.parametrize("encoding", ["none", "utf-8", "UTF-8", "binary", "gzip", "identity, none", ""])
@pytest.mark.parametrize("size", [1, 1_000])
async def test_a_body_that_is_not_encoded_is_read_whatever_the_header_says(encoding: str, size: int) -> None:
    assert await read(stream(pieces(b'{"a": 1}', size)), decoder_for(encoding), 1_000) == b'{"a": 1}'


@pytest.mark.parametrize("bits", [zlib.MAX_WBITS, -zlib.MAX_WBITS])
async def test_both_meanings_of_deflate_are_read(bits: int) -> None:
    packer = zlib.compressobj(wbits=bits)
    sent = packer.compress(b"paid" * 100) + packer.flush()
    assert await read(stream(pieces(sent, 7)), decoder_for("deflate"), 1_000) == b"paid" * 100
    with pytest.raises(TooLarge):
        await read(stream([sent]), decoder_for("deflate"), 399)
    with pytest.raises(Undecodable):
        await read(stream([sent[:-6]]), decoder_for("deflate"), 1_000)
