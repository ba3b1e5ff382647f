"""What can be wrong with a request about executions."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

WORKFLOW_NOT_FOUND: Final = Code("WORKFLOW_NOT_FOUND", 404, "This workspace has no execution with that id.")
WORKFLOW_NEEDS_USER: Final = Code(
    "WORKFLOW_NEEDS_USER",
    409,
    "The definition has steps for an end user. Use a link, a token or `POST /workflows` instead of `/workflows/run`.",
)
WORKFLOW_NOT_COMPLETED: Final = Code(
    "WORKFLOW_NOT_COMPLETED", 409, "The result is there once the execution is COMPLETED; the message says its status."
)
WORKFLOW_ENDED: Final = Code("WORKFLOW_ENDED", 409, "The execution has ended and cannot be changed any more.")
WORKFLOW_BUSY: Final = Code(
    "WORKFLOW_BUSY", 409, "The execution changes too fast to be written. Send the request again."
)
WORKFLOW_NOT_FAILED: Final = Code("WORKFLOW_NOT_FAILED", 409, "Only a FAILED execution can be retried.")
STEP_NOT_IN_REVISION: Final = Code(
    "STEP_NOT_IN_REVISION",
    409,
    "The latest revision lacks the step that failed. Retry with `?definition=original`.",
)
EVENT_UNKNOWN: Final = Code(
    "EVENT_UNKNOWN",
    404,
    "The definition has no `event` step that takes an event of that name, or none that is still to come.",
)
EVENT_BODY_INVALID: Final = Code(
    "EVENT_BODY_INVALID", 400, "The event's body does not fit the schema of the step that takes it."
)
EVENTS_TOO_MANY: Final = Code(
    "EVENTS_TOO_MANY", 409, "So many events wait in the execution for their steps that there is no room for more."
)
PARAMETERS_NOT_FOUND: Final = Code("PARAMETERS_NOT_FOUND", 404, "This workspace has no parameters with that id.")
CASE_NOT_FOUND: Final = Code("CASE_NOT_FOUND", 404, "This workspace has no case with that id.")
CASE_ID_REQUIRED: Final = Code(
    "CASE_ID_REQUIRED", 400, "Version 1 needs `caseId`. Send `Accept: application/json;version=2` to run without one."
)
CASE_ID_REMOVED: Final = Code(
    "CASE_ID_REMOVED", 400, "Version 2 has no `caseId`. Send `recordId`; the same identifier works."
)
RECORD_ID_NEEDS_VERSION_2: Final = Code(
    "RECORD_ID_NEEDS_VERSION_2", 400, "Version 1 has no `recordId`. Send `Accept: application/json;version=2`."
)
EXPIRES_AT_INVALID: Final = Code(
    "EXPIRES_AT_INVALID", 400, "`expiresAt` must lie 30 minutes to 30 days ahead, in ISO 8601 with a time zone."
)
MENTION_UNKNOWN: Final = Code(
    "MENTION_UNKNOWN", 400, "A comment mentions somebody who does not work in this workspace: see `GET /people`."
)
STEP_NOT_REACHED: Final = Code(
    "STEP_NOT_REACHED", 409, "A retry names a step that the execution has not come by; the message lists those it has."
)
OPERATION_NOT_FOUND: Final = Code("OPERATION_NOT_FOUND", 404, "The workspace has no operation with that id (any more).")
OPERATION_OVER: Final = Code("OPERATION_OVER", 409, "The operation has come to its end.")
OPERATION_UNBOUND: Final = Code(
    "OPERATION_UNBOUND", 400, "An operation names neither executions nor a filter: it would hit all there are."
)
