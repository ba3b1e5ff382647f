"""Files that end users send: taken, refused, cut, taken back, attached."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from PIL import Image

from passerelle.engine.model import Status
from passerelle.kit.database import Database
from passerelle.kit.errors import PasserelleError
from passerelle.kit.ids import new_id
from passerelle.records.models import Author
from passerelle.resources.files import Files
from passerelle.resources.opening import Rendition
from passerelle.resources.scanning import EICAR
from passerelle.tables.schemas import FieldBody, TableBody
from tests.integration.end_user import guests
from tests.integration.end_user.guests import House
from tests.photos import photo

PAPERS = """
name: papers
record: {table: customers, create: true}
steps:
  - id: papers
    upload: {title: Papers, accept: [application/pdf, image/*], maxSize: 200KB, max: 2}
  - id: end
    consent: {title: End, text: Agree, version: "1"}
"""
CARD = """
name: card
record: {table: customers, create: true}
steps:
  - id: card
    upload:
      title: Identity card
      accept: [image/*]
      documents:
        - {id: front, title: Front}
        - {id: back, title: Back, min: 0, maxSize: 1KB}
        - {id: proofs, title: Proofs, accept: [application/pdf], max: 2}
result: {front: "${steps.card.documents.front[0].resourceName}", proofs: "${size(steps.card.documents.proofs)}"}
"""
PDF = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    + b"%" + b"x" * 1_000
    + b"\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)  # fmt: skip
PNG = photo("PNG")


@pytest_asyncio.fixture(loop_scope="session")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest_asyncio.fixture(loop_scope="session")
async def house(database: Database, database_url: str, workspace_id: UUID, folder: Path) -> AsyncIterator[House]:
    """As elsewhere, with files in a folder that a test can look into."""
    async with guests.house(database, database_url, workspace_id, Files.at(str(folder))) as made:
        fields = [FieldBody(name="name", type="text")]
        await made.records.tables.create(workspace_id, new_id(), TableBody(name="customers", fields=fields))
        yield made


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def code_of(awaited: Any) -> str:
    with pytest.raises(PasserelleError) as caught:
        await awaited
    return caught.value.problems[0].code


async def test_files_are_kept_and_become_the_steps_output(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)
    first = await house.send(execution, "papers", "extract.pdf", PDF)
    second = await house.send(execution, "papers", "photo.png", PNG)
    screen = await house.screen(execution)
    assert screen.step is not None
    assert screen.step.files == (first, second)
    assert second.pop("preview")
    assert screen.step.config == {
        "title": "Papers",
        "accept": ["application/pdf", "image/*"],
        "maxSize": 204_800,
        "max": 2,
        "min": 1,
    }
    assert first == {
        "resourceId": first["resourceId"],
        "resourceName": "extract.pdf",
        "resourcePath": f"resources/{house.workspace_id}/{first['resourceId']}/extract.pdf",
        "type": "application/pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    await house.submit(execution, "papers")
    assert await house.value("SELECT output FROM step_run WHERE step = 'papers'") == {"files": [first, second]}
    assert stored(folder) == sorted(["extract.pdf", "photo.png", f"{second['resourceId']}.preview.jpg"])


async def test_a_repeated_upload_is_the_file_that_is_there(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)
    first = await house.send(execution, "papers", "extract.pdf", PDF)
    assert await house.send(execution, "papers", "extract.pdf", PDF) == first
    assert stored(folder) == ["extract.pdf"]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("extract.pdf", b"", "FILE_EMPTY"),
        ("extract.pdf", b"%PDF-1.7" + b"x" * 300_000, "FILE_TOO_LARGE"),
        ("extract.pdf", PDF[:100], "FILE_BROKEN"),
        ("photo.png", PNG[:-60], "FILE_BROKEN"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "FILE_ACTIVE"),
        ("notes.txt", b"hello", "FILE_TYPE_NOT_ACCEPTED"),
        ("program.pdf", b"MZ" + b"\0" * 500, "FILE_TYPE_MISMATCH"),
        ("virus.pdf", b"%PDF-1.7\n" + b" " * 66_000 + EICAR, "FILE_HARMFUL"),
    ],
)
async def test_what_is_not_taken_leaves_nothing_behind(
    house: House, folder: Path, name: str, content: bytes, code: str
) -> None:
    execution = await house.start(PAPERS)
    assert await code_of(house.send(execution, "papers", name, content)) == code
    assert stored(folder) == []
    assert await house.value("SELECT count(*) FROM resource") == 0
    assert (await house.send(execution, "papers", "extract.pdf", PDF))["size"] == len(PDF)


async def test_an_upload_that_is_cut_leaves_nothing_and_can_be_sent_again(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)

    async def cut() -> AsyncIterator[bytes]:
        yield PDF[:500]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await house.sessions.add_file(house.workspace_id, execution, "papers", 1, "extract.pdf", cut())
    assert stored(folder) == []
    screen = await house.screen(execution)
    assert screen.step is not None
    assert screen.step.files == ()
    await house.send(execution, "papers", "extract.pdf", PDF)


async def test_no_more_files_than_asked_for_and_no_fewer(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)
    assert await code_of(house.submit(execution, "papers")) == "FIELD_INVALID"
    sent = await asyncio.gather(
        *(house.send(execution, "papers", f"{number}.pdf", PDF) for number in range(6)), return_exceptions=True
    )
    assert sum(isinstance(one, dict) for one in sent) == 2
    assert {one.problems[0].code for one in sent if isinstance(one, PasserelleError)} == {"TOO_MANY_FILES"}
    assert len(stored(folder)) == 2


async def test_a_file_can_be_taken_back_until_it_is_submitted(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)
    kept = await house.send(execution, "papers", "extract.pdf", PDF)
    await house.sessions.remove_file(house.workspace_id, execution, "papers", 1, UUID(kept["resourceId"]))
    await house.forgotten()
    assert stored(folder) == []
    assert await house.value("SELECT count(*) FROM resource") == 0
    again = house.sessions.remove_file(house.workspace_id, execution, "papers", 1, UUID(kept["resourceId"]))
    assert await code_of(again) == "RESOURCE_NOT_FOUND"
    await house.send(execution, "papers", "extract.pdf", PDF)
    await house.submit(execution, "papers")
    late = house.sessions.remove_file(house.workspace_id, execution, "papers", 1, UUID(kept["resourceId"]))
    assert await code_of(late) == "STEP_NOT_CURRENT"
    assert await code_of(house.send(execution, "papers", "late.pdf", PDF)) == "STEP_NOT_CURRENT"
    assert stored(folder) == ["extract.pdf"]


async def test_a_file_that_is_taken_back_while_the_step_is_submitted_stays_if_it_was_given(
    house: House, folder: Path
) -> None:
    """Whichever comes first: what the step gave is there, and nothing else."""
    for _ in range(8):
        execution = await house.start(PAPERS)
        sent = [await house.send(execution, "papers", f"{name}.pdf", PDF + name.encode()) for name in ("a", "b")]
        taken = house.sessions.remove_file(house.workspace_id, execution, "papers", 1, UUID(sent[0]["resourceId"]))
        await asyncio.gather(taken, house.submit(execution, "papers"), return_exceptions=True)
        await house.forgotten()
        row = await house.rows(f"SELECT output FROM step_run WHERE step = 'papers' AND execution_id = '{execution}'")
        given = {one["resourceId"] for one in row[0]["output"]["files"]}
        there = {str(one["id"]) for one in await house.rows("SELECT id FROM resource")}
        assert given <= there
        assert {one["resourceId"] for one in sent} & there == given


async def test_going_back_to_files_keeps_them(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)
    first = await house.send(execution, "papers", "extract.pdf", PDF)
    await house.submit(execution, "papers")
    screen = await house.back(execution)
    assert screen.step is not None
    assert screen.step.files == (first,)
    await house.sessions.remove_file(house.workspace_id, execution, "papers", 2, UUID(first["resourceId"]))
    second = await house.send(execution, "papers", "photo.png", PNG, visit=2)
    await house.submit(execution, "papers", visit=2)
    outputs = await house.rows("SELECT output FROM step_run WHERE step = 'papers' ORDER BY visit")
    assert second.pop("preview")
    await house.forgotten()
    assert outputs[1]["output"] == {"files": [second]}
    assert stored(folder) == sorted(["photo.png", f"{second['resourceId']}.preview.jpg"])


async def attachments(house: House, record: UUID) -> list[str]:
    listed = await house.records.attachments.listed(house.workspace_id, "customers", record, None, 10)
    return sorted(attachment.name for attachment in listed)


async def test_the_files_become_attachments_of_the_executions_record(house: House) -> None:
    _, record = await house.records.records.create(house.workspace_id, "customers", {"name": "A"}, Author("test"))
    execution = await house.start(PAPERS, record_id=record.id)
    await house.send(execution, "papers", "extract.pdf", PDF)
    assert await attachments(house, record.id) == []
    await house.submit(execution, "papers")
    await house.back(execution)
    await house.send(execution, "papers", "photo.png", PNG, visit=2)
    await house.submit(execution, "papers", visit=2)
    assert await attachments(house, record.id) == ["extract.pdf", "photo.png"]


async def test_files_sent_before_the_record_was_made_are_attached_when_it_is(house: House) -> None:
    text = PAPERS.replace('consent: {title: End, text: Agree, version: "1"}', 'record: {create: {name: "B"}}')
    execution = await house.start(text)
    await house.send(execution, "papers", "extract.pdf", PDF)
    await house.submit(execution, "papers")
    await house.sessions.changed(house.workspace_id, execution, (await house.screen(execution)).seq, 0)
    async with asyncio.timeout(20):
        while (screen := await house.screen(execution)).status is not Status.COMPLETED:
            await house.sessions.changed(house.workspace_id, execution, screen.seq, 5)
    record = await house.value("SELECT record_id FROM execution WHERE id = $1", execution)
    assert await attachments(house, record) == ["extract.pdf"]


async def test_a_reference_that_is_no_record_of_ours_gets_no_attachments(house: House) -> None:
    execution = await house.start(PAPERS.replace("record: {table: customers, create: true}\n", ""), record_id=new_id())
    await house.send(execution, "papers", "extract.pdf", PDF)
    await house.submit(execution, "papers")
    assert await house.value("SELECT count(*) FROM attachment") == 0


async def test_files_that_were_never_submitted_go_when_the_execution_is_over(house: House, folder: Path) -> None:
    over, open_still, done = [await house.start(PAPERS) for _ in range(3)]
    await house.send(over, "papers", "over.pdf", PDF)
    await house.send(open_still, "papers", "open.pdf", PDF)
    await house.send(done, "papers", "done.pdf", PDF)
    await house.submit(done, "papers")
    await house.executions.cancel(house.workspace_id, over, None)
    await house.executions.cancel(house.workspace_id, done, None)
    await house.sessions.forget_old()
    assert stored(folder) == ["done.pdf", "open.pdf"]
    assert await house.value("SELECT count(*) FROM resource") == 2
    assert await house.value("SELECT count(*) FROM visitor_file") == 1, "only what may still be submitted is counted"


async def test_files_that_are_refused_do_not_become_attachments(house: House) -> None:
    _, record = await house.records.records.create(house.workspace_id, "customers", {"name": "A"}, Author("test"))
    execution = await house.start(PAPERS.replace("max: 2", "min: 2, max: 2"), record_id=record.id)
    await house.send(execution, "papers", "extract.pdf", PDF)
    assert await code_of(house.submit(execution, "papers")) == "FIELD_INVALID"
    assert await attachments(house, record.id) == []


async def test_a_phones_photo_is_kept_as_it_is_with_a_copy_that_every_browser_shows(house: House, folder: Path) -> None:
    execution = await house.start(PAPERS)
    kept = await house.send(execution, "papers", "IMG_4711.HEIC", photo("HEIF", (300, 200)))
    assert (kept["type"], kept["preview"]) == ("image/heic", True)
    file_id = UUID(kept["resourceId"])
    for rendition in Rendition:
        found, content = await house.records.resources.read(house.workspace_id, file_id, rendition)
        shown = b"".join([chunk async for chunk in content])
        assert (found.type, found.name, found.size) == ("image/jpeg", "IMG_4711.jpg", len(shown))
        assert Image.open(io.BytesIO(shown)).size == (300, 200)
    await house.sessions.remove_file(house.workspace_id, execution, "papers", 1, file_id)
    await house.forgotten()
    assert stored(folder) == [], "what is kept beside a file goes with it"


@pytest.mark.parametrize(
    ("name", "content", "kept_as", "told"),
    [
        ("passport.pdf", PNG, "passport.png", "passport.pdf"),
        ("passport", PNG, "passport.png", "passport"),
        ("C:\\fakepath\\passport.png", PNG, "passport.png", None),
        ("../../etc/passwd.pdf", PDF, "passwd.pdf", None),
        ("ż" * 300 + ".pdf", PDF, "ż" * 80 + ".pdf", "ż" * 300 + ".pdf"),
        ("a\0b.pdf", PDF, "a b.pdf", None),
        ("", PDF, "file.pdf", None),
    ],
)
async def test_a_name_that_cannot_be_kept_is_mended_and_the_end_user_told(
    house: House, name: str, content: bytes, kept_as: str, told: str | None
) -> None:
    kept = await house.send(await house.start(PAPERS), "papers", name, content)
    assert (kept["resourceName"], kept.get("sentName")) == (kept_as, told or None)


async def test_documents_have_their_own_places_and_can_be_taken_again(house: House, folder: Path) -> None:
    _, record = await house.records.records.create(house.workspace_id, "customers", {"name": "A"}, Author("test"))
    execution = await house.start(CARD, record_id=record.id)
    first = await house.send(execution, "card", "front.png", PNG, document="front")
    assert (
        await code_of(house.send(execution, "card", "x.png", photo("PNG", (9, 9)), document="front"))
        == "TOO_MANY_FILES"
    )
    assert await code_of(house.send(execution, "card", "x.png", PNG, document="side")) == "DOCUMENT_UNKNOWN"
    assert await code_of(house.send(execution, "card", "x.png", PNG)) == "DOCUMENT_UNKNOWN"
    assert await code_of(house.send(execution, "card", "x.png", PNG, document="proofs")) == "FILE_TYPE_NOT_ACCEPTED"
    large = photo("BMP", (99, 99))
    assert await code_of(house.send(execution, "card", "x.bmp", large, document="back")) == "FILE_TOO_LARGE"
    again = await house.send(
        execution, "card", "again.png", photo("PNG", (9, 9)), document="front", replaces=UUID(first["resourceId"])
    )
    await house.forgotten()
    assert [name for name in stored(folder) if name.endswith(".png")] == ["again.png"]
    with pytest.raises(PasserelleError) as missing:
        await house.submit(execution, "card")
    assert [problem.pointer for problem in missing.value.problems] == ["/documents/proofs"]
    proof = await house.send(execution, "card", "proof.pdf", PDF, document="proofs")
    await house.submit(execution, "card")
    del again["preview"]
    output = await house.value("SELECT output FROM step_run WHERE step = 'card'")
    assert output == {"files": [again, proof], "documents": {"front": [again], "back": [], "proofs": [proof]}}
    listed = await house.records.attachments.listed(house.workspace_id, "customers", record.id, None, 10)
    assert {one.name: one.tags for one in listed} == {"again.png": ["front"], "proof.pdf": ["proofs"]}
    assert await house.value("SELECT result FROM execution WHERE id = $1", execution) == {
        "front": "again.png",
        "proofs": 1,
    }
