"""Unique indexes that begin with the workspace, for keys that did not: the next migration moves the keys to them.

Those whose names end with `_former` are for `ON CONFLICT` in the release before, whose processes still run, and so is
`webhook_delivery_once`. The release after this one drops them.
"""

from __future__ import annotations

from passerelle.migrations.online import index

revision = "0281_workspace_first_indexes"
down_revision = "0280_records_by_change"


def upgrade() -> None:
    index("step_run_key", "step_run (workspace_id, execution_id, step, visit, attempt)", unique=True)
    index("received_event_key", "received_event (workspace_id, execution_id, id)", unique=True)
    index("api_key_key", "api_key (workspace_id, id)", unique=True)
    index("api_key_use_key", "api_key_use (workspace_id, key_id)", unique=True)
    index("refresh_token_key", "refresh_token (workspace_id, id)", unique=True)
    index("signing_key_key", "signing_key (workspace_id, id)", unique=True)
    index("webhook_endpoint_key", "webhook_endpoint (workspace_id, id)", unique=True)
    index("webhook_cursor_key", "webhook_cursor (workspace_id, endpoint_id)", unique=True)
    index("webhook_tally_key", "webhook_tally (workspace_id, endpoint_id)", unique=True)
    index("webhook_delivery_of_event", "webhook_delivery (workspace_id, endpoint_id, event_id)", unique=True)
    index("api_key_use_former", "api_key_use (key_id)", unique=True)
    index("webhook_endpoint_former", "webhook_endpoint (id)", unique=True)
    index("webhook_tally_former", "webhook_tally (endpoint_id)", unique=True)
    index("signing_key_id", "signing_key (id)", unique=True)  # a public key is asked for by its id alone
