"""The error codes of this feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from passerelle.kit.errors import Code
from passerelle.quotas.models import Quota

EXECUTIONS_QUOTA_REACHED: Final = Code(
    "EXECUTIONS_QUOTA_REACHED",
    429,
    "The workspace has as many executions that have not ended as it may. Wait until some have ended (`Retry-After`).",
)
RECORDS_QUOTA_REACHED: Final = Code(
    "RECORDS_QUOTA_REACHED", 409, "The workspace has as many records as it may. Delete some, or ask for a higher quota."
)
STORAGE_QUOTA_REACHED: Final = Code(
    "STORAGE_QUOTA_REACHED", 409, "The workspace's files take as much as they may. Delete some, or ask for more."
)
REQUESTS_QUOTA_REACHED: Final = Code(
    "REQUESTS_QUOTA_REACHED",
    429,
    "The workspace has sent as many requests in this minute as it may. Wait as long as `Retry-After` says.",
)

CODES: Final[Mapping[Quota, Code]] = {
    "executions": EXECUTIONS_QUOTA_REACHED,
    "records": RECORDS_QUOTA_REACHED,
    "storage": STORAGE_QUOTA_REACHED,
    "requests": REQUESTS_QUOTA_REACHED,
}
