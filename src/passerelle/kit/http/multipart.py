"""Bodies of `multipart/form-data`, of which names and texts are UTF-8: browsers send no other since RFC 7578 (5.1)."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

MOST_FIELDS = 20


async def read_form(request: Request, stream: AsyncGenerator[bytes, None], *, max_files: int) -> FormData:
    """The parts of a body; whoever asks closes it. Raises `ValueError` with what is wrong, and what `stream` raises.

    A charset in the header is passed over: it would choose the codec, of which some fail in ways of their own, and
    others make text that nothing can keep.
    """
    kind, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary", b"").decode("latin-1")
    if not boundary:
        raise ValueError("its header names no boundary")
    headers = Headers({"content-type": f'{kind.decode("latin-1")}; boundary="{boundary}"'})
    try:
        return await MultiPartParser(headers, stream, max_files=max_files, max_fields=MOST_FIELDS).parse()
    except MultiPartException as error:
        raise ValueError(error.message) from None
