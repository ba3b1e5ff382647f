"""`passerelle dev` as an administrator meets it: starting, stopping, crashing, starting again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.running import PASSERELLE, Dev, pushed, start_dev

DEMO_LIST = Path(__file__).parents[2] / "examples" / "person-screening" / "lists" / "demo.csv"
WAITS = "name: waits\nsteps:\n  - id: paid\n    event: {name: paid}\n"


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PASSERELLE, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
    )


def postgres_processes(folder: Path) -> list[str]:
    """The command lines of PostgreSQL servers on this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder / "postgres") in line and "postgres" in line.split(" ", 1)[0]:
            found.append(line)
    return found


def gone(folder: Path) -> bool:
    deadline = time.monotonic() + 10
    while postgres_processes(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not postgres_processes(folder)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_database_included(tmp_path: Path, number: int) -> None:
    dev = start_dev(tmp_path / "data")
    assert postgres_processes(dev.folder)
    reader = reading_events(dev)
    assert dev.stop(number) == 0
    assert reader.getresponse().status == 200, "whoever waits for events is answered, and asks again"
    reader.close()
    assert gone(dev.folder)


def reading_events(dev: Dev) -> HTTPConnection:
    """A connection on which somebody waits for the next event."""
    with dev.api() as api:
        after = api.get("/events", params={"limit": 500}).json()["next"]
        reader = HTTPConnection(urlsplit(dev.demo["baseUrl"]).netloc)
        headers = {"Authorization": f"Bearer {dev.demo['organizationToken']}"}
        reader.request("GET", f"/events?after={after}&wait=50", headers=headers)
        assert api.get("/events").is_success  # asked later, so the other question has come too
    return reader


def test_after_kill_9_everything_is_there_again_and_nothing_is_left_behind(tmp_path: Path) -> None:
    dev = start_dev(tmp_path / "data")
    with dev.api() as api:
        body = {"workflowDefinitionId": pushed(api, WAITS)}
        started = [api.post("/workflows", json=body).json()["id"] for _ in range(20)]
        # An example that does not fit a table which its user has changed must not stand in the way.
        api.patch("/tables/people", json={"fields": []}).raise_for_status()
    dev.stop(signal.SIGKILL)
    assert gone(dev.folder)
    again = start_dev(tmp_path / "data")
    try:
        assert {**again.demo, "baseUrl": ""} == {**dev.demo, "baseUrl": ""}
        with again.api() as api:
            assert [api.get(f"/workflows/{name}").json()["status"] for name in started] == ["AWAITING"] * 20
            done = api.post(f"/workflows/{started[0]}/events/paid", json=1)
            assert done.json()["status"] == "COMPLETED"
    finally:
        again.stop()


def test_an_example_that_somebody_changed_stays_as_they_left_it(tmp_path: Path) -> None:
    dev = start_dev(tmp_path / "data")
    changed, same = (f"/definitions/{dev.demo['definitions'][name]}" for name in ("company-check", "identity-card"))
    proposed = f"/definitions/{dev.demo['definitions']['company-onboarding']}"
    with dev.api() as api:
        pushed(api, WAITS.replace("waits", "company-check"))
        text = WAITS.replace("waits", "company-onboarding").encode()
        yaml, csv = ({"Content-Type": kind} for kind in ("application/yaml", "text/csv"))
        api.post("/definitions", content=text, params={"publish": "false"}, headers=yaml).raise_for_status()
        kept = {"name": "Half done", "text": WAITS, "scenarios": "", "shared": False}
        draft = api.post("/drafts", json=kept | {"definitionId": changed.rpartition("/")[2], "baseRevision": 1}).json()
        own = b"".join(DEMO_LIST.read_bytes().splitlines(keepends=True)[:2])
        api.put("/lists/demo", content=own, headers=csv).raise_for_status()
        looked_at = [f"{one}/revisions" for one in (changed, same, proposed)] + ["/lists/demo/versions"]
        before = [api.get(one).json() for one in looked_at]
    dev.stop()
    again = start_dev(tmp_path / "data")
    try:
        with again.api() as api:
            assert [api.get(one).json() for one in looked_at] == before
            assert api.get(f"/drafts/{draft['id']}").json()["text"] == WAITS
    finally:
        again.stop()


def test_when_postgresql_is_killed_it_comes_back_by_itself(tmp_path: Path) -> None:
    dev = start_dev(tmp_path / "data")
    try:
        pid = int((dev.folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        status = 0
        while status != 200 and time.monotonic() < deadline:
            status = httpx.get(dev.demo["baseUrl"] + "/health/ready", timeout=10).status_code
            time.sleep(0.2)
        assert status == 200
        with dev.api() as api:
            assert api.get("/definitions").status_code == 200
    finally:
        assert dev.stop() == 0
    assert gone(dev.folder)


def test_a_second_dev_on_the_same_folder_is_refused(dev: Dev) -> None:
    refused = command("dev", "--port", "0", "--data-dir", str(dev.folder))
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert str(dev.process.pid) in refused.stderr


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = command("dev", "--port", port, "--data-dir", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert port in refused.stderr
    assert "--port" in refused.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused = command("dev", "--port", "0", "--data-dir", str(blocked / "data"))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert str(blocked) in refused.stderr


@pytest.mark.parametrize(
    "url", ["postgresql://nobody:x@127.0.0.1:1/none", "mysql://x", "postgresql://x:y@host.invalid/z"]
)
def test_a_wrong_database_url_is_one_clear_line(url: str) -> None:
    refused = command("migrate", PASSERELLE_DATABASE_URL=url)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "PASSERELLE_DATABASE_URL" in refused.stderr


def test_a_missing_setting_says_what_to_set() -> None:
    refused = command("serve", "--port", "0", PASSERELLE_DATABASE_URL="")
    assert refused.returncode == 1
    assert "PASSERELLE_" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    import asyncio

    import asyncpg

    from passerelle.dev.postgres import EmbeddedPostgres

    dev = start_dev(tmp_path / "data")
    try:
        url = EmbeddedPostgres.address_of(dev.folder)

        async def pretend() -> None:
            connection = await asyncpg.connect(url)
            later = (
                "INSERT INTO schema_applied (kind, name, release, breaks) VALUES ('migration', '9999', '99.0', 'all')"
            )
            await connection.execute(later)
            await connection.close()

        asyncio.run(pretend())
        for arguments in (("migrate",), ("serve", "--port", "0")):
            settings = {"PASSERELLE_SECRET_KEY": "k" * 40, "PASSERELLE_PUBLIC_URL": "https://passerelle.example"}
            refused = command(*arguments, PASSERELLE_DATABASE_URL=url, **settings)
            assert refused.returncode == 1
            assert "Install at least release 99.0" in refused.stderr
            assert refused.stderr.count("\n") == 1
    finally:
        dev.stop()
