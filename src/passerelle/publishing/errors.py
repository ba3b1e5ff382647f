"""The error codes of this feature."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

PROPOSAL_NOT_FOUND: Final = Code("PROPOSAL_NOT_FOUND", 404, "The workspace has no proposal with this id.")
PROPOSAL_CLOSED: Final = Code("PROPOSAL_CLOSED", 409, "The proposal was approved, declined, withdrawn or replaced.")
PROPOSAL_STALE: Final = Code(
    "PROPOSAL_STALE",
    409,
    "Another revision was pushed or published since this one was proposed. Look at it again, and propose it anew.",
)
PROPOSAL_POINTLESS: Final = Code("PROPOSAL_POINTLESS", 409, "The revision is published already.")
PROPOSAL_NEEDS_ANOTHER: Final = Code(
    "PROPOSAL_NEEDS_ANOTHER", 409, "Whoever proposed it, in person or with a key of theirs, cannot decide it as well."
)
PROPOSAL_NEEDS_PERSON: Final = Code(
    "PROPOSAL_NEEDS_PERSON",
    409,
    "Two persons publish. Of this key it is not known who made it, so it counts as nobody: sign in, or use a key that "
    "a person made.",
)
PROPOSAL_OF_ANOTHER: Final = Code("PROPOSAL_OF_ANOTHER", 403, "Only whoever proposed it withdraws it; decline it.")
PUBLISHING_LOOSENED_BY_PERSON: Final = Code(
    "PUBLISHING_LOOSENED_BY_PERSON", 403, "Only a person who is signed in lets one person publish alone again."
)
