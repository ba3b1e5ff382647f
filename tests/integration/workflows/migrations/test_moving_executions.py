"""Moving executions to another revision through the API: verdicts, what goes on, taking it back, and bad requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from passerelle.app.services import Services
from passerelle.engine.model import Identity
from passerelle.engine.positions import Phase
from passerelle.engine.signals import Submitted
from passerelle.engine.verdicts import RevisionChange
from passerelle.kit.database import Connection
from passerelle.kit.ids import new_id
from passerelle.kit.jobs import JobRunning
from passerelle.kit.json import loads
from passerelle.workflows.migrations import service as moving
from passerelle.workflows.migrations.repository import JOB
from passerelle.workflows.service import StartRequest
from tests.integration.secrets.product import Product, joined, opened

WAITING = """
name: {name}
parameters: {{who: {{type: string, default: Anna}}}}
steps:
  - id: first
    set: {{x: "${{parameters.who}}"}}
  - id: {here}
    event: {{name: paid}}
  - id: last
    set: {{who: "${{steps.first.x}}", paid: "${{steps.{here}}}"{more}}}
"""


def text(name: str, here: str = "here", more: str = "") -> str:
    return WAITING.format(name=name, here=here, more=more)


@pytest.fixture(scope="module")
async def running(server_url: str, template: str) -> AsyncIterator[tuple[Services, str]]:
    async with opened(server_url, template, run_wait=timedelta()) as parts:
        yield parts


@pytest.fixture
async def product(running: tuple[Services, str]) -> AsyncIterator[Product]:
    async with joined(*running) as joining:
        yield joining


async def pushed(product: Product, *texts: str) -> str:
    """The id of a definition with these revisions."""
    for one in texts:
        answer = await product.push(one)
        assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def start(product: Product, definition: str, **parameters: Any) -> str:
    body = {"workflowDefinitionId": definition, "parameters": parameters}
    answer = await product.api.post("/workflows", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def begin(product: Product, definition: str) -> UUID:
    """Start an execution that has steps for an end user, without a link to them."""
    request = StartRequest(new_id(), UUID(definition))
    return (await product.services.executions.start(product.workspace_id, request)).id


async def two_revisions(product: Product, count: int = 1, **second: str) -> tuple[str, list[str]]:
    """A definition with executions on revision 1, and a revision 2."""
    name = f"d{uuid4().hex}"
    definition = await pushed(product, text(name))
    executions = [await start(product, definition) for _ in range(count)]
    await pushed(product, text(name, **{"more": ", new: 1", **second}))
    return definition, executions


async def asked(product: Product, definition: str, **body: Any) -> httpx.Response:
    return await product.api.post(f"/definitions/{definition}/migrations", json={"from": 1, "to": 2, **body})


async def work(product: Product) -> None:
    """Do the migrations that are queued, as a worker does."""
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        rows = await connection.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING id, payload", JOB)
    for row in rows:
        await product.services.moves.run(JobRunning(row["id"], loads(row["payload"])))


async def migrated(product: Product, definition: str, **body: Any) -> dict[str, Any]:
    """A migration that is done."""
    answer = await asked(product, definition, **body)
    assert answer.status_code == 201, answer.text
    await work(product)
    return await seen(product, answer.json())


async def seen(product: Product, migration: Mapping[str, Any]) -> dict[str, Any]:
    path = f"/definitions/{migration['workflowDefinitionId']}/migrations/{migration['id']}"
    found: dict[str, Any] = (await product.api.get(path)).json()
    assert found["status"] in ("DONE", "UNDONE")
    return found


async def undone(product: Product, migration: Mapping[str, Any]) -> dict[str, Any]:
    path = f"/definitions/{migration['workflowDefinitionId']}/migrations/{migration['id']}/undo"
    answer = await product.api.post(path)
    assert answer.status_code == 200, answer.text
    await work(product)
    return await seen(product, migration)


async def shown(product: Product, execution: str) -> dict[str, Any]:
    found: dict[str, Any] = (await product.api.get(f"/workflows/{execution}")).json()
    return found


async def timeline(product: Product, execution: str) -> dict[str, Any]:
    found: dict[str, Any] = (await product.api.get(f"/workflows/{execution}/timeline")).json()
    return found


async def paid(product: Product, execution: str) -> dict[str, Any]:
    answer = await product.api.post(f"/workflows/{execution}/events/paid", json={"amount": 3})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = (await product.api.get(f"/workflows/{execution}/result")).json()
    return found


def codes(answer: httpx.Response) -> list[tuple[str, str | None]]:
    return [(error["code"], error.get("pointer")) for error in answer.json()["errors"]]


async def test_a_dry_run_says_what_would_become_of_each_and_moves_nothing(product: Product) -> None:
    definition, executions = await two_revisions(product, 3, here="there")
    migration = await migrated(product, definition, dryRun=True)
    assert migration["verdicts"] == {"safe": 0, "needsMapping": 3, "loosens": 0, "refused": 0}
    (reason,) = migration["reasons"]
    assert reason["code"] == "STEP_MISSING"
    assert (reason["verdict"], reason["step"], reason["executions"]) == ("needs-mapping", "here", 3)
    assert reason["example"] in executions
    mapped = await migrated(product, definition, dryRun=True, mapping={"here": "there"})
    assert (mapped["verdicts"]["safe"], mapped["moved"]) == (3, 0)
    assert {(await shown(product, one))["revision"] for one in executions} == {"1"}
    assert (await timeline(product, executions[0]))["moves"] == []


async def test_moved_executions_go_on_by_the_other_revision_and_their_timelines_say_so(product: Product) -> None:
    definition, (execution,) = await two_revisions(product, here="there")
    before = await shown(product, execution)
    migration = await migrated(product, definition, mapping={"here": "there"})
    assert (migration["moved"], migration["verdicts"]["safe"]) == (1, 1)
    after = await shown(product, execution)
    assert (before["revision"], after["revision"]) == ("1", "2")
    assert [wait["step"] for wait in after["waitingFor"]] == ["there"]
    told = await timeline(product, execution)
    (move,) = told["moves"]
    assert (move["from"], move["to"], move["by"], move["undoneAt"]) == (1, 2, "ops", None)
    assert move["migrationId"] == migration["id"]
    result = await paid(product, execution)
    assert result["result"]["last"] == {"who": "Anna", "paid": {"amount": 3}, "new": 1}
    assert [step["step"] for step in (await timeline(product, execution))["steps"]] == ["first", "there", "last"]


async def test_outputs_of_renamed_steps_are_read_after_they_were_loaded_again(product: Product) -> None:
    name = f"d{uuid4().hex}"
    definition = await pushed(product, text(name))
    execution = await start(product, definition)
    await pushed(product, text(name).replace("id: first", "id: begin").replace("steps.first", "steps.begin"))
    assert (await migrated(product, definition, mapping={"first": "begin"}))["moved"] == 1
    result = await paid(product, execution)
    assert result["result"]["last"]["who"] == "Anna"
    assert result["result"]["begin"] == {"x": "Anna"}


async def test_defaults_of_new_parameters_are_filled_in_and_taken_back(product: Product) -> None:
    name = f"d{uuid4().hex}"
    definition = await pushed(product, text(name))
    execution = await start(product, definition, who="Ben")
    more = "{who: {type: string, default: Anna}, country: {type: string, default: PL}}"
    await pushed(product, text(name).replace("{who: {type: string, default: Anna}}", more))
    migration = await migrated(product, definition)
    assert (await shown(product, execution))["parameters"] == {"who": "Ben", "country": "PL"}
    await undone(product, migration)
    assert (await shown(product, execution))["parameters"] == {"who": "Ben"}


async def test_a_migration_is_taken_back_for_those_that_have_not_gone_on(product: Product) -> None:
    definition, (stays, went) = await two_revisions(product, 2, here="there")
    migration = await migrated(product, definition, mapping={"here": "there"})
    await paid(product, went)
    before = await shown(product, stays)
    back = await undone(product, migration)
    assert (back["status"], back["undone"], back["kept"], back["undoneBy"]) == ("UNDONE", 1, 1, "ops")
    assert ((await shown(product, stays))["revision"], before["revision"]) == ("1", "2")
    assert (await shown(product, went))["revision"] == "2"
    (move,) = (await timeline(product, stays))["moves"]
    assert (move["undoneBy"], move["undoneAt"] is not None) == ("ops", True)
    page = await product.api.get(f"/definitions/{definition}/migrations/{migration['id']}/executions")
    assert {one["workflowId"]: one["kept"] for one in page.json()["data"]} == {
        stays: None,
        went: "it has gone on since",
    }
    assert "new" not in (await paid(product, stays))["result"]["last"]


async def test_what_ended_or_is_elsewhere_is_not_touched(product: Product) -> None:
    definition, (ended, open_) = await two_revisions(product, 2)
    await paid(product, ended)
    elsewhere = await start(product, definition)
    assert (await migrated(product, definition))["verdicts"] == {
        "safe": 1,
        "needsMapping": 0,
        "loosens": 0,
        "refused": 0,
    }
    assert (await shown(product, ended))["revision"] == "1"
    named = await migrated(product, definition, workflowIds=[ended, open_, elsewhere])
    assert {reason["code"]: reason["executions"] for reason in named["reasons"]} == {"ENDED": 1, "OTHER_REVISION": 2}
    assert named["moved"] == 0


async def test_only_the_named_executions_are_moved(product: Product) -> None:
    definition, (one, other) = await two_revisions(product, 2)
    assert (await migrated(product, definition, workflowIds=[one, one]))["moved"] == 1
    assert [(await shown(product, each))["revision"] for each in (one, other)] == ["2", "1"]


async def test_a_process_that_dies_in_the_middle_loses_one_batch_and_another_goes_on(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 2)
    definition, executions = await two_revisions(product, 7, here="there")
    deaths = [3]

    async def die(*_: Any) -> None:
        deaths[0] -= 1
        if deaths[0] == 0:
            raise ConnectionError("killed")

    monkeypatch.setattr(product.services.moves, "_rename_steps", die)
    answer = await asked(product, definition, mapping={"here": "there"})
    migration = answer.json()
    with pytest.raises(ConnectionError):
        await work(product)
    revisions = [(await shown(product, one))["revision"] for one in executions]
    assert sorted(revisions) == ["1", "1", "1", "1", "1", "2", "2"], "the batch that was under way is not there at all"
    job = {name: migration[key] for name, key in _PAYLOAD.items()} | {"workspaceId": str(product.workspace_id)}
    await product.services.moves.run(JobRunning(0, job))
    done = await seen(product, migration)
    assert (done["moved"], done["verdicts"]["safe"]) == (7, 7)
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        seqs = await connection.fetch("SELECT DISTINCT seq FROM execution WHERE definition_id = $1", UUID(definition))
    assert [row["seq"] for row in seqs] == [2], "each was moved once"


_PAYLOAD = {"definitionId": "workflowDefinitionId", "migrationId": "id"}

CALLING = """
name: {name}
steps:
  - id: call
    http: {{url: "http://127.0.0.1:9/"}}
    retry: {{attempts: 3}}
  - id: done
    set: {{x: {x}}}
