"""What a schema of PostgreSQL really holds, as sentences that can be compared with another's."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import asyncpg

_FACTS: Final = """
    WITH relation AS (
        SELECT oid, relname AS owner, relrowsecurity, relacl, relowner FROM pg_class
        WHERE relnamespace = $1 AND relkind = 'r'
    )
    SELECT owner, 'the table' AS fact FROM relation
    UNION ALL
    SELECT owner, format('the column %s %s%s%s', attname, format_type(atttypid, atttypmod),
                           CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(adbin, adrelid))
    FROM relation JOIN pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT owner, format('the index %s%s', (SELECT relname FROM pg_class WHERE oid = indexrelid),
                           substring(pg_get_indexdef(indexrelid) FROM ' USING .*'))
    FROM relation JOIN pg_index ON indrelid = relation.oid AND indisvalid
    UNION ALL
    SELECT owner, format('the constraint %s %s', conname, pg_get_constraintdef(pg_constraint.oid))
    FROM relation JOIN pg_constraint ON conrelid = relation.oid AND contype <> 'n'
    UNION ALL
    SELECT owner, 'row-level security' FROM relation WHERE relrowsecurity
    UNION ALL
    SELECT owner, format('the policy %s %s', polname, pg_get_expr(polqual, polrelid))
    FROM relation JOIN pg_policy ON polrelid = relation.oid
    UNION ALL
    SELECT owner, format('the right of %s to %s', grantee::regrole, privilege_type)
    FROM relation, aclexplode(relacl) WHERE grantee <> 0 AND grantee <> relowner
"""

Catalogue = dict[str, set[str]]
"""By table: that it is there, its columns, indexes, constraints, policies and rights."""


async def catalogue(connection: asyncpg.Connection, schema: str) -> Catalogue:
    """Everything in this schema. Names in constraints are short only if the schema is first in the search path."""
    namespace = await connection.fetchval("SELECT $1::text::regnamespace::oid", schema)
    found: Catalogue = defaultdict(set)
    for row in await connection.fetch(_FACTS, namespace):
        found[row["owner"]].add(row["fact"])
    return dict(found)
