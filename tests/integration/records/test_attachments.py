"""Files: only what is what it says is kept, links end, nothing of others is handed out."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest

from passerelle.kit.clock import MovedClock
from passerelle.records.parts import RecordServices
from passerelle.resources.service import LINK_LIFETIME
from tests.integration.records.recorded import Api

PDF = b"%PDF-1.7\n1 0 obj\n"


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "a")
    return buffer.getvalue()


async def attached(api: Api) -> str:
    await api.table()
    record = await api.add({"name": "a"})
    return f"/tables/customers/records/{record['id']}/attachments"


async def sent(api: Api, path: str, name: str, content: bytes, status: int = 201, **data: Any) -> Any:
    answer = await api.client.post(path, files={"file": (name, content)}, data=data)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_file_is_handed_out_by_its_link_until_that_ends(api: Api, clock: MovedClock) -> None:
    path = await attached(api)
    made = await sent(api, path, "wyciąg.pdf", PDF, tags=["kyc, extract"])
    assert made | {"id": "", "recordId": ""} == {
        "id": "",
        "recordId": "",
        "name": "wyciąg.pdf",
        "type": "application/pdf",
        "size": len(PDF),
        "createdDateTime": "2026-01-05T09:00:00.000Z",
        "tags": ["kyc", "extract"],
    }
    assert (await api.call("GET", path))["data"] == [made]
    link = (await api.call("GET", f"{path}/{made['id']}"))["link"]
    got = await api.client.get(link, headers={"Authorization": ""})
    assert (got.content, got.headers["content-type"]) == (PDF, "application/pdf")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''wyci%C4%85g.pdf"
    clock.move(LINK_LIFETIME + timedelta(seconds=1))
    assert (await api.client.get(link)).status_code == 404


async def test_a_file_that_could_run_is_never_shown_as_a_page_of_ours(api: Api) -> None:
    picture = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'
    path = await attached(api)
    for name, content in (("a\"'; x=y\u202e.svg", picture), ("page.txt", b"<!doctype html><script>alert(1)</script>")):
        made = await sent(api, "/resources", name, content)
        attachment = await sent(api, path, name, content)
        link = (await api.call("GET", f"{path}/{attachment['id']}"))["link"]
        for address in (f"/resources/{made['resourceId']}", link):
            headers = (await api.client.get(address)).headers
            assert re.fullmatch(r"attachment; filename\*=UTF-8''[\w.%~-]+", headers["content-disposition"])
            assert headers["content-security-policy"] == "default-src 'none'; sandbox"
            assert headers["x-content-type-options"] == "nosniff"
            assert not headers["content-type"].startswith("text/html")


async def test_an_altered_link_hands_out_nothing(api: Api) -> None:
    path = await attached(api)
    made = await sent(api, path, "a.pdf", PDF)
    link = (await api.call("GET", f"{path}/{made['id']}"))["link"]
    for altered in (f"{link[:-4]}AAAA", f"{link}A", link.rsplit("/", 1)[0] + "/x", link.rsplit("/", 1)[0] + "/%00"):
        assert (await api.client.get(altered)).status_code == 404


async def test_a_deleted_file_is_gone_unless_another_record_holds_it(api: Api, parts: RecordServices) -> None:
    path = await attached(api)
    made = await sent(api, path, "a.pdf", PDF)
    link = (await api.call("GET", f"{path}/{made['id']}"))["link"]
    await api.call("DELETE", f"{path}/{made['id']}", status=204)
    assert await api.refused("GET", f"{path}/{made['id']}", status=404) == [("ATTACHMENT_NOT_FOUND", None)]
    assert (await api.client.get(link)).status_code == 404
    assert (await api.client.get(f"/resources/{made['id']}")).status_code == 404


async def test_a_resource_is_kept_under_the_contract_s_path(api: Api) -> None:
    made = await sent(api, "/resources", "data.csv", b"a;b\n1;2\n")
    assert made["resourcePath"] == f"resources/{api.workspace_id}/{made['resourceId']}/data.csv"
    got = await api.client.get(f"/resources/{made['resourceId']}")
    assert (got.content, got.headers["content-type"]) == (b"a;b\n1;2\n", "text/csv; charset=utf-8")


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("invoice.pdf", a_zip(), 400, "FILE_TYPE_MISMATCH"),
        ("photo.png", b"\xff\xd8\xff\xe0\0\x10JFIF\0", 400, "FILE_TYPE_MISMATCH"),
        ("table.csv", a_zip(), 400, "FILE_TYPE_MISMATCH"),
        ("empty.pdf", b"", 400, "FILE_EMPTY"),
        ("../secret.pdf", PDF, 400, "FILE_NAME_INVALID"),
        ("..\\secret.pdf", PDF, 400, "FILE_NAME_INVALID"),
        ("a" * 300 + ".pdf", PDF, 400, "FILE_NAME_INVALID"),
        ("large.txt", b"x" * 50_000_001, 413, "FILE_TOO_LARGE"),
    ],
)
async def test_a_file_that_is_not_right_is_refused(api: Api, name: str, content: bytes, status: int, code: str) -> None:
    path = await attached(api)
    for address in (path, "/resources"):
        answer = await sent(api, address, name, content, status)
        assert [error["code"] for error in answer["errors"]] == [code]
    assert (await api.call("GET", path))["data"] == []


@pytest.mark.parametrize(
    ("content", "content_type", "code"),
    [
        (b"{}", "application/json", "FILE_MISSING"),
        (b"", "multipart/form-data", "FILE_FORM_INVALID"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x", "FILE_MISSING"),
        (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--', "multipart/form-data; boundary=x", "FILE_MISSING"),
    ],
)  # fmt: skip
async def test_a_body_without_a_file_is_refused(api: Api, content: bytes, content_type: str, code: str) -> None:
    answer = await api.client.post("/resources", content=content, headers={"Content-Type": content_type})
    assert (answer.status_code, [error["code"] for error in answer.json()["errors"]]) == (400, [code])


async def test_tags_have_limits(api: Api) -> None:
    path = await attached(api)
    for data in ({"tags": ",".join(f"t{index}" for index in range(21))}, {"tags": "x" * 51}, {"tag": "x"}):
        answer = await sent(api, path, "a.pdf", PDF, 400, **data)
        assert [error["code"] for error in answer["errors"]] == ["TAGS_INVALID"]
