"""What changes in the middle of something longer loses nothing, and stops nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from passerelle.records.repository import RecordRepository
from tests.integration.secrets.product import Product, joined, opened

FIELDS = [
    {"name": "email", "type": "text", "unique": True, "pii": "contact"},
    {"name": "phone", "type": "text"},
]


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with opened(server_url, template) as (services, url), joined(services, url) as product:
        made = await product.api.post("/tables", json={"name": "people", "fields": FIELDS})
        assert made.status_code == 201, made.text
        yield product


async def person(product: Product, **values: Any) -> str:
    answer = await product.api.post("/tables/people/records", json=values)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


@pytest.mark.parametrize("after", [0, 1])
async def test_a_table_that_changes_while_two_records_are_merged_takes_neither_away(
    product: Product, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    target, source = await person(product), await person(product, email="anna", phone="7")
    update, written = RecordRepository.update, 0

    async def meanwhile(self: RecordRepository, *arguments: Any, **named: Any) -> Any:
        nonlocal written
        written += 1
        if written == after + 1:
            changed = await product.api.patch("/tables/people", json={"title": "Persons"})
            assert changed.is_success, changed.text
        return await update(self, *arguments, **named)

    monkeypatch.setattr(RecordRepository, "update", meanwhile)
    merged = await product.api.post(f"/tables/people/records/{target}/merge", json={"from": source})
    assert merged.is_success, merged.text
    monkeypatch.undo()
    found = (await product.api.get(f"/tables/people/records/{target}")).json()
    assert (found["email"], found["phone"]) == ("anna", "7")
    assert (await product.api.post("/tables/people/records", json={"email": "anna"})).status_code == 409


async def test_as_many_erasures_as_there_are_connections_hold_up_nobody(product: Product) -> None:
    """Each with the one connection that it has: others wait for theirs for seconds, not for good."""
    busy, most = product.services.shared.database.connections
    ids = [await person(product, email=f"person-{at}") for at in range(2 * most)]
    answers = await asyncio.gather(
        *(product.api.delete(f"/tables/people/records/{one}?erase=true") for one in ids),
        *(product.api.get("/tables") for _ in range(most)),
    )
    assert busy <= most
    assert {one.status_code for one in answers} == {200}, [one.text for one in answers if one.is_error]


PDF = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\n"
ROUNDS = 12


async def of_files(product: Product) -> None:
    fields = [*FIELDS, {"name": "files", "type": "attachment"}]
    changed = await product.api.patch("/tables/people", json={"fields": fields})
    assert changed.is_success, changed.text


async def kept(product: Product, content: bytes) -> str:
    sent = await product.api.post("/resources", files={"file": ("a.pdf", content)})
    assert sent.is_success, sent.text
    found: str = sent.json()["resourceId"]
    return found


async def test_a_file_that_two_records_let_go_of_at_once_is_gone_and_one_that_is_taken_stays(product: Product) -> None:
    api = product.api
    await of_files(product)
    for at in range(ROUNDS):
        one, other = await person(product), await person(product)
        shared = await kept(product, PDF + b"%d" % at)
        for record in (one, other):
            held = await api.patch(f"/tables/people/records/{record}", json={"files": [shared]})
            assert held.is_success, held.text
        paths = [f"/tables/people/records/{record}/attachments" for record in (one, other)]
        ids = [(await api.get(path)).json()["data"][0]["id"] for path in paths]
        gone = [api.delete(f"{path}/{attached}") for path, attached in zip(paths, ids, strict=True)]
        assert [answer.status_code for answer in await asyncio.gather(*gone)] == [204, 204]
        assert (await api.get(f"/resources/{shared}")).status_code == 404

        taken = await kept(product, PDF + b"again %d" % at)
        await api.patch(f"/tables/people/records/{one}", json={"files": [taken]})
        (attached,) = (await api.get(paths[0])).json()["data"]
        _, got = await asyncio.gather(
            api.delete(f"{paths[0]}/{attached['id']}"),
            api.patch(f"/tables/people/records/{other}", json={"files": [taken]}),
        )
        assert (await api.get(f"/resources/{taken}")).is_success is got.is_success, got.text


@pytest.mark.parametrize("writes", ["insert", "update"])
async def test_no_record_names_a_file_that_was_deleted_since_its_values_were_checked(
    product: Product, monkeypatch: pytest.MonkeyPatch, writes: str
) -> None:
    api = product.api
    await of_files(product)
    one, other = await person(product), await person(product)
    file = await kept(product, PDF)
    assert (await api.patch(f"/tables/people/records/{one}", json={"files": [file]})).is_success
    (attached,) = (await api.get(f"/tables/people/records/{one}/attachments")).json()["data"]
    write = getattr(RecordRepository, writes)

    async def later(self: RecordRepository, *arguments: Any) -> Any:
        monkeypatch.setattr(RecordRepository, writes, write)
        gone = await api.delete(f"/tables/people/records/{one}/attachments/{attached['id']}")
        assert gone.status_code == 204, gone.text
        return await write(self, *arguments)

    monkeypatch.setattr(RecordRepository, writes, later)
    if writes == "insert":
        answer = await api.post("/tables/people/records", json={"email": "anna", "files": [file]})
    else:
        answer = await api.patch(f"/tables/people/records/{other}", json={"email": "anna", "files": [file]})
    assert answer.status_code == 400, answer.text
    assert [(problem["code"], problem["pointer"]) for problem in answer.json()["errors"]] == [
        ("ATTACHED_UNKNOWN", "/files")
    ]
    assert [found["email"] for found in (await api.get("/tables/people/records")).json()["data"]] == [None, None]


async def test_an_attachment_is_deleted_once(product: Product) -> None:
    record = await person(product)
    path = f"/tables/people/records/{record}/attachments"
    for at in range(ROUNDS):
        sent = await product.api.post(path, files={"file": ("a.pdf", PDF + b"%d" % at)})
        answers = await asyncio.gather(*(product.api.delete(f"{path}/{sent.json()['id']}") for _ in range(3)))
        assert sorted(one.status_code for one in answers) == [204, 404, 404]
        codes = {one.json()["errors"][0]["code"] for one in answers if one.is_error}
        assert codes == {"ATTACHMENT_NOT_FOUND"}


async def test_what_is_sent_to_a_record_that_is_merged_or_erased_meanwhile_goes_along_or_is_refused(
    product: Product,
) -> None:
    api = product.api
    for at in range(ROUNDS):
        source, target = await person(product, email=f"person-{at}"), await person(product)
        path = f"/tables/people/records/{source}"
        sent, written, _ = await asyncio.gather(
            api.post(f"{path}/attachments", files={"file": ("a.pdf", PDF + b"%d" % at)}),
            api.post(f"{path}/comments", json={"text": "seen"}),
            api.post(f"/tables/people/records/{target}/merge", json={"from": source}),
        )
        there = (await api.get(f"/tables/people/records/{target}/attachments")).json()["data"]
        assert len(there) == sent.is_success
        said = (await api.get(f"/tables/people/records/{target}/comments")).json()["data"]
        assert len(said) == written.is_success

        gone = await person(product, email=f"gone-{at}")
        path = f"/tables/people/records/{gone}"
        sent, _ = await asyncio.gather(
            api.post(f"{path}/attachments", files={"file": ("a.pdf", PDF + b"gone %d" % at)}),
            api.delete(f"{path}?erase=true"),
        )
        if sent.is_success:
            assert (await api.get(f"/resources/{sent.json()['id']}")).status_code == 404
