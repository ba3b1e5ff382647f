"""Version 1 says that it is going away, is counted, and ends step by step: each workspace by itself."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from passerelle.app.processes import treat_version_one
from passerelle.app.services import open_services
from passerelle.app.settings import Settings
from passerelle.kit.errors import CommandError
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.versions import VersionUse
from passerelle.kit.ids import new_id
from passerelle.kit.secrets import SecretBox, generate_key
from tests.integration.secrets.product import BASE_URL
from tests.integration.v1.both import CHECK, FORM, Both

GUIDE = f"{BASE_URL}/docs/from-cases-to-records"
NOW = "2020-01-01T00:00Z/2999-01-01T00:00Z"
LATER = "2998-01-01T00:00Z/2999-01-01T00:00Z"


async def everything(both: Both) -> list[tuple[str, str, Any, str]]:
    """A good request to every endpoint of version 1, with what replaces it."""
    case_id = (await both.case(email="anna@example.com"))["caseId"]
    run = await both.run(case_id)
    check = {"caseId": case_id, "workflowDefinitionId": await both.push(CHECK)}
    form = {"caseId": case_id, "workflowDefinitionId": await both.push(FORM)}
    record = f"/tables/cases/records/{case_id}"
    workflow = f"/workflows/{run['id']}"
    return [
        ("POST", "/cases", {}, "/tables/cases/records"),
        ("GET", f"/cases/{case_id}", None, record),
        ("GET", f"/case/{case_id}", None, f"{workflow}/result"),
        ("PATCH", f"/cases/{case_id}", {}, record),
        ("POST", "/workflows/run", check, "/workflows/run"),
        ("GET", workflow, None, workflow),
        ("GET", f"{workflow}/result", None, f"{workflow}/result"),
        ("POST", "/token", form, "/token"),
        ("POST", "/link", form, "/link"),
        ("POST", "/link/send", form, "/link/send"),
    ]


async def mode(both: Both, mode: str | None, brownouts: str | None = None) -> Any:
    return await both.new.call("PUT", "/deprecations/mode", {"mode": mode, "brownouts": brownouts})


async def uses(both: Both, **query: str) -> list[Any]:
    listed: list[Any] = (await both.new.call("GET", "/deprecations", params=query))["data"]
    return listed


async def test_every_answer_of_version_one_says_so_and_names_what_replaces_it(both: Both) -> None:
    for method, path, body, successor in await everything(both):
        answer = await both.old.send(method, path, body)
        assert answer.is_success, f"{path}: {answer.text}"
        assert answer.headers["content-type"] == "application/json;version=1", path
        assert answer.headers["deprecation"] == "@1767225600", path
        expected = [f'<{GUIDE}>; rel="deprecation"', f'<{successor}>; rel="successor-version"']
        assert answer.headers["link"].split(", ") == expected, path
        assert "warning" not in answer.headers


async def test_refusals_say_so_too(both: Both) -> None:
    for method, path in (("POST", "/link"), ("GET", "/cases/x"), ("GET", "/workflows/x"), ("POST", "/cases")):
        body = {"wrong": 1} if method == "POST" else None
        answer = await both.old.send(method, path, body)
        assert answer.status_code in (400, 404)
        assert answer.headers["deprecation"].startswith("@"), path
    large = await both.old.api.post("/link", content=b" " * 2_000_000, headers=both.old.headers)
    assert (large.status_code, "deprecation" in large.headers) == (413, True)
    assert "deprecation" not in (await both.new.send("POST", "/link", {})).headers


async def test_the_guide_that_answers_name_is_there_for_everybody(both: Both) -> None:
    page = await both.product.api.get("/docs/from-cases-to-records", headers={"Authorization": ""})
    assert page.status_code == 200
    assert "<table>" in page.text
    assert "GET /workflows/{workflowId}/result" in page.text


async def test_uses_are_counted_by_key_endpoint_version_and_day(both: Both) -> None:
    agent = {"User-Agent": "old-shop/1.4"}
    for _ in range(3):
        await both.old.call("POST", "/cases", {}, 201, headers=agent)
    await both.old.call("POST", "/cases", {"wrong": 1}, 400, headers={"User-Agent": "old-shop/1.5"})
    await both.new.call("GET", f"/workflows/{new_id()}", None, 404)
    (line,) = await uses(both)
    assert (line["endpoint"], line["version"], line["uses"], line["refused"]) == ("POST /cases", 1, 4, 0)
    assert (line["key"], line["userAgent"]) == ("old shop", "old-shop/1.5")
    assert line["lastUsed"].startswith(line["day"])
    await both.old.call("POST", "/cases", {}, 201)
    assert [one["uses"] for one in await uses(both)] == [5], "what was written before is added to"
    assert await uses(both, since="2999-01-01") == []
    stranger = await both.product.stranger.get("/deprecations")
    assert stranger.json() == {"data": [], "next": None}


async def test_the_list_of_uses_has_pages(both: Both) -> None:
    case_id = (await both.case())["caseId"]
    await both.old.call("GET", f"/cases/{case_id}")
    await both.old.call("GET", f"/case/{case_id}")
    seen: list[str] = []
    query = {"limit": "1"}
    while True:
        page = await both.new.call("GET", "/deprecations", params=query)
        seen += [one["endpoint"] for one in page["data"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert seen == ["POST /cases", "GET /cases/{caseId}", "GET /case/{caseId}"]


async def test_uses_are_a_metric(both: Both) -> None:
    await both.case()
    await uses(both)
    metrics = (await both.product.services.metrics.text()).decode()
    assert 'passerelle_deprecated_requests_total{endpoint="POST /cases",version="1"}' in metrics


async def test_warn_adds_a_warning_and_answers_all_the_same(both: Both) -> None:
    shown = await mode(both, "warn")
    assert (shown["mode"], shown["installation"], shown["own"], shown["guide"]) == ("warn", "on", True, GUIDE)
    answer = await both.old.send("POST", "/cases", {})
    assert answer.status_code == 201
    assert answer.headers["warning"] == f'299 - "Version 1 is deprecated: see {GUIDE}"'


async def test_a_brownout_refuses_at_its_times_only(both: Both) -> None:
    assert (await mode(both, "brownout", LATER))["nextBrownout"]["begins"] == "2998-01-01T00:00:00.000Z"
    assert (await both.old.send("POST", "/cases", {})).status_code == 201
    await mode(both, "brownout", f"{LATER}, {NOW}")
    answer = await both.old.send("POST", "/cases", {})
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["code"]) == (410, "V1_BROWNOUT")
    assert GUIDE in error["message"]
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["deprecation"].startswith("@")
    (line,) = await uses(both)
    assert (line["uses"], line["refused"]) == (2, 1)


async def test_off_refuses_version_one_everywhere_and_leaves_version_two_alone(both: Both) -> None:
    requests = await everything(both)
    await mode(both, "off")
    for method, path, body, _ in requests:
        answer = await both.old.send(method, path, body)
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["code"]) == (410, "V1_REMOVED"), path
        assert GUIDE in error["message"]
        advice = "/tables/cases/records" if path.startswith(("/case", "/cases")) else "application/json;version=2"
        assert advice in error["message"], path
    run = {"workflowDefinitionId": await both.push(CHECK)}
    await both.new.call("POST", "/workflows/run", run, 200)
    await both.old.call("GET", "/workflows", None, 200)
    assert (await both.product.stranger.post("/cases", json={})).status_code == 201, "another workspace goes on"
    assert (await mode(both, None))["mode"] == "on"
    await both.old.call("POST", "/cases", {}, 201)


async def test_with_version_one_off_an_execution_without_a_case_goes_on_answering(both: Both) -> None:
    """A call that names no version is a use of version 1 only where it asks about a case."""
    run = {"workflowDefinitionId": await both.push(CHECK)}
    own = await both.new.call("POST", "/workflows/run", run, 200)
    case = await both.old.call("POST", "/cases", {}, 201)
    of_case = await both.run(case["caseId"])
    before = sum(line["uses"] for line in await uses(both))
    await mode(both, "off")
    for path in ("", "/result"):
        await both.old.call("GET", f"/workflows/{own['id']}{path}", None, 200)
        await both.old.call("GET", f"/workflows/{of_case['id']}{path}", None, 410)
    assert sum(line["uses"] for line in await uses(both)) == before + 2


async def test_an_answer_of_version_one_is_not_given_again_once_it_is_off(both: Both) -> None:
    headers = {"Idempotency-Key": str(new_id())}
    first = await both.old.call("POST", "/cases", {}, 201, headers=headers)
    await mode(both, "off")
    await both.old.call("POST", "/cases", {}, 410, headers=headers)
    await mode(both, "on")
    assert await both.old.call("POST", "/cases", {}, 201, headers=headers) == first, "the refusal was not kept"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"mode": "gone"}, ("FIELD_INVALID", "/mode")),
        ({"mode": "brownout", "brownouts": "sometimes"}, ("BROWNOUTS_INVALID", "/brownouts")),
        ({"mode": "brownout", "brownouts": "tue 10:00-09:00"}, ("BROWNOUTS_INVALID", "/brownouts")),
        ({"brownout": "x"}, ("FIELD_UNKNOWN", "/brownout")),
    ],
)
async def test_a_mode_that_is_none_is_refused(both: Both, body: Any, problem: tuple[str, str]) -> None:
    assert await both.new.refused("PUT", "/deprecations/mode", body) == [problem]


async def test_the_operator_allows_one_workspace_what_the_rest_has_not(both: Both) -> None:
    off = Settings(
        database_url=SecretStr(both.product.database_url),
        secret_key=SecretStr("k" * 40),
        database_connections=2,
        v1="off",
    )
    workspace_id = both.product.workspace_id
    await treat_version_one(off, workspace_id, "warn", LATER)
    shown = await both.new.call("GET", "/deprecations/mode")
    assert (shown["mode"], shown["brownouts"]) == ("warn", LATER)
    with pytest.raises(CommandError, match="there is no workspace"):
        await treat_version_one(off, new_id(), "on", None)
    with pytest.raises(CommandError, match="no stretch of time"):
        await treat_version_one(off, workspace_id, "brownout", "noon")


async def test_a_clean_stop_loses_no_count(database_url: str) -> None:
    """Whatever was counted since the last writing is written when the process stops."""
    workspace_id = new_id()
    settings = Settings(egress_allow="127.0.0.1", database_connections=4)
    async with open_services(settings, database_url, SecretBox([generate_key()])) as services:
        who = Principal(workspace_id, new_id(), "old shop")
        for _ in range(7):
            await services.deprecations.admit(VersionUse(who, "POST /cases", None, False, None))
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT uses FROM deprecated_use") == 7
    await connection.close()