"""


async def test_an_execution_that_is_worked_on_moves_and_loses_nothing(product: Product) -> None:
    """Its process finds that another commit came first, reads it again, and goes on by the other revision."""
    name = f"d{uuid4().hex}"
    definition = UUID(await pushed(product, CALLING.format(name=name, x=1)))
    published = await product.services.revisions.published(product.workspace_id, definition)
    identity = Identity(new_id(), product.workspace_id, definition, "BACKGROUND", {}, moving_now(product), "API")
    run = await product.services.runner.start(published.definition, identity, published.revision_id)
    assert run is not None
    assert run.state.lanes[""].phase is Phase.CALLING
    await pushed(product, CALLING.format(name=name, x=2))
    assert (await migrated(product, str(definition)))["moved"] == 1
    state = await run.go_on()
    assert state.revision_id != published.revision_id
    position = state.lanes[""]
    assert (position.step, position.phase, position.attempt) == ("call", Phase.RETRYING, 2)


def moving_now(product: Product) -> Any:
    return product.services.moves._clock()


FORM = """
name: {name}
steps:
  - id: {ask}
    form:
      title: Who
      schema:
        type: object
        properties:
          name: {{type: string, title: Name, pii: contact}}
          note: {{type: string, title: Note}}
  - id: {files}
    upload: {{title: Files, min: 0}}
  - id: more
    form: {{title: More, schema: {{type: object, properties: {{x: {{type: string, title: X}}}}}}}}
