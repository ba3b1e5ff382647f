CREATE TABLE workspace (
    workspace_id uuid PRIMARY KEY,
    name         text NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- `kind` is `pair` (key and secret, exchanged for access tokens) or `token` (an organization token, sent as it is).
CREATE TABLE api_key (
    workspace_id uuid NOT NULL REFERENCES workspace,
    id           uuid PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('pair', 'token')),
    name         text NOT NULL,
    public_id    text UNIQUE,
    secret_hash  text NOT NULL,
    api_version  integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    roles        text[] NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX api_key_token ON api_key (secret_hash) WHERE kind = 'token';

CREATE TABLE refresh_token (
    workspace_id uuid NOT NULL REFERENCES workspace,
    id           uuid PRIMARY KEY,
    family       uuid NOT NULL,
    key_id       uuid NOT NULL REFERENCES api_key,
    token_hash   text NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX refresh_token_family ON refresh_token (family);
CREATE INDEX refresh_token_age ON refresh_token (expires_at);

CREATE TABLE signing_key (
    workspace_id uuid NOT NULL REFERENCES workspace,
    id           uuid PRIMARY KEY,
    public_pem   text NOT NULL,
    private_pem  bytea NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz,
    signs_from   timestamptz
);
COMMENT ON COLUMN signing_key.private_pem IS 'encrypted with PASSERELLE_SECRET_KEY';
COMMENT ON COLUMN signing_key.signs_from IS 'from when it signs; it is published before';

CREATE TABLE idempotency_key (
    workspace_id uuid NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    resource_id  uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    locked_until timestamptz NOT NULL,
    status       integer,
    headers      jsonb,
    body         bytea,
    PRIMARY KEY (workspace_id, key)
);
COMMENT ON COLUMN idempotency_key.body IS 'encrypted with PASSERELLE_SECRET_KEY';
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);

CREATE TABLE definition (
    workspace_id       uuid NOT NULL REFERENCES workspace,
    id                 uuid NOT NULL,
    name               text NOT NULL,
    published_revision uuid,
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name)
);

CREATE TABLE revision (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    definition_id uuid NOT NULL,
    number        integer NOT NULL,
    text          text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    created_by    text NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, definition_id, number),
    FOREIGN KEY (workspace_id, definition_id) REFERENCES definition
);

CREATE TABLE publication (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    definition_id uuid NOT NULL,
    revision_id   uuid NOT NULL,
    published_at  timestamptz NOT NULL DEFAULT now(),
    published_by  text NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, revision_id) REFERENCES revision
);

CREATE TABLE stored_parameters (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    definition_id uuid,
    parameters    jsonb NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id)
);

