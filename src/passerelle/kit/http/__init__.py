"""The HTTP layer's tools: versions, bodies, errors, credentials, idempotency, lists, the reference page."""
