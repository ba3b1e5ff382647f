"""What can be wrong with a table, and with values for its fields."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

TABLE_NOT_FOUND: Final = Code("TABLE_NOT_FOUND", 404, "This workspace has no table with that id or name.")
TABLE_NAME_TAKEN: Final = Code("TABLE_NAME_TAKEN", 409, "The workspace has a table of that name already.")
TABLE_BUILT_IN: Final = Code(
    "TABLE_BUILT_IN", 409, "The table comes with every workspace: it cannot be renamed or deleted, its fields stay."
)
TABLE_LOSES_DATA: Final = Code(
    "TABLE_LOSES_DATA", 409, "The change would lose values that records have. Repeat it with `?loseData=true`."
)
TABLE_TYPE_CHANGE: Final = Code(
    "TABLE_TYPE_CHANGE", 409, "The field's values would not be of the new type. Add a field of another name instead."
)
TABLE_VERSION_CONFLICT: Final = Code(
    "TABLE_VERSION_CONFLICT", 412, "The table has changed since the version that `If-Match` names. Read it again."
)
TABLE_BUSY: Final = Code("TABLE_BUSY", 409, "The table changes too fast to be written to. Send the request again.")
TABLE_REFERENCED: Final = Code(
    "TABLE_REFERENCED", 409, "Relation fields of other tables point to the table. Remove those fields first."
)
FIELD_NAME_INVALID: Final = Code(
    "FIELD_NAME_INVALID", 400, "A table's or field's name is not made of letters, digits and `_`, or has a meaning."
)
FIELD_DUPLICATE: Final = Code("FIELD_DUPLICATE", 400, "Two fields have the same name.")
FIELD_SETTING_INVALID: Final = Code(
    "FIELD_SETTING_INVALID", 400, "A field's setting does not go with its type, such as `options` on a number."
)
FIELD_TABLE_UNKNOWN: Final = Code(
    "FIELD_TABLE_UNKNOWN", 400, "A relation names a table that the workspace does not have."
)