-- `seq` is the fence: every commit names the value that it read and adds one. `job_id` names the job of a runnable
-- execution in the queue's own table. `untold`: it has ended or failed, and the parent has not heard of it yet; a job
-- stands for that. `waiting_for` is written in the commit that opens or ends a review, so there is no list of reviews
-- to keep true.
CREATE TABLE execution (
    workspace_id   uuid NOT NULL,
    id             uuid NOT NULL,
    definition_id  uuid NOT NULL,
    revision_id    uuid NOT NULL,
    status         text NOT NULL CHECK (status IN
                   ('RUNNING', 'AWAITING', 'COMPLETED', 'FAILED', 'EXPIRED', 'CANCELLED')),
    execution_type text NOT NULL CHECK (execution_type IN ('BACKGROUND', 'INTERACTIVE')),
    seq            integer NOT NULL,
    state          jsonb NOT NULL,
    parameters     jsonb NOT NULL,
    record_id      uuid,
    locale         text,
    origin         text NOT NULL,
    waiting_for    jsonb,
    result         jsonb,
    error          jsonb,
    wake_at        timestamptz,
    job_id         bigint,
    expires_at     timestamptz,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    completed_at   timestamptz,
    parent_id      uuid,
    parent_step    text,
    depth          integer NOT NULL DEFAULT 0,
    untold         boolean NOT NULL DEFAULT false,
    PRIMARY KEY (workspace_id, id)
);
CREATE INDEX execution_by_definition ON execution (workspace_id, definition_id, id);
CREATE INDEX execution_by_record ON execution (workspace_id, record_id, id) WHERE record_id IS NOT NULL;
CREATE INDEX execution_open ON execution (workspace_id, status, id) WHERE status IN ('RUNNING', 'AWAITING', 'FAILED');
CREATE INDEX execution_due ON execution (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX execution_by_parent ON execution (workspace_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX execution_untold ON execution (updated_at) WHERE untold;
CREATE INDEX execution_open_child ON execution (created_at)
    WHERE parent_id IS NOT NULL AND status IN ('RUNNING', 'AWAITING');
CREATE INDEX execution_in_review ON execution (workspace_id, id) WHERE waiting_for @> '[{"kind": "review"}]';

CREATE TABLE step_run (
    workspace_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    step         text NOT NULL,
    visit        integer NOT NULL,
    attempt      integer NOT NULL,
    ordinal      integer NOT NULL,
    kind         text NOT NULL,
    status       text NOT NULL CHECK (status IN ('COMPLETED', 'SKIPPED', 'FAILED')),
    input        jsonb,
    output       jsonb,
    error        jsonb,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz NOT NULL,
    PRIMARY KEY (execution_id, step, visit, attempt)
);

CREATE TABLE received_event (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    execution_id uuid NOT NULL,
    name         text NOT NULL,
    body         jsonb,
    received_at  timestamptz NOT NULL,
    consumed_at  timestamptz,
    PRIMARY KEY (execution_id, id)
);

-- Ids are made before the commit and in many processes, so a reader that goes by them would skip what commits late. A
-- position is the transaction and then the id, read only below the horizon. Nobody looks for an event without knowing
-- its transaction.
CREATE TABLE event (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    type         text NOT NULL,
    execution_id uuid,
    data         jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    transaction  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (workspace_id, transaction, id)
);

-- `version` is the fence of every write to a record: it names the version that its values were checked against.
-- `changed_in` is the last change's transaction: an index is filled once every older one has ended.
CREATE TABLE record_table (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    title        jsonb,
    fields       jsonb NOT NULL,
    built_in     boolean NOT NULL DEFAULT false,
    version      integer NOT NULL DEFAULT 1,
    changed_in   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    UNIQUE (workspace_id, name)
);

-- No foreign key to `record_table`: its check would lock one row from every insert into a table. `merged_into` leads
-- to the record whose history and executions are shown with the former's own.
CREATE TABLE record (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    table_id     uuid NOT NULL,
    version      integer NOT NULL,
    values       jsonb NOT NULL,
    search       tsvector,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    deleted_at   timestamptz,
    merged_into  uuid,
    PRIMARY KEY (workspace_id, table_id, id)
);
CREATE INDEX record_search ON record USING gin (search) WHERE deleted_at IS NULL;
CREATE INDEX record_deleted ON record (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX record_merged ON record (workspace_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX record_deleted_of_table ON record (workspace_id, table_id, deleted_at, id)
    WHERE deleted_at IS NOT NULL AND merged_into IS NULL;

-- The values of indexed and of unique fields, as bytes that sort as the values do. Bytes, because under row-level
-- security PostgreSQL uses an index only for comparisons that it knows to leak nothing: those of `bytea` are among
-- them, those of `jsonb` and `numeric` are not.
CREATE TABLE record_key (
    workspace_id uuid NOT NULL,
    field_id     uuid NOT NULL,
    key          bytea NOT NULL,
    record_id    uuid NOT NULL,
    PRIMARY KEY (workspace_id, field_id, key, record_id)
);

CREATE TABLE record_unique (
    workspace_id uuid NOT NULL,
    field_id     uuid NOT NULL,
    key          bytea NOT NULL,
    record_id    uuid NOT NULL,
    PRIMARY KEY (workspace_id, field_id, key)
);

CREATE TABLE record_change (
    workspace_id uuid NOT NULL,
    record_id    uuid NOT NULL,
    version      integer NOT NULL,
    action       text NOT NULL CHECK (action IN
                 ('created', 'updated', 'deleted', 'restored', 'merged', 'erased')),
    changes      jsonb NOT NULL,
    at           timestamptz NOT NULL,
    by           text NOT NULL,
    execution_id uuid,
    PRIMARY KEY (workspace_id, record_id, version)
);
CREATE INDEX record_change_by_execution ON record_change (workspace_id, execution_id, at)
    WHERE execution_id IS NOT NULL;

CREATE TABLE record_comment (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    record_id    uuid NOT NULL,
    text         text NOT NULL,
    at           timestamptz NOT NULL,
    by           text NOT NULL,
    PRIMARY KEY (workspace_id, record_id, id)
);

CREATE TABLE attachment (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    record_id    uuid NOT NULL,
    resource_id  uuid NOT NULL,
    tags         text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    PRIMARY KEY (workspace_id, record_id, id)
);
CREATE INDEX attachment_of_resource ON attachment (workspace_id, resource_id);

CREATE TABLE resource (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    name         text NOT NULL,
    type         text NOT NULL,
    size         bigint NOT NULL,
    sha256       bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

CREATE TABLE event_forgotten (
    workspace_id uuid PRIMARY KEY,
    transaction  xid8 NOT NULL,
    event_id     uuid NOT NULL
);
COMMENT ON TABLE event_forgotten IS 'the last event of each workspace that retention took away';

CREATE TABLE webhook_endpoint (
    workspace_id   uuid NOT NULL REFERENCES workspace,
    id             uuid PRIMARY KEY,
    url            text NOT NULL,
    description    text NOT NULL,
    events         text[] NOT NULL,
    api_version    integer NOT NULL,
    secret         bytea NOT NULL,
    old_secret     bytea,
    old_until      timestamptz,
    headers        bytea NOT NULL,
    contact        text,
    fields         text[] NOT NULL DEFAULT '{}',
    pii            text[] NOT NULL DEFAULT '{}',
    status         text NOT NULL DEFAULT 'ACTIVE'
                   CHECK (status IN ('ACTIVE', 'PAUSED', 'DISABLED', 'DELETED')),
    failing_since  timestamptz,
    disabled_why   text,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
COMMENT ON COLUMN webhook_endpoint.secret IS 'encrypted with PASSERELLE_SECRET_KEY';
COMMENT ON COLUMN webhook_endpoint.old_secret IS 'encrypted with PASSERELLE_SECRET_KEY';
COMMENT ON COLUMN webhook_endpoint.headers IS 'encrypted with PASSERELLE_SECRET_KEY';
CREATE INDEX webhook_endpoint_by_workspace ON webhook_endpoint (workspace_id, id);

-- How far each endpoint's events have become deliveries. A table of its own, because it changes all the time.
CREATE TABLE webhook_cursor (
    workspace_id uuid NOT NULL,
    endpoint_id  uuid PRIMARY KEY REFERENCES webhook_endpoint ON DELETE CASCADE,
    transaction  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id     uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
) WITH (fillfactor = 50);

CREATE TABLE webhook_tally (
    workspace_id uuid NOT NULL,
    endpoint_id  uuid PRIMARY KEY REFERENCES webhook_endpoint ON DELETE CASCADE,
    succeeded    bigint NOT NULL,
    failed       bigint NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE webhook_tally IS 'what came of all attempts at an endpoint';

-- `tries` counts since the delivery began or was asked for again, `attempts` counts all. `next_attempt_at` lies in
-- the future while a process has the delivery in hand; `claim` names that process's turn. 6 is QUICK_TRIES of
-- `passerelle.webhooks.schedule`: so long a delivery holds up those behind it of the same execution.
CREATE TABLE webhook_delivery (
    workspace_id    uuid NOT NULL,
    id              uuid NOT NULL,
    endpoint_id     uuid NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
    transaction     xid8 NOT NULL,
    event_id        uuid NOT NULL,
    event_type      text NOT NULL,
    execution_id    uuid,
    status          text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED')),
    tries           integer NOT NULL DEFAULT 0,
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    claim           uuid,
    created_at      timestamptz NOT NULL,
    delivered_at    timestamptz,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX webhook_delivery_once ON webhook_delivery (endpoint_id, event_id);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_attempt_at, transaction, event_id)
    WHERE status = 'PENDING';
CREATE INDEX webhook_delivery_first ON webhook_delivery (endpoint_id, execution_id, transaction, event_id)
    WHERE status = 'PENDING' AND tries < 6;

CREATE TABLE webhook_attempt (
    workspace_id     uuid NOT NULL,
    delivery_id      uuid NOT NULL,
    number           integer NOT NULL,
    started_at       timestamptz NOT NULL,
    duration_ms      integer NOT NULL,
    response_status  integer,
    response_headers jsonb,
    response_body    text,
    error            text,
    PRIMARY KEY (workspace_id, delivery_id, number)
);

CREATE TABLE workspace_secret (
    workspace_id uuid NOT NULL REFERENCES workspace,
    name         text NOT NULL CHECK (name ~ '^[A-Z][A-Z0-9_]{0,63}$'),
    value        bytea NOT NULL,
    version      integer NOT NULL DEFAULT 1,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
COMMENT ON COLUMN workspace_secret.value IS 'encrypted with PASSERELLE_SECRET_KEY';

-- `content` is the file as it was loaded, compressed by gzip: a second compression would be in vain.
CREATE TABLE name_list_version (
    workspace_id uuid NOT NULL REFERENCES workspace,
    name         text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    version      integer NOT NULL,
    sha256       text NOT NULL,
    entries      integer NOT NULL,
    content      bytea NOT NULL,
    loaded_at    timestamptz NOT NULL,
    loaded_by    text NOT NULL,
    PRIMARY KEY (workspace_id, name, version)
);
ALTER TABLE name_list_version ALTER COLUMN content SET STORAGE EXTERNAL;

-- `position` is the last execution that has been dealt with: whoever goes on after a crash starts behind it.
-- `executions` are those that were named; NULL: all of the revision.
CREATE TABLE definition_migration (
    workspace_id  uuid NOT NULL,
    id            uuid NOT NULL,
    definition_id uuid NOT NULL,
    from_revision uuid NOT NULL,
    to_revision   uuid NOT NULL,
    mapping       jsonb NOT NULL,
    executions    uuid[],
    dry_run       boolean NOT NULL,
    status        text NOT NULL CHECK (status IN ('RUNNING', 'DONE', 'UNDOING', 'UNDONE')),
    position      uuid,
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    completed_at  timestamptz,
    undone_by     text,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, from_revision) REFERENCES revision,
    FOREIGN KEY (workspace_id, to_revision) REFERENCES revision
);
CREATE INDEX definition_migration_list ON definition_migration (workspace_id, definition_id, id);
CREATE INDEX definition_migration_dry ON definition_migration (created_at) WHERE dry_run;

-- `trail` and `added` are what an undo cannot work out: how far the end user could go back, and the parameters that
-- were filled in. `kept` says why an undo left the execution where it is.
CREATE TABLE execution_move (
    workspace_id uuid NOT NULL,
    migration_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    verdict      text NOT NULL CHECK (verdict IN ('safe', 'needs-mapping', 'refused')),
    reasons      jsonb,
    moved_at     timestamptz,
    moved_seq    integer,
    trail        jsonb,
    added        jsonb,
    undone_at    timestamptz,
    kept         text,
    PRIMARY KEY (workspace_id, migration_id, execution_id),
    FOREIGN KEY (workspace_id, migration_id) REFERENCES definition_migration ON DELETE CASCADE
);
CREATE INDEX execution_move_of ON execution_move (workspace_id, execution_id) WHERE moved_at IS NOT NULL;

CREATE TABLE deprecated_use (
    workspace_id uuid NOT NULL,
    day          date NOT NULL,
    key_id       uuid NOT NULL,
    endpoint     text NOT NULL,
    version      integer NOT NULL,
    key_name     text NOT NULL,
    uses         bigint NOT NULL,
    refused      bigint NOT NULL,
    last_used    timestamptz NOT NULL,
    user_agent   text,
    PRIMARY KEY (workspace_id, day, key_id, endpoint, version)
);
CREATE INDEX deprecated_use_age ON deprecated_use (day);

CREATE TABLE version_one (
    workspace_id uuid PRIMARY KEY,
    mode         text CHECK (mode IN ('on', 'warn', 'brownout', 'off')),
    brownouts    text,
    updated_at   timestamptz NOT NULL,
    updated_by   text NOT NULL
);

-- Outside of the execution's own row: typing must never get in the way of the engine.
CREATE TABLE visitor_draft (
    workspace_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    step         text NOT NULL,
    visit        integer NOT NULL,
    fields       jsonb NOT NULL,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, execution_id, step, visit)
);
CREATE INDEX visitor_draft_age ON visitor_draft (updated_at);

CREATE TABLE visitor_file (
    workspace_id uuid NOT NULL,
    execution_id uuid NOT NULL,
    step         text NOT NULL,
    resource_id  uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, execution_id, step, resource_id),
    FOREIGN KEY (workspace_id, resource_id) REFERENCES resource ON DELETE CASCADE
);
CREATE INDEX visitor_file_resource ON visitor_file (workspace_id, resource_id);

-- Secrets are not kept: each is derived from the installation's key and the row's own random `salt`, and found by its
-- hash. So a request that is sent again, and a worker that writes the e-mail, come to the same secret. An execution
-- has one link: a request that is sent again finds the one that it made.
CREATE TABLE link (
    workspace_id  uuid NOT NULL REFERENCES workspace,
    id            uuid NOT NULL,
    execution_id  uuid NOT NULL,
    definition_id uuid NOT NULL,
    record_id     uuid,
    salt          bytea NOT NULL,
    secret_hash   bytea NOT NULL UNIQUE,
    email         text,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    opened_at     timestamptz,
    activated_at  timestamptz,
    challenge     bytea,
    visit_id      uuid,
    superseded_at timestamptz,
    deleted_at    timestamptz,
    expired_at    timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
);
COMMENT ON COLUMN link.challenge IS 'hash of what the page that activated the link had been given';
COMMENT ON COLUMN link.expired_at IS 'when it was told that the link ran out unused';
CREATE UNIQUE INDEX link_by_execution ON link (workspace_id, execution_id);
CREATE UNIQUE INDEX link_newest ON link (workspace_id, definition_id, record_id)
    WHERE record_id IS NOT NULL AND superseded_at IS NULL AND deleted_at IS NULL;
CREATE INDEX link_running_out ON link (expires_at)
    WHERE activated_at IS NULL AND superseded_at IS NULL AND deleted_at IS NULL AND expired_at IS NULL;
CREATE INDEX link_addressed ON link (expires_at) WHERE email IS NOT NULL;
CREATE INDEX link_by_record ON link (workspace_id, record_id, id) WHERE record_id IS NOT NULL;
CREATE INDEX link_by_definition ON link (workspace_id, definition_id, id);
CREATE INDEX link_by_address ON link (workspace_id, lower(email)) WHERE email IS NOT NULL;

CREATE TABLE widget_token (
    workspace_id uuid NOT NULL REFERENCES workspace,
    id           uuid NOT NULL,
    execution_id uuid NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    spent_at     timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
);
CREATE UNIQUE INDEX widget_token_by_execution ON widget_token (workspace_id, execution_id);
CREATE INDEX widget_token_age ON widget_token (expires_at);

CREATE TABLE visit (
    workspace_id uuid NOT NULL REFERENCES workspace,
    id           uuid NOT NULL,
    execution_id uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('link', 'token')),
    salt         bytea NOT NULL,
    secret_hash  bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, execution_id) REFERENCES execution
);
COMMENT ON TABLE visit IS 'the browser that an execution is bound to';
CREATE UNIQUE INDEX visit_open ON visit (workspace_id, execution_id) WHERE ended_at IS NULL;
CREATE INDEX visit_age ON visit (expires_at);

-- `attempts` and `sent` are what guessing and flooding are limited by.
CREATE TABLE link_code (
    workspace_id uuid NOT NULL,
    link_id      uuid NOT NULL,
    salt         bytea NOT NULL,
    expires_at   timestamptz NOT NULL,
    attempts     integer NOT NULL DEFAULT 0,
    sent         timestamptz[] NOT NULL,
    used_at      timestamptz,
    visit_id     uuid,
    PRIMARY KEY (workspace_id, link_id),
    FOREIGN KEY (workspace_id, link_id) REFERENCES link ON DELETE CASCADE
);

CREATE TABLE link_email (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    link_id      uuid NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('link', 'code')),
    base_url     text NOT NULL,
    salt         bytea,
    status       text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'SENT', 'FAILED')),
    tries        integer NOT NULL DEFAULT 0,
    error        text,
    created_at   timestamptz NOT NULL,
    send_until   timestamptz NOT NULL,
    ended_at     timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, link_id) REFERENCES link ON DELETE CASCADE
);
COMMENT ON COLUMN link_email.salt IS 'of the code that it carries, if it carries one';
CREATE INDEX link_email_by_link ON link_email (workspace_id, link_id);
CREATE INDEX link_email_age ON link_email (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE theme (
    workspace_id     uuid PRIMARY KEY REFERENCES workspace,
    name             text,
    font             text NOT NULL,
    colours          jsonb NOT NULL,
    allowed_origins  text[] NOT NULL,
    redirect_targets text[] NOT NULL,
    logo             bytea,
    logo_digest      text,
    logo_kind        text CHECK (logo_kind IN ('png', 'jpeg', 'webp')),
    logo_width       integer,
    logo_height      integer,
    updated_at       timestamptz NOT NULL,
    updated_by       text NOT NULL
);
COMMENT ON COLUMN theme.colours IS 'as given, by scheme; the rest is derived';

-- The map names fields by their keys, so that a later rename changes nothing.
CREATE TABLE record_move (
    workspace_id uuid NOT NULL,
    id           uuid NOT NULL,
    source_id    uuid NOT NULL,
    target_id    uuid NOT NULL,
    map          jsonb NOT NULL,
    began_at     timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- `values` and `changes` are the record's and its history's as they were, by the keys of the table that it left;
-- `version` is the record's at that moment: a higher one tells that somebody has written since.
CREATE TABLE record_moved (
    workspace_id uuid NOT NULL,
    record_id    uuid NOT NULL,
    move_id      uuid NOT NULL,
    version      integer NOT NULL,
    values       jsonb NOT NULL,
    changes      jsonb NOT NULL,
    PRIMARY KEY (workspace_id, record_id)
);
