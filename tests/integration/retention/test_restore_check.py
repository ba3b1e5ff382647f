"""After the database was set back: what was sent since is told, and whether it comes again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from passerelle.kit.clock import system_clock
from passerelle.kit.sent_journal import SentBuffer
from passerelle.operations.sent import SentJournal, check_restored
from passerelle.resources.files import Files
from tests.integration.retention.test_retention import QUICK, product, sql
from tests.integration.secrets.product import Product

__all__ = ["product"]
GOING = "name: going\nsteps:\n  - {id: keep, set: {said: done}}\n  - id: decide\n    review: {title: Decide, outcomes: [approve, reject]}\n"


async def test_what_was_sent_since_is_told_and_whether_it_comes_again(product: Product) -> None:
    made = await product.api.post("/webhooks/endpoints", json={"url": "https://127.0.0.1/hook"})
    assert made.status_code == 201
    await product.run(QUICK)
    await product.run(GOING)
    event = str((await sql(product, "SELECT id FROM event WHERE type = 'workflow.completed'"))[0]["id"])
    moment = system_clock()
    buffer = SentBuffer(lambda: moment + timedelta(seconds=5))
    ended, run = [str(row["id"]) for row in await sql(product, "SELECT id FROM execution ORDER BY created_at")]
    sent = (
        ("webhook", event), ("webhook", str(product.workspace_id)), ("call", f"{run}:asked:1"), ("call", f"{run}:keep:1"),
        ("call", f"{product.workspace_id}:asked:1"), ("call", f"{ended}:asked:1"), ("call", "odd"), ("mail", "m"),
    )  # fmt: skip
    for kind, key in sent:
        buffer.note(kind, "there", key)  # type: ignore[arg-type]
    files = Files.in_memory()
    journal = SentJournal(buffer, files, lambda: moment, lambda: product.workspace_id, timedelta(days=1))
    await journal.write()
    database = product.services.shared.database
    found = await check_restored(database, journal, moment)
    assert found is not None
    assert [(one.sent.kind, one.sent.key, one.comes_again) for one in found.sent] == [
        (kind, key, again)
        for (kind, key), again in zip(sent, (True, False, True, False, False, False, None, None), strict=True)
    ]
    later = await check_restored(database, journal, moment + timedelta(minutes=1))
    assert later is not None
    assert (later.sent, later.has_journal) == ([], True)


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "EXPIRED"])
async def test_an_execution_that_has_ended_calls_nobody_again(product: Product, status: str) -> None:
    await product.run(GOING)
    (row,) = await sql(product, f"UPDATE execution SET status = '{status}' RETURNING id")
    moment = system_clock()
    journal = await sent_at(product, moment, f"{row['id']}:asked:1")
    found = await check_restored(product.services.shared.database, journal, moment)
    assert found is not None
    assert [one.comes_again for one in found.sent] == [False]


async def test_what_was_under_way_at_the_newest_event_is_told_where_it_comes_again(product: Product) -> None:
    """The newest event may be younger than the last word of a process; an answer may come after both."""
    await product.run(GOING)
    (row,) = await sql(product, "SELECT id FROM execution")
    (newest,) = await sql(product, "SELECT max(created_at) AS at FROM event")
    before = newest["at"] - timedelta(seconds=1)
    journal = await sent_at(product, before, f"{row['id']}:asked:1", f"{row['id']}:keep:1")
    found = await check_restored(product.services.shared.database, journal, None)
    assert found is not None
    assert found.moment == newest["at"]
    assert [(one.sent.key, one.comes_again) for one in found.sent] == [(f"{row['id']}:asked:1", True)]


async def sent_at(product: Product, at: datetime, *calls: str) -> SentJournal:
    """A journal of these calls."""
    buffer = SentBuffer(lambda: at)
    for key in calls:
        buffer.note("call", "there", key)
    journal = SentJournal(buffer, Files.in_memory(), lambda: at, lambda: product.workspace_id, timedelta(days=1))
    await journal.write()
    return journal


async def test_the_moment_is_the_last_at_which_a_process_was_there(product: Product) -> None:
    database = product.services.shared.database
    journal = SentJournal(
        SentBuffer(system_clock), Files.in_memory(), system_clock, lambda: product.workspace_id, timedelta(1)
    )
    assert await check_restored(database, journal, None) is None
    async with product.services.operations.presence.of("worker"):
        found = await check_restored(database, journal, None)
    assert found is not None
    assert abs(found.moment - system_clock()) < timedelta(seconds=30)
    assert not found.has_journal, "nothing is known where nothing was ever written down"
