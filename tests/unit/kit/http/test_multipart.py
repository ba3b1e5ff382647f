"""A multipart body is read as UTF-8, whatever its header says of a charset."""

from __future__ import annotations

import pytest
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message

from passerelle.kit.http.multipart import read_form

NAME = "zażółć.txt"
BODY = (
    f'--b\r\nContent-Disposition: form-data; name="file"; filename="{NAME}"\r\n\r\nx\r\n'
    '--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nżółw\r\n--b--\r\n'
).encode()


def posted(content_type: str, body: bytes = BODY) -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "headers": [(b"content-type", content_type.encode())]}, receive)


@pytest.mark.parametrize(
    "charset",
    ["", "utf-8", "latin-1", "undefined", "punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "hex",
     "zip", "no-such-one", "\"quoted\""],
)  # fmt: skip
async def test_the_charset_of_the_header_chooses_no_codec(charset: str) -> None:
    request = posted(f"multipart/form-data; boundary=b{f'; charset={charset}' if charset else ''}")
    form = await read_form(request, request.stream(), max_files=1)
    file = form["file"]
    assert isinstance(file, UploadFile)
    assert (file.filename, form["note"], await file.read()) == (NAME, "żółw", b"x")
    await form.close()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", BODY),
        ("multipart/form-data; boundary=", BODY),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"nothing of the kind"),
    ],
)
async def test_what_cannot_be_read_is_a_value_error(content_type: str, body: bytes) -> None:
    request = posted(content_type, body)
    with pytest.raises(ValueError, match=r"\w"):
        await read_form(request, request.stream(), max_files=1)
