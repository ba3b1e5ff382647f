"""`migrate-client` on realistic clients: what it finds in each language, and what the fixes make of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from passerelle_migrate_client.command import migrate_client
from passerelle_migrate_client.facts import Facts
from passerelle_migrate_client.findings import RULES
from passerelle_migrate_client.languages import language_of
from passerelle_migrate_client.scanning import Scan, scan
from passerelle_migrate_client.sources import LARGEST, Source

HERE = Path(__file__).parent
CLIENTS = sorted(path.name.removesuffix(".txt") for path in (HERE / "before").iterdir())


def _before(name: str) -> bytes:
    return (HERE / "before" / f"{name}.txt").read_bytes()


def _lines(found: Scan) -> list[str]:
    return [
        f"{one.line}:{one.column} {one.rule} {one.found}{'' if one.certain else ' perhaps'}{' fix' if one.edits else ''}"
        for one in found.findings
    ]


def _scan(folder: Path, *, pinned: bool = False, encoding: str | None = None) -> Scan:
    return scan([folder], "cases", encoding, pinned=pinned)


def _shown(folder: Path) -> bytes:
    """The one file of a client with the fixes that are shown."""
    found = _scan(folder)
    (changed,) = found.changed or [None]
    if changed is None:
        (file,) = folder.iterdir()
        return file.read_bytes()
    return changed.source.encoded(changed.text)


def _run(folder: Path, *, fix: bool = False, write: bool = False, as_json: bool = False) -> tuple[bool, str]:
    console = Console(record=True, width=400, soft_wrap=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115
    done = migrate_client(
        [folder], console, fix=fix, write=write, as_json=as_json, table="cases", encoding=None, pinned=False
    )
    console.file.close()
    return done, console.export_text()


@pytest.mark.parametrize("name", CLIENTS)
def test_every_use_in_a_realistic_client_is_found(name: str, tmp_path: Path) -> None:
    """Each language's client has a list of its uses, with line, column, rule and whether it can be fixed."""
    (tmp_path / name).write_bytes(_before(name))
    assert _lines(_scan(tmp_path)) == (HERE / "findings" / f"{name}.txt").read_text().splitlines()


@pytest.mark.parametrize("name", CLIENTS)
def test_the_safe_fixes_give_the_client_that_is_wanted(name: str, tmp_path: Path) -> None:
    """Keys, headers and results change; names of variables, comments and answers that are read stay."""
    (tmp_path / name).write_bytes(_before(name))
    assert _shown(tmp_path) == (HERE / "after" / f"{name}.txt").read_bytes()


@pytest.mark.parametrize("name", CLIENTS)
def test_windows_line_ends_are_kept(name: str, tmp_path: Path) -> None:
    """A diff that touches every line helps nobody."""
    (tmp_path / name).write_bytes(_before(name).replace(b"\n", b"\r\n"))
    assert _shown(tmp_path) == (HERE / "after" / f"{name}.txt").read_bytes().replace(b"\n", b"\r\n")


def _fixed(name: str, content: bytes) -> tuple[bytes, Source]:
    path = Path(name)
    language = language_of(path, content)
    assert language is not None
    source = Source(path, language, content, "utf-8")
    found = _scan_source(source)
    return found, source


def _scan_source(source: Source) -> bytes:
    from passerelle_migrate_client import scanning

    read = scanning._read(source, "cases", pinned=False, named={})
    scanning._require_header([read])
    return scanning._fixed(read)


