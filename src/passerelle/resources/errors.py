"""What can be wrong with a file."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

FILE_MISSING: Final = Code(
    "FILE_MISSING", 400, "The body is not multipart with exactly one part `file` that has a name."
)
FILE_EMPTY: Final = Code("FILE_EMPTY", 400, "The file has no bytes.")
FILE_TOO_LARGE: Final = Code("FILE_TOO_LARGE", 413, "The file is larger than the address takes.")
FILE_NAME_INVALID: Final = Code(
    "FILE_NAME_INVALID",
    400,
    "The file's name holds a path, control characters, or more than 200 characters or 240 bytes.",
)
FILE_TYPE_MISMATCH: Final = Code(
    "FILE_TYPE_MISMATCH", 400, "The file's content is not what its name says, such as a ZIP archive named `.pdf`."
)
FILE_LOCKED: Final = Code("FILE_LOCKED", 400, "The file cannot be opened without its password.")
FILE_BROKEN: Final = Code("FILE_BROKEN", 400, "The file cannot be opened: it is damaged, or a part of it is missing.")
FILE_ACTIVE: Final = Code("FILE_ACTIVE", 400, "The drawing holds a program, such as a script in an SVG file.")
FILE_TOO_MANY_PIXELS: Final = Code("FILE_TOO_MANY_PIXELS", 400, "The picture has more pixels than can be shown.")
FILE_POSITION: Final = Code(
    "FILE_POSITION", 400, "The picture says where it was taken, in a way that cannot be taken out of it."
)
FILE_FORM_INVALID: Final = Code(
    "FILE_FORM_INVALID", 400, "The multipart body cannot be read, or a part besides `file` is not right."
)
RESOURCE_NOT_FOUND: Final = Code("RESOURCE_NOT_FOUND", 404, "This workspace has no file with that id.")
FILE_LINK_ENDED: Final = Code(
    "FILE_LINK_ENDED", 404, "The link to the file has ended or was altered. Ask for a new one."
)
FILES_FULL: Final = Code(
    "FILES_FULL", 503, "The store of files has no room. The request changed nothing; send it again when there is some."
)
FILES_UNAVAILABLE: Final = Code(
    "FILES_UNAVAILABLE", 503, "The store of files does not answer. The request changed nothing; send it again."
)
