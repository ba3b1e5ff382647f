"""Encrypts with the first key of `PASSERELLE_SECRET_KEY` what an older one of the list had encrypted.

It works beside running processes: a value is replaced only where it is still the one that was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from passerelle.kit.connections import PlainConnection, connect
from passerelle.kit.secrets import CannotDecryptError, SecretBox

_AT_ONCE: Final = 500
_MARKED: Final = """
    SELECT c.relname AS name, a.attname AS part, k.keys
    FROM pg_description d
    JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
    CROSS JOIN LATERAL (
        SELECT array_agg(quote_ident(one.attname) ORDER BY one.attnum) AS keys FROM pg_index i
        JOIN pg_attribute one ON one.attrelid = c.oid AND one.attnum = ANY (i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary
    ) k
    WHERE c.relnamespace = current_schema()::regnamespace AND d.description LIKE 'encrypted with PASSERELLE_SECRET_KEY%'
    ORDER BY 1, 2
"""
"""Each encrypted column says so in its comment."""


@dataclass(frozen=True, slots=True)
class _Encrypted:
    """Where encrypted values are.

    select   gives the value as `old`, then what finds it again
    update   puts `$1` where `$2` is; what finds it again follows
    """

    name: str
    select: str
    update: str


_IN_DOCUMENTS: Final = (
    _Encrypted(
        "what people agreed to",
        """
        SELECT decode(input ->> 'sealed', 'base64') AS old, workspace_id, execution_id, step, visit, attempt
        FROM step_run
        WHERE kind = 'consent' AND input ? 'sealed'
        """,
        """
        UPDATE step_run SET input = jsonb_set(input, '{sealed}', to_jsonb(translate(encode($1, 'base64'), E'\\n', '')))
        WHERE decode(input ->> 'sealed', 'base64') = $2
        AND (workspace_id, execution_id, step, visit, attempt) = ($3, $4, $5, $6, $7)
        """,
    ),
    _Encrypted(
        "credentials that running executions hold",
        """
        SELECT convert_to(one.value, 'UTF8') AS old, e.workspace_id, e.id,
            ARRAY['sealed', lane.key, step.key, one.key] AS path
        FROM execution e, jsonb_each(e.state -> 'sealed') lane, jsonb_each(lane.value) step,
            jsonb_each_text(step.value) one
        WHERE e.state ? 'sealed'
        """,
        """
        UPDATE execution SET state = jsonb_set(state, $5, to_jsonb(convert_from($1, 'UTF8')))
        WHERE convert_to(state #>> $5, 'UTF8') = $2 AND workspace_id = $3 AND id = $4
        """,
    ),
)


@dataclass(slots=True)
class Rekeyed:
    """How many values of each place the first key has encrypted now, had encrypted before, and no key opens."""

    now: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)

    @property
    def places(self) -> Mapping[str, tuple[int, int, int]]:
        """The three numbers by place."""
        names = sorted({*self.now, *self.before, *self.closed})
        return {name: (self.now[name], self.before[name], self.closed[name]) for name in names}


async def rekey(url: str, box: SecretBox) -> Rekeyed:
    """Encrypt everything anew. `url`: of the tables' owner, as for migrations, who sees every workspace."""
    done = Rekeyed()
    reading = await connect(url, "passerelle rekey")
    writing = await connect(url, "passerelle rekey")
    try:
        for place in (*await _columns(reading), *_IN_DOCUMENTS):
            await _renew(place, box, done, reading, writing)
    finally:
        await reading.close()
        await writing.close()
    return done


async def _columns(connection: PlainConnection) -> Sequence[_Encrypted]:
    return [_column(row["name"], row["part"], row["keys"]) for row in await connection.fetch(_MARKED)]


def _column(table: str, column: str, keys: Sequence[str]) -> _Encrypted:
    found = " AND ".join(f"{key} = ${number}" for number, key in enumerate(keys, 3))
    return _Encrypted(
        f"{table}.{column}",
        f"SELECT {column} AS old, {', '.join(keys)} FROM {table} WHERE {column} IS NOT NULL",  # noqa: S608
        f"UPDATE {table} SET {column} = $1 WHERE {column} = $2 AND {found}",  # noqa: S608
    )


async def _renew(
    place: _Encrypted, box: SecretBox, done: Rekeyed, reading: PlainConnection, writing: PlainConnection
) -> None:
    async with reading.transaction():
        async for row in reading.cursor(place.select, prefetch=_AT_ONCE):
            old, *found = row.values()
            try:
                new = box.renewed(old)
            except CannotDecryptError:
                done.closed[place.name] += 1
                continue
            if new is None:
                done.before[place.name] += 1
            elif (await writing.execute(place.update, new, old, *found)).endswith(" 1"):
                done.now[place.name] += 1