"""


async def test_what_an_end_user_has_typed_and_sent_moves_along(product: Product) -> None:
    name, sessions = f"d{uuid4().hex}", product.services.end_users
    definition = await pushed(product, FORM.format(name=name, ask="ask", files="files"))
    execution = await begin(product, definition)
    await sessions.save(product.workspace_id, execution, "ask", 1, {"name": "Anna"})
    await pushed(product, FORM.format(name=name, ask="who", files="papers"))
    migration = await migrated(product, definition, mapping={"ask": "who", "files": "papers"})
    assert migration["moved"] == 1
    screen = await sessions.screen(product.workspace_id, execution)
    assert screen.step is not None
    assert (screen.step.id, screen.step.values) == ("who", {"name": "Anna"})
    await undone(product, migration)
    screen = await sessions.screen(product.workspace_id, execution)
    assert screen.step is not None
    assert (screen.step.id, screen.step.values) == ("ask", {"name": "Anna"})


async def test_the_end_user_goes_back_to_a_renamed_step_and_finds_the_answers(product: Product) -> None:
    name, sessions = f"d{uuid4().hex}", product.services.end_users
    definition = await pushed(product, FORM.format(name=name, ask="ask", files="files"))
    execution = await begin(product, definition)
    answer = Submitted("ask", 1, {"name": "Anna", "note": "hello"})
    await product.services.executions.happen(product.workspace_id, execution, answer)
    await pushed(product, FORM.format(name=name, ask="who", files="files"))
    assert (await migrated(product, definition, mapping={"ask": "who"}))["moved"] == 1
    screen = await sessions.back(product.workspace_id, execution)
    assert screen.step is not None
    assert (screen.step.id, screen.step.values) == ("who", {"name": "Anna", "note": "hello"})


async def test_personal_data_stays_masked_when_its_form_is_gone(product: Product) -> None:
    """What the former revision calls personal is personal still."""
    name = f"d{uuid4().hex}"
    definition = await pushed(product, FORM.format(name=name, ask="ask", files="files"))
    execution = str(await begin(product, definition))
    answer = Submitted("ask", 1, {"name": "Annabella", "note": "hello"})
    await product.services.executions.happen(product.workspace_id, UUID(execution), answer)
    without = FORM.format(name=name, ask="ask", files="files").split("  - id: ask", maxsplit=1)
    await pushed(product, without[0] + "  - id: files" + without[1].split("  - id: files", maxsplit=1)[1])
    assert (await migrated(product, definition))["moved"] == 1
    told = (await product.api.get(f"/workflows/{execution}/timeline")).text
    assert "hello" in told
    assert "Annabella" not in told


async def test_a_request_that_comes_twice_is_one_migration(product: Product) -> None:
    definition, _ = await two_revisions(product)
    headers = {"Idempotency-Key": uuid4().hex}
    path, body = f"/definitions/{definition}/migrations", {"from": 1, "to": 2}
    first, again = [await product.api.post(path, json=body, headers=headers) for _ in range(2)]
    assert first.json()["id"] == again.json()["id"]
    await work(product)
    assert len((await product.api.get(path)).json()["data"]) == 1


async def test_lists_are_paged(product: Product) -> None:
    definition, executions = await two_revisions(product, 3)
    migration = await migrated(product, definition)
    dry = await migrated(product, definition, dryRun=True)
    path = f"/definitions/{definition}/migrations"
    first = (await product.api.get(path, params={"limit": 1})).json()
    second = (await product.api.get(path, params={"limit": 1, "after": first["next"]})).json()
    assert [first["data"][0]["id"], second["data"][0]["id"]] == [dry["id"], migration["id"]]
    path += f"/{migration['id']}/executions"
    first = (await product.api.get(path, params={"limit": 2, "verdict": "safe"})).json()
    second = (await product.api.get(path, params={"limit": 2, "verdict": "safe", "after": first["next"]})).json()
    assert [one["workflowId"] for one in first["data"] + second["data"]] == sorted(executions)
    assert second["next"] is None
    assert (await product.api.get(path, params={"verdict": "refused"})).json()["data"] == []


async def test_an_old_dry_run_is_forgotten_and_a_migration_is_not(product: Product) -> None:
    definition, _ = await two_revisions(product)
    await migrated(product, definition, dryRun=True)
    real = await migrated(product, definition)
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        await connection.execute("UPDATE definition_migration SET created_at = now() - interval '8 days'")
    await product.services.moves.forget_old()
    found = (await product.api.get(f"/definitions/{definition}/migrations")).json()["data"]
    assert [one["id"] for one in found] == [real["id"]]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"from": 7, "to": 9}, [("REVISION_NOT_FOUND", "/from"), ("REVISION_NOT_FOUND", "/to")]),
        ({"to": 1}, [("MIGRATION_POINTLESS", "/to")]),
        (
            {"mapping": {"here": "nowhere", "gone": "last"}},
            [("MAPPING_INVALID", "/mapping/here"), ("MAPPING_INVALID", "/mapping/gone")],
        ),
        ({"mapping": {"first": "last"}}, [("MAPPING_INVALID", "/mapping/first")]),
        ({"mapping": "here"}, [("FIELD_TYPE", "/mapping")]),
        ({"from": "1"}, [("FIELD_TYPE", "/from")]),
        ({"onto": 2}, [("FIELD_UNKNOWN", "/onto")]),
        ({"workflowIds": [str(UUID(int=7))]}, [("WORKFLOW_NOT_FOUND", "/workflowIds/0")]),
    ],
)
async def test_requests_that_make_no_sense(
    product: Product, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    definition, _ = await two_revisions(product)
    assert codes(await asked(product, definition, **body)) == expected


async def test_executions_and_migrations_of_others_are_not_there(product: Product) -> None:
    definition, (execution,) = await two_revisions(product)
    other, _ = await two_revisions(product)
    migration = await migrated(product, definition, dryRun=True)
    assert codes(await asked(product, other, workflowIds=[execution])) == [("WORKFLOW_NOT_FOUND", "/workflowIds/0")]
    assert codes(await asked(product, str(uuid4())))[0][0] == "WORKFLOW_DEFINITION_NOT_FOUND"
    path = f"/definitions/{other}/migrations/{migration['id']}"
    assert codes(await product.api.get(path))[0][0] == "MIGRATION_NOT_FOUND"
    assert codes(await product.api.post(f"{path}/undo"))[0][0] == "MIGRATION_NOT_FOUND"
    own = f"/definitions/{definition}/migrations"
    assert codes(await product.stranger.get(own))[0][0] == "WORKFLOW_DEFINITION_NOT_FOUND"
    assert codes(await product.stranger.get(f"{own}/{migration['id']}"))[0][0] == "MIGRATION_NOT_FOUND"
    assert codes(await product.stranger.get(f"{own}/{migration['id']}/executions"))[0][0] == "MIGRATION_NOT_FOUND"
    body = {"from": 1, "to": 2}
    assert codes(await product.stranger.post(own, json=body))[0][0] == "WORKFLOW_DEFINITION_NOT_FOUND"


async def test_a_draft_is_good_for_a_dry_run_only(product: Product) -> None:
    name = f"d{uuid4().hex}"
    definition = await pushed(product, text(name))
    await start(product, definition)
    await product.push(text(name, more=", new: 1"), publish="false")
    assert codes(await asked(product, definition)) == [("REVISION_NOT_PUBLISHED", "/to")]
    assert (await migrated(product, definition, dryRun=True))["verdicts"]["safe"] == 1


async def test_what_cannot_be_undone(product: Product) -> None:
    definition, _ = await two_revisions(product)
    dry = await migrated(product, definition, dryRun=True)
    path = f"/definitions/{definition}/migrations"
    assert codes(await product.api.post(f"{path}/{dry['id']}/undo"))[0][0] == "MIGRATION_NOT_UNDOABLE"
    under_way = (await asked(product, definition)).json()
    assert codes(await product.api.post(f"{path}/{under_way['id']}/undo"))[0][0] == "MIGRATION_UNDER_WAY"
    await work(product)
    await undone(product, under_way)
    assert codes(await product.api.post(f"{path}/{under_way['id']}/undo"))[0][0] == "MIGRATION_NOT_UNDOABLE"


async def test_an_execution_that_cannot_be_judged_keeps_no_other_from_moving(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition, _ = await two_revisions(product, 2)
    judge, left = RevisionChange.judge, [1]

    def odd(way: Any, state: Any, now: Any) -> Any:
        if left:
            left.pop()
            raise RuntimeError("odd")
        return judge(way, state, now)

    monkeypatch.setattr(RevisionChange, "judge", odd)
    migration = await migrated(product, definition)
    assert (migration["moved"], [reason["code"] for reason in migration["reasons"]]) == (1, ["NOT_JUDGED"])


async def test_steps_that_change_their_names_with_each_other_keep_what_was_typed(product: Product) -> None:
    from passerelle.end_user.session.repository import rename_steps

    execution = new_id()
    async with product.services.shared.database.transaction(product.workspace_id) as connection:
        for step, value in (("a", 1), ("b", 2)):
            await connection.execute(
                "INSERT INTO visitor_draft (workspace_id, execution_id, step, visit, fields) VALUES ($1, $2, $3, 1, $4)",
                product.workspace_id,
                execution,
                step,
                {"x": value},
            )
        await rename_steps(connection, product.workspace_id, execution, {"a": "b", "b": "a"})
        assert await _drafts(connection, execution) == {"a": {"x": 2}, "b": {"x": 1}}


async def _drafts(connection: Connection, execution: UUID) -> dict[str, Any]:
    rows = await connection.fetch("SELECT step, fields FROM visitor_draft WHERE execution_id = $1", execution)
    return {row["step"]: row["fields"] for row in rows}