@given(st.sampled_from(CLIENTS), st.data())
@settings(max_examples=150, deadline=None)
def test_fixes_are_idempotent_and_break_nothing(name: str, data: st.DataObject) -> None:
    """Whatever lines a client has: fixing it again changes nothing, and what could be parsed still can."""
    lines = _before(name).splitlines(keepends=True)
    dropped = data.draw(st.sets(st.integers(0, len(lines) - 1), max_size=len(lines) // 2))
    content = b"".join(line for index, line in enumerate(lines) if index not in dropped)
    if language_of(Path(name), content) is None:  # a collection without its schema
        return
    once, source = _fixed(name, content)
    again, fixed = _fixed(name, once)
    assert again == once
    if Facts(source).broken is None:
        assert Facts(fixed).broken is None
    else:
        assert once == content


def test_a_file_that_cannot_be_parsed_is_reported_and_never_changed(tmp_path: Path) -> None:
    """A fix in a file that is not understood could hit anything."""
    path = tmp_path / "broken.py"
    path.write_text('def run(:\n    post("/workflows/run", json={"caseId": 1, "workflowDefinitionId": 2})\n')
    done, text = _run(tmp_path, write=True)
    assert not done
    assert "broken.py: cannot be parsed at line 1" in text
    assert "caseId" in path.read_text()


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    """Binary files, huge files, bundles, other people's folders, links and files of unknown encoding."""
    use = 'post("/workflows/run", {caseId: id, workflowDefinitionId: d});\n'
    for folder in ("node_modules/client", "src"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "node_modules/client/index.js").write_text(use)
    (tmp_path / "src/binary.js").write_bytes(b"\0\1\2" + use.encode())
    (tmp_path / "src/huge.js").write_text(use * (LARGEST // len(use) + 1))
    (tmp_path / "src/bundle.js").write_text(use.strip() * 200)
    (tmp_path / "src/latin.js").write_bytes("// zażółć\n".encode("iso-8859-2") + use.encode())
    (tmp_path / "src/link.js").symlink_to(tmp_path / "node_modules/client/index.js")
    found = _scan(tmp_path)
    reasons = {one.path.name: one.reason for one in found.skipped}
    assert found.findings == ()
    assert found.files == 0
    assert "other people's code" in reasons["node_modules"]
    assert reasons["binary.js"] == "is binary"
    assert f"files up to {LARGEST:,} are read" in reasons["huge.js"]
    assert "bundler" in reasons["bundle.js"]
    assert "--encoding" in reasons["latin.js"]
    assert "link" in reasons["link.js"]


def test_a_vendored_folder_is_read_when_it_is_named(tmp_path: Path) -> None:
    """`vendor/` may be where a company keeps its own client."""
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/client.js").write_text(_before("client.js").decode())
    assert _scan(tmp_path / "vendor").findings


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_are_kept(encoding: str, tmp_path: Path) -> None:
    """A byte order mark decides; everything but the fixes comes out as it went in."""
    text = "// zażółć gęślą jaźń\n" + _before("client.js").decode()
    (tmp_path / "client.js").write_text(text, encoding=encoding)
    after = (HERE / "after/client.js.txt").read_text()
    assert _shown(tmp_path).decode(encoding) == "// zażółć gęślą jaźń\n" + after


def test_other_encodings_are_told_or_declared(tmp_path: Path) -> None:
    """`--encoding` for what does not say it, the coding line of Python for what does."""
    text = "# -*- coding: iso-8859-2 -*-\n# zażółć\n" + _before("client.py").decode()
    (tmp_path / "client.py").write_text(text, encoding="iso-8859-2")
    (tmp_path / "client.js").write_text("// zażółć\n" + _before("client.js").decode(), encoding="cp1250")
    found = _scan(tmp_path, encoding="cp1250")
    assert found.skipped == ()
    assert {one.source.path.name: one.source.encoding for one in found.changed} == {
        "client.js": "cp1250",
        "client.py": "iso-8859-2",
    }
    for one in found.changed:
        assert one.source.encoded(one.source.text) == one.source.path.read_bytes()


def test_no_key_is_renamed_while_no_header_is_sent(tmp_path: Path) -> None:
    """`recordId` without the header is refused: such a fix would break a client that works."""
    source = 'import api\napi.post("/workflows/run", {"caseId": 1, "workflowDefinitionId": 2})\n'
    (tmp_path / "run.py").write_text(source)
    found = _scan(tmp_path)
    assert [one.rule for one in found.findings] == ["payload-key", "accept"]
    assert found.changed == ()
    assert "--pinned" in found.findings[0].instead
    assert [one.rule for one in _scan(tmp_path, pinned=True).findings] == ["payload-key"]
    assert len(_scan(tmp_path, pinned=True).changed) == 1
    (tmp_path / "api.py").write_text('HEADERS = {"Accept": "application/json;version=2"}\n')
    assert len(_scan(tmp_path).changed) == 1


def test_other_peoples_names_are_left_alone(tmp_path: Path) -> None:
    """A help desk has cases too: nothing there is changed, and doubts are marked."""
    (tmp_path / "desk.py").write_text(
        'import requests\nHEADERS = {"Accept": "application/json"}\n\n\n'
        'def close(case_id):\n    """Closes /case/{case_id} and sends caseId."""\n'
        '    ticket = {"caseId": case_id, "priority": 3}\n'
        '    return requests.post(f"https://desk.example/cases/{case_id}", json=ticket, headers=HEADERS)\n'
    )
    found = _scan(tmp_path)
    assert [one.rule for one in found.findings] == ["payload-key", "path"]
    assert not any(one.certain for one in found.findings)
    assert found.changed == ()


def test_snake_case_is_reported_where_a_converter_sends_it(tmp_path: Path) -> None:
    """`case_id` is only a payload key where something turns it into `caseId`."""
    body = '{"case_id": case, "workflow_definition_id": definition}'
    plain = f"def run(case, definition):\n    return post('/workflows/run', {body})\n"
    (tmp_path / "plain.py").write_text(plain)
    assert "payload-key" not in [one.rule for one in _scan(tmp_path).findings]
    (tmp_path / "plain.py").write_text("from humps import camelize\n\n\n" + plain.replace(body, f"camelize({body})"))
    assert [one.found for one in _scan(tmp_path).findings if one.rule == "payload-key"] == ["case_id"]


WHOLE = """import requests

HEADERS = {"Authorization": "Bearer x", "Accept": "application/json"}


def run(case, definition):
    body = {"caseId": case, "workflowDefinitionId": definition}
    return requests.post("https://api.example/workflows/run", json=body, headers=HEADERS).json()["id"]
"""


def test_fixes_are_written_together_with_everything_that_they_change(tmp_path: Path) -> None:
    """The header decides about every request: what a person has to change comes first, or nothing is written."""
    file = tmp_path / "whole.py"
    file.write_text(WHOLE + '\n\ndef case_of(answer):\n    return answer["caseId"]\n')
    done, text = _run(tmp_path, write=True)
    assert not done
    assert "--write waits until those are done" in text
    assert file.read_text().startswith(WHOLE)
    file.write_text(WHOLE + '\n\ndef case_of(answer):\n    return answer["recordId"]\n')
    assert _run(tmp_path, write=True)[0]
    assert '"application/json;version=2"' in file.read_text()
    assert '{"recordId": case, "workflowDefinitionId"' in file.read_text()


def test_calls_without_the_header_are_uses_as_the_server_counts_them(tmp_path: Path) -> None:
    """Without a `caseId`, too: the server answers them in version 1, and refuses them when that is over."""
    (tmp_path / "run.py").write_text(
        'import requests\n\n\ndef run(definition):\n    body = {"workflowDefinitionId": definition}\n'
        '    return requests.post("https://api.example/workflows/run", json=body).json()\n'
    )
    assert [(one.rule, one.certain) for one in _scan(tmp_path).findings] == [("accept", True)]
    assert _scan(tmp_path, pinned=True).findings == ()


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        ('ACCEPT = "application/json"', "ACCEPT"),
        ('ACCEPT: str = "application/json;version=1"', "ACCEPT"),
        ("from settings import ACCEPT", "ACCEPT"),
        ('ACCEPT = "application/json;version=2"', None),
    ],
)
def test_a_header_that_is_held_in_a_name_is_looked_up_or_told(kept: str, found: str | None, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        WHOLE.replace('"Accept": "application/json"', '"Accept": ACCEPT')
        .replace("import requests", kept)
        .replace("caseId", "recordId")
    )
    assert [one.found for one in _scan(tmp_path).findings] == ([found] if found else [])
    assert _scan(tmp_path).changed == ()


def test_a_name_is_looked_up_in_the_other_files_too(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(
        WHOLE.replace('"Accept": "application/json"', '"Accept": settings.ACCEPT').replace("caseId", "recordId")
    )
    assert [one.certain for one in _scan(tmp_path).findings] == [False]
    (tmp_path / "settings.py").write_text('ACCEPT = "application/json;version=2"\n')
    assert _scan(tmp_path).findings == ()


@pytest.mark.parametrize(
    "answer",
    [
        "res.json({ caseId: run.caseId, workflowDefinitionId: run.definition });",
        'nock(API).post("/workflows/run").reply(200, { id: "1", caseId: "2", workflowDefinitionId: "3" });',
        'const made = { caseId: "1", workflowDefinitionId: "2", createdDate: "2026-01-05" };',
    ],
)
def test_answers_are_no_bodies(answer: str, tmp_path: Path) -> None:
    (tmp_path / "server.js").write_text(
        f"const H = {{ headers: {{ Accept: 'application/json;version=2' }} }};\n{answer}\n"
    )
    found = [one for one in _scan(tmp_path).findings if one.found == "caseId"]
    assert found
    assert not any(one.edits for one in found)


def test_headers_to_other_hosts_are_left_alone(tmp_path: Path) -> None:
    other = (
        "\n\ndef rates():\n"
        '    headers = {"Authorization": "Bearer y", "Accept": "application/json"}\n'
        '    return requests.get("https://rates.example/v3/daily", headers=headers).json()\n'
    )
    (tmp_path / "whole.py").write_text(WHOLE + other)
    assert _run(tmp_path, write=True)[0]
    assert (tmp_path / "whole.py").read_text().endswith(other)


def test_files_that_name_the_api_and_cannot_be_read_are_listed_and_fail_the_command(tmp_path: Path) -> None:
    (tmp_path / "run.swift").write_text('let body = ["caseId": id, "workflowDefinitionId": definition]\n')
    (tmp_path / "other.swift").write_text("let x = 1\n")
    (tmp_path / "README.md").write_text("`POST /workflows/run` with a workflowDefinitionId\n")
    (tmp_path / "whole.py").write_text(WHOLE)
    done, text = _run(tmp_path, write=True)
    assert not done
    assert "run.swift: is in no language that this command knows; it names this API: look at it yourself" in text
    assert "other.swift" not in text
    assert "README.md" not in text
    assert (tmp_path / "whole.py").read_text() == WHOLE


def test_json_is_for_programs(tmp_path: Path) -> None:
    """Everything that people read stands in it too."""
    (tmp_path / "client.py").write_bytes(_before("client.py"))
    done, text = _run(tmp_path, fix=True, as_json=True)
    report = json.loads(text)
    assert not done
    assert report["files"] == 1
    assert {one["rule"] for one in report["findings"]} == set(RULES)
    assert set(report["findings"][0]) == {"file", "line", "column", "rule", "found", "instead", "certain", "fixable"}
    assert '+        body = {"recordId": case_id, "workflowDefinitionId": definition}' in report["diff"]
    assert report["changed"] == []


def test_without_write_no_file_changes(tmp_path: Path) -> None:
    """`--fix` shows; only `--write` writes."""
    (tmp_path / "client.py").write_bytes(_before("client.py"))
    done, text = _run(tmp_path, fix=True)
    assert not done
    assert '-        body = {"caseId": case_id' in text
    assert (tmp_path / "client.py").read_bytes() == _before("client.py")


def test_a_client_of_version_2_has_nothing_left(tmp_path: Path) -> None:
    """The end of the way: exit status 0."""
    (tmp_path / "new.py").write_text(
        'HEADERS = {"Accept": "application/json;version=2"}\n\n\n'
        "def run(api, record_id, definition, email):\n"
        '    api.post("/link/send", json={"recordId": record_id, "workflowDefinitionId": definition, "email": email})\n'
    )
    assert _run(tmp_path) == (True, "1 file read, 0 uses of the old API, 0 with a safe fix\n")
