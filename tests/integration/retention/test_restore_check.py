"""After the database was set back: what was sent since is told, and whether it comes again."""

from __future__ import annotations

from datetime import timedelta

from passerelle.kit.clock import system_clock
from passerelle.kit.sent_journal import SentBuffer
from passerelle.operations.sent import SentJournal, check_restored
from passerelle.resources.files import Files
from tests.integration.retention.test_retention import QUICK, product, sql
from tests.integration.secrets.product import Product

__all__ = ["product"]


async def test_what_was_sent_since_is_told_and_whether_it_comes_again(product: Product) -> None:
    made = await product.api.post("/webhooks/endpoints", json={"url": "https://127.0.0.1/hook"})
    assert made.status_code == 201
    await product.run(QUICK)
    event = str((await sql(product, "SELECT id FROM event WHERE type = 'workflow.completed'"))[0]["id"])
    moment = system_clock()
    buffer = SentBuffer(lambda: moment + timedelta(seconds=5))
    run = str((await sql(product, "SELECT id FROM execution"))[0]["id"])
    sent = (
        ("webhook", event), ("webhook", str(product.workspace_id)), ("call", f"{run}:asked:1"), ("call", f"{run}:keep:1"),
        ("call", f"{product.workspace_id}:asked:1"), ("call", "odd"), ("mail", "m"),
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
        for (kind, key), again in zip(sent, (True, False, True, False, False, None, None), strict=True)
    ]
    later = await check_restored(database, journal, moment + timedelta(minutes=1))
    assert later is not None
    assert (later.sent, later.has_journal) == ([], True)


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
