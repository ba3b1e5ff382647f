"""What can be wrong with endpoints and deliveries."""

from __future__ import annotations

from typing import Final

from passerelle.kit.errors import Code

ENDPOINT_NOT_FOUND: Final = Code("WEBHOOK_ENDPOINT_NOT_FOUND", 404, "This workspace has no endpoint with that id.")
DELIVERY_NOT_FOUND: Final = Code("WEBHOOK_DELIVERY_NOT_FOUND", 404, "This workspace has no delivery with that id.")
DELIVERY_EXPIRED: Final = Code(
    "WEBHOOK_DELIVERY_EXPIRED", 409, "The delivery's event was deleted, 30 days after it was made."
)
URL_REFUSED: Final = Code(
    "WEBHOOK_URL_REFUSED", 400, "Webhooks may not be sent to this URL; the message says why and what to do."
)
HEADER_REFUSED: Final = Code(
    "WEBHOOK_HEADER_REFUSED", 400, "A delivery cannot carry this header; the message says why."
)
ENDPOINT_INACTIVE: Final = Code(
    "WEBHOOK_ENDPOINT_INACTIVE", 409, "The endpoint is paused or disabled: activate it before you ask for deliveries."
)
TOO_MANY_ENDPOINTS: Final = Code(
    "TOO_MANY_WEBHOOK_ENDPOINTS", 409, "The workspace has as many endpoints as it may have. Delete one."
)
