"""What can be wrong with a file."""

from __future__ import annotations

from typing import Final

from passerelle.errors import Code

FILE_MISSING: Final = Code(
    "FILE_MISSING", 400, "The body is not multipart with exactly one part `file` that has a name."
)
FILE_EMPTY: Final = Code("FILE_EMPTY", 400, "The file has no bytes.")
FILE_TOO_LARGE: Final = Code("FILE_TOO_LARGE", 413, "The file is larger than the address takes.")
FILE_NAME_INVALID: Final = Code(
    "FILE_NAME_INVALID", 400, "The file's name holds a path, control characters, or more than 200 characters."
)
FILE_TYPE_MISMATCH: Final = Code(
    "FILE_TYPE_MISMATCH", 400, "The file's content is not what its name says, such as a ZIP archive named `.pdf`."
)
FILE_FORM_INVALID: Final = Code(
    "FILE_FORM_INVALID", 400, "The multipart body cannot be read, or a part besides `file` is not right."
)
RESOURCE_NOT_FOUND: Final = Code("RESOURCE_NOT_FOUND", 404, "This workspace has no file with that id.")
FILE_LINK_ENDED: Final = Code(
    "FILE_LINK_ENDED", 404, "The link to the file has ended or was altered. Ask for a new one."
)
FILES_UNAVAILABLE: Final = Code(
    "FILES_UNAVAILABLE", 503, "The store of files does not answer. The request changed nothing; send it again."
)
