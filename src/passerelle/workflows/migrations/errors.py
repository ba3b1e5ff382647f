"""What can be wrong with a request about migrations."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

MIGRATION_NOT_FOUND: Final = Code("MIGRATION_NOT_FOUND", 404, "The definition has no migration with that id.")
MIGRATION_POINTLESS: Final = Code("MIGRATION_POINTLESS", 400, "`from` and `to` are the same revision.")
MAPPING_INVALID: Final = Code(
    "MAPPING_INVALID", 400, "`mapping` names steps that are not there, or that do not go together."
)
REVISION_NOT_PUBLISHED: Final = Code(
    "REVISION_NOT_PUBLISHED",
    409,
    "Executions move only to a revision that has been published; a dry run works with a draft.",
)
MIGRATION_UNDER_WAY: Final = Code("MIGRATION_UNDER_WAY", 409, "The migration has not come to its end yet.")
MIGRATION_NOT_UNDOABLE: Final = Code("MIGRATION_NOT_UNDOABLE", 409, "The migration moved nothing that could go back.")
