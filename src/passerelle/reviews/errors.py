"""What can be wrong with a decision."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

REVIEW_NOT_FOUND: Final = Code("REVIEW_NOT_FOUND", 404, "The definition has no `review` step of that name.")
REVIEW_NOT_REACHED: Final = Code("REVIEW_NOT_REACHED", 409, "The execution has not come to this review yet.")
REVIEW_DECIDED: Final = Code("REVIEW_DECIDED", 409, "The review is decided; the message says how, by whom and when.")
REVIEW_TOO_LATE: Final = Code("REVIEW_TOO_LATE", 409, "The time for this review (`within`) is over.")
REVIEW_NEEDS_ANOTHER: Final = Code(
    "REVIEW_NEEDS_ANOTHER", 409, "Under four eyes you decided already: somebody else has to decide the same."
)
REVIEW_NEEDS_PERSON: Final = Code(
    "REVIEW_NEEDS_PERSON", 409, "Under four eyes two persons decide. A key acts for a service: sign in."
)
REVIEW_AMBIGUOUS: Final = Code(
    "REVIEW_AMBIGUOUS", 409, "Several reviews of this name are open: name one as the timeline does, `owners[0].decide`."
)
REVIEW_OUTCOME_UNKNOWN: Final = Code(
    "REVIEW_OUTCOME_UNKNOWN", 400, "The review has no such outcome; the message lists those that there are."
)
REVIEW_TAKEN: Final = Code(
    "REVIEW_TAKEN", 409, "Somebody else has taken the review; the message says who. Take it over, then decide."
)
REVIEWER_UNFIT: Final = Code(
    "REVIEWER_UNFIT", 409, "The person that the review is to be given to may not decide it, or does not work here."
)
STEP_NOT_ASKABLE: Final = Code(
    "STEP_NOT_ASKABLE", 409, "The end user cannot be asked this step again; the message says why."
)
REVIEW_NOT_ALLOWED: Final = Code(
    "REVIEW_NOT_ALLOWED", 403, "The review is assigned to a role that these credentials do not have."
)
