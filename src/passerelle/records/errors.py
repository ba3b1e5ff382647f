"""What can be wrong with a request about records."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

RECORD_NOT_FOUND: Final = Code("RECORD_NOT_FOUND", 404, "The table has no record with that id, or it was deleted.")
RECORD_VERSION_CONFLICT: Final = Code(
    "RECORD_VERSION_CONFLICT", 412, "The record has changed since the version that `If-Match` names. Read it again."
)
RECORD_BUSY: Final = Code("RECORD_BUSY", 409, "The record changes too fast to be written. Send the request again.")
RECORD_NOT_STORABLE: Final = Code(
    "RECORD_NOT_STORABLE", 400, "The database cannot hold a value of the record; the message says why."
)
RECORD_IN_USE: Final = Code(
    "RECORD_IN_USE", 409, "The record cannot be erased while executions concern it that run, wait or can be retried."
)
VALUE_TAKEN: Final = Code(
    "VALUE_TAKEN", 409, "Another record of the table has this value in a unique field; the message names both."
)
RELATED_UNKNOWN: Final = Code(
    "RELATED_UNKNOWN", 400, "A relation points to a record that the other table does not have, or that was deleted."
)
ATTACHED_UNKNOWN: Final = Code(
    "ATTACHED_UNKNOWN", 400, "A field of files names what is no attachment of the record and no file of the workspace."
)
FIELD_NOT_UNIQUE: Final = Code("FIELD_NOT_UNIQUE", 400, "Records can be addressed only by a unique field.")
UPSERT_CONFLICT: Final = Code(
    "UPSERT_CONFLICT", 400, "The body names another value for the field that the record is found by."
)
MERGE_WITH_ITSELF: Final = Code(
    "MERGE_WITH_ITSELF", 400, "A merge names the same record twice; `from` must be the id of another one."
)
DUPLICATES_TOO_MANY: Final = Code(
    "DUPLICATES_TOO_MANY", 400, "Too many records would have to be compared; the message says how to narrow them."
)
NOT_DELETED: Final = Code("NOT_DELETED", 409, "The record is not deleted, so it cannot be restored.")
COMMENT_EMPTY: Final = Code("COMMENT_EMPTY", 400, "A comment needs a text of 1 to 10,000 characters.")
FILTER_INVALID: Final = Code(
    "FILTER_INVALID", 400, "A filter, a sort or a list of fields is wrong; the message names the field and the reason."
)
FILTER_TOO_LARGE: Final = Code("FILTER_TOO_LARGE", 400, "A filter is nested deeper, or has more parts, than is taken.")
SEARCH_TOO_SLOW: Final = Code(
    "SEARCH_TOO_SLOW", 400, "The search read too many records. Index the field that the message names, or narrow it."
)
ATTACHMENT_NOT_FOUND: Final = Code("ATTACHMENT_NOT_FOUND", 404, "The record has no attachment with that id.")
TAGS_INVALID: Final = Code(
    "TAGS_INVALID", 400, "A file has too many tags, one of them is too long, or the body has another part."
)
IMPORT_UNREADABLE: Final = Code(
    "IMPORT_UNREADABLE", 400, "A file of rows cannot be read: encoding, quotes or header; the message names the line."
)
IMPORT_ROW: Final = Code("IMPORT_ROW", 400, "A row of an import cannot be read; the report names the line.")


class ValueTakenError(Exception):
    """Another record has a value that is to be unique; nothing was written."""
