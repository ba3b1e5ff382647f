"""A dump in another cluster: what was not delivered is, in its order, and whoever read along is told to begin anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from passerelle.events.models import EventPosition
from passerelle.events.restored import bring_back_numbers, require_numbers
from passerelle.events.service import Events
from passerelle.kit.errors import CommandError, PasserelleError
from tests.integration.webhooks.post_office import PostOffice

AHEAD = 5_000_000


async def restored_elsewhere(url: str) -> None:
    """Numbers as a dump brings them from a cluster that has counted further."""
    connection = await asyncpg.connect(url)
    for table in ("event", "webhook_cursor", "webhook_delivery", "event_forgotten"):
        await connection.execute(f"UPDATE {table} SET transaction = (transaction::text::bigint + {AHEAD})::text::xid8")
    await connection.close()


async def seen(events: Events, workspace_id: UUID) -> Sequence[UUID]:
    return [event.id for event in (await events.read(workspace_id, None, (), 100, 0)).events]


async def test_what_was_restored_into_another_cluster_is_seen_again_in_its_order(
    office: PostOffice, database_url: str
) -> None:
    events = office.events
    await office.endpoint()
    for _ in range(3):
        await office.happen()
    await office.deliver()
    for _ in range(3):
        await office.happen()
    before = await seen(events, office.workspace_id)
    cursor = (await events.read(office.workspace_id, None, (), 2, 0)).position
    await restored_elsewhere(database_url)
    ahead_cursor = type(cursor)(cursor.transaction + AHEAD, cursor.event_id)
    assert await seen(events, office.workspace_id) == []
    with pytest.raises(CommandError, match="run `passerelle migrate`"):
        await require_numbers(database_url)

    assert await bring_back_numbers(database_url) > 0
    await require_numbers(database_url)
    assert await seen(events, office.workspace_id) == before
    with pytest.raises(PasserelleError) as refused:
        await events.read(office.workspace_id, ahead_cursor, (), 100, 0)
    assert refused.value.problems[0].code == "EVENTS_EXPIRED"
    assert "since" in refused.value.problems[0].message
    await office.deliver()
    assert [request.body["id"] for request in office.receivers.requests] == [str(id_) for id_ in before]
    assert await bring_back_numbers(database_url) == 0


async def test_a_database_where_it_was_is_left_alone(office: PostOffice, database_url: str) -> None:
    await office.happen()
    await require_numbers(database_url)
    assert await bring_back_numbers(database_url) == 0


async def test_a_position_of_events_that_are_no_more_is_told_however_far_the_numbers_have_come(
    office: PostOffice, database_url: str
) -> None:
    """Set back to a moment: what happened after it is gone, and its numbers are given out again."""
    events, place = office.events, office.workspace_id
    for _ in range(3):
        await office.happen()
    *_, before, lost = (await events.read(place, None, (), 100, 0)).events
    connection = await asyncpg.connect(database_url)
    await connection.execute("DELETE FROM event WHERE id = $1", lost.id)
    await connection.close()
    for _ in range(3):
        await office.happen()
        with pytest.raises(PasserelleError, match="restored"):
            await events.read(place, lost.position, (), 100, 0)
    assert len((await events.read(place, before.position, (), 100, 0)).events) == 3


async def test_every_position_is_void_once_events_were_numbered_anew(office: PostOffice, database_url: str) -> None:
    events, place = office.events, office.workspace_id
    for _ in range(5):
        await office.happen()
    read = (await events.read(place, None, (), 100, 0)).events
    await restored_elsewhere(database_url)
    await bring_back_numbers(database_url)
    for event in read:
        # As the other cluster had numbered it, had it counted further than this one, or less far.
        for number in (event.position.transaction + AHEAD, 3):
            elsewhere = EventPosition(number, event.id)
            with pytest.raises(PasserelleError, match="restored"):
                await events.read(place, elsewhere, (), 100, 0)


async def test_a_position_at_the_end_of_what_retention_took_or_at_the_beginning_is_good(
    office: PostOffice, database_url: str
) -> None:
    events, place = office.events, office.workspace_id
    assert (await events.read(place, EventPosition(), (), 100, 0)).events == []
    for _ in range(3):
        await office.happen()
    first, second, third = (await events.read(place, None, (), 100, 0)).events
    connection = await asyncpg.connect(database_url)
    long_ago = office.clock() - timedelta(days=40)
    await connection.execute("UPDATE event SET created_at = $2 WHERE id = ANY($1)", [first.id, second.id], long_ago)
    await connection.close()
    assert await events.forget_old() == 2
    assert [one.id for one in (await events.read(place, second.position, (), 100, 0)).events] == [third.id]
    with pytest.raises(PasserelleError, match="older than"):
        await events.read(place, first.position, (), 100, 0)
