-- Under row-level security the index on `search` would not be used: this looks with the owner's rights, in the
-- connection's own workspace. Every vector holds its table's id as a word, so that the index narrows by it.
CREATE OR REPLACE FUNCTION find_by_text(wanted_table uuid, query tsquery) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM record
    WHERE search @@ (('''' || wanted_table || '''')::tsquery && query)
      AND workspace_id = nullif(current_setting('passerelle.workspace', true), '')::uuid
      AND table_id = wanted_table AND deleted_at IS NULL
$$;

-- A text as words are compared: without capitals and accents. `passerelle.records.searching` folds alike.
CREATE OR REPLACE FUNCTION folded_text(given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT replace(replace(replace(
        translate(regexp_replace(normalize(lower(given), NFKD), '[\u0300-\u036f]', '', 'g'), 'łđøı', 'ldoi'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe')
$$;

-- A merged record answers with another for as long as that one is there: its age says nothing. What a
-- legal hold keeps, with all that was merged into it, is not among them.
CREATE OR REPLACE FUNCTION records_deleted_before(moment timestamptz, passed uuid[], at_most integer)
RETURNS TABLE (workspace_id uuid, table_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT workspace_id, table_id, id FROM record
    WHERE deleted_at < moment AND merged_into IS NULL AND id <> ALL (passed) AND NOT is_held(workspace_id, id)
    ORDER BY deleted_at LIMIT at_most
$$;

-- A statement that has read the table's former version but written nothing yet has no transaction number:
-- only its snapshot tells of it, and other sessions' snapshots are shown to the owner alone.
CREATE OR REPLACE FUNCTION older_statements_ended(change xid8) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT change < pg_snapshot_xmin(pg_current_snapshot()) AND NOT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
          AND backend_xmin IS NOT NULL AND age(backend_xmin) >= age(change::xid)
    )
$$;

-- The built-in table `cases`. Fields are as `passerelle.tables.models.Field.to_json` writes them; each workspace's
-- fields get ids of their own.
CREATE OR REPLACE FUNCTION make_cases_table(of_workspace uuid, moment timestamptz) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO record_table (workspace_id, id, name, title, fields, built_in, created_at, updated_at)
    SELECT of_workspace, gen_random_uuid(), 'cases', to_jsonb('Cases'::text),
           jsonb_agg(f.field || jsonb_build_object('id', gen_random_uuid()) ORDER BY f.number),
           true, moment, moment
    FROM jsonb_array_elements('[
        {"key": "1", "name": "firstName", "type": "text", "title": "First name", "pii": "identity"},
        {"key": "2", "name": "lastName", "type": "text", "title": "Last name", "pii": "identity"},
        {"key": "3", "name": "personalNumber", "type": "text", "title": "Personal number", "pii": "identity"},
        {"key": "4", "name": "email", "type": "text", "title": "E-mail", "pii": "contact"},
        {"key": "5", "name": "phone", "type": "json", "title": "Phone: countryCode and number", "pii": "contact"},
        {"key": "6", "name": "companyName", "type": "text", "title": "Company"},
        {"key": "7", "name": "companyNumber", "type": "text", "title": "Company number"},
        {"key": "8", "name": "companyAddress", "type": "text", "title": "Company address"},
        {"key": "9", "name": "partyId", "type": "text", "title": "Party, where the case came with one"}
    ]'::jsonb) WITH ORDINALITY AS f(field, number)
$$;

-- Every workspace has its built-in table from its first moment.
CREATE OR REPLACE FUNCTION furnish_workspace() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM make_cases_table(NEW.workspace_id, NEW.created_at);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER furnish_workspace AFTER INSERT ON workspace FOR EACH ROW EXECUTE FUNCTION furnish_workspace();

-- Whether a record has a file. Whoever gives one to a record holds its row meanwhile, and whoever deletes one asks this.
CREATE OR REPLACE FUNCTION is_attached(workspace uuid, resource uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM attachment a WHERE a.workspace_id = workspace AND a.resource_id = resource)
$$;
