"""`passerelle cases migrate`: cases become records of a table of the company's own, and nothing of them is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from passerelle.kit.errors import CommandError
from passerelle.kit.ids import new_id
from passerelle.v1.cases import migrate_command
from tests.integration.v1.both import PERSON, Both
from tests.integration.v1.migrating import MAP, Company


@pytest.fixture
async def company(both: Both, tmp_path: Path) -> Company:
    return Company(both, tmp_path)


async def test_an_old_case_id_is_a_valid_record_id(company: Company) -> None:
    """The values are in the company's fields; version, times, history, files, comments, executions are kept."""
    await company.table()
    (case_id,) = await company.people(1)
    before = await company.both.new.call("GET", f"/tables/cases/records/{case_id}")
    said = await company.move()
    assert (said.good, said.lines[0].split(":")[0]) == (True, "1 case moved to customers")
    record = await company.both.new.call("GET", f"/tables/customers/records/{case_id}")
    assert record == {
        **{name: before[name] for name in ("id", "version", "createdAt", "updatedAt")},
        "surname": "Nowak0",
        "firstName": "Ewa",
        "email": "anna0@example.com",
        "phone": "+48600100200",
        "pesel": "44051401359",
        "company": "Nowak sp. z o.o.",
        "companyNumber": 5252248481,
        "origin": "old-shop",
    }
    path = f"/tables/customers/records/{case_id}"
    history = (await company.both.new.call("GET", f"{path}/history"))["data"]
    assert [(one["version"], one["action"]) for one in history] == [(2, "updated"), (1, "created")]
    assert history[0]["changes"] == [{"field": "firstName", "old": "Anna", "new": "Ewa"}]
    assert {"field": "phone", "old": None, "new": "+48600100200"} in history[1]["changes"]
    assert [one["name"] for one in (await company.both.new.call("GET", f"{path}/attachments"))["data"]] == [
        "extract0.txt"
    ]
    assert [one["text"] for one in (await company.both.new.call("GET", f"{path}/comments"))["data"]] == ["called back"]
    assert len((await company.both.new.call("GET", f"/workflows?recordId={case_id}"))["data"]) == 1


async def test_a_moved_record_is_found_by_fields_and_words_of_its_new_table(company: Company) -> None:
    """Indexes, unique values and full-text search belong to a table; the old ones are gone."""
    await company.table()
    (case_id,) = await company.people(1)
    await company.move()
    search = {"filter": {"field": "surname", "op": "eq", "value": "Nowak0"}}
    for body in (search, {"text": "nowak0"}):
        found = await company.both.new.call("POST", "/tables/customers/records/search", body)
        assert [one["id"] for one in found["data"]] == [case_id]
    assert (await company.both.new.call("POST", "/tables/cases/records/search", {"text": "nowak0"}))["data"] == []
    taken = {"email": "anna0@example.com", "origin": "web"}
    assert await company.both.new.refused("POST", "/tables/customers/records", taken, 409) == [
        ("VALUE_TAKEN", "/email")
    ]


async def test_old_clients_go_on_with_moved_cases(company: Company) -> None:
    """Version 1 reads and changes a case wherever it is; what one side writes the other reads at once."""
    await company.table()
    (case_id,) = await company.people(1)
    before = await company.both.old.call("GET", f"/cases/{case_id}")
    await company.move()
    assert await company.both.old.call("GET", f"/cases/{case_id}") == before
    changed = await company.both.old.call("PATCH", f"/cases/{case_id}", {"lastName": "Kowalska", "phone": None}, 200)
    assert changed["partyDetails"]["personal"]["lastName"] == "Kowalska"
    record = await company.both.new.call("GET", f"/tables/customers/records/{case_id}")
    assert (record["surname"], record["phone"], record["version"]) == ("Kowalska", None, 3)
    await company.both.new.call("PATCH", f"/tables/customers/records/{case_id}", {"phone": "+48221234567"})
    read = await company.both.old.call("GET", f"/cases/{case_id}")
    assert read["partyDetails"]["personal"]["phone"] == {"countryCode": "+48", "number": "221234567"}
    assert (await company.both.run(case_id))["caseId"] == case_id
    assert await company.both.new.call("GET", f"/tables/cases/records/{case_id}/history") == (
        await company.both.new.call("GET", f"/tables/customers/records/{case_id}/history")
    )


async def test_both_apis_answer_while_cases_move(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers and writers of both versions meet the records at every moment of the move; no change is lost."""
    monkeypatch.setattr("passerelle.records.relocation.moving.BATCH", 1)
    await company.table()
    ids = [(await company.both.case(lastName=f"Nowak{number}"))["caseId"] for number in range(24)]
    moving_ = asyncio.create_task(company.move())
    written: dict[str, str] = {}

    async def old_client(number: int) -> None:
        while not moving_.done():
            for case_id in ids[number::4]:
                written[case_id] = f"old {len(written)}"
                await company.both.old.call("PATCH", f"/cases/{case_id}", {"lastName": written[case_id]}, 200)
                read = await company.both.old.call("GET", f"/cases/{case_id}", status=200)
                assert read["partyDetails"]["personal"]["lastName"] == written[case_id]

    async def new_client(number: int) -> None:
        while not moving_.done():
            for case_id in ids[number::4]:
                path = f"/tables/cases/records/{case_id}"
                written[case_id] = f"new {len(written)}"
                await company.both.new.call("PATCH", path, {"lastName": written[case_id]}, 200)
                assert (await company.both.new.call("GET", path, status=200))["lastName"] == written[case_id]

    await asyncio.gather(old_client(0), old_client(1), new_client(2), new_client(3), moving_)
    assert (await moving_).good
    for case_id in ids:
        record = await company.both.new.call("GET", f"/tables/customers/records/{case_id}")
        assert record["surname"] == written[case_id]
        history = (await company.both.new.call("GET", f"/tables/customers/records/{case_id}/history"))["data"]
        assert history[0]["changes"][0]["new"] == written[case_id]
        assert len(history) == record["version"]


async def test_expressions_read_a_moved_case(company: Company) -> None:
    """An execution that was started with a case reads it as `case` after the move as well."""
    await company.table()
    (case_id,) = await company.people(1)
    await company.move()
    text = 'name: who\nsteps: [{id: who, set: {name: "${case.lastName}"}}]\nresult: {name: "${steps.who.name}"}\n'
    run = await company.both.run(case_id, text)
    assert (await company.both.old.call("GET", f"/workflows/{run['id']}/result"))["result"] == {"name": "Nowak0"}


async def test_a_field_that_was_left_behind_can_still_be_read_but_not_written(company: Company) -> None:
    """The new table has no place for it: silence would lose the value."""
    await company.table()
    (case_id,) = await company.people(1)
    await company.move()
    read = await company.both.old.call("GET", f"/cases/{case_id}")
    assert read["partyDetails"]["business"]["companyAddress"] == "Prosta 1, Warszawa"
    refused = await company.both.old.refused("PATCH", f"/cases/{case_id}", {"companyAddress": "Nowa 2"})
    assert refused == [("FIELD_UNKNOWN", "/companyAddress")]


@pytest.mark.parametrize(
    ("change", "status", "place", "said"),
    [
        ({"email": "nobody"}, 400, "/email", "must be an e-mail address"),
        ({"email": "taken@example.com"}, 409, "/email", "has `taken@example.com` in `email` already"),
        ({"phone": {"number": 1}}, 400, "/phone", "a phone number with its country code"),
    ],
)
async def test_what_the_new_table_refuses_an_old_client_is_told_in_its_own_words(
    company: Company, change: dict[str, Any], status: int, place: str, said: str
) -> None:
    """The old table took anything; the fields that the answer names are those that the client has sent."""
    await company.table()
    old = company.both.old
    case_id = (await company.both.case(**PERSON))["caseId"]
    await company.both.case(email="taken@example.com")
    assert (await company.move()).good
    answer = await old.call("PATCH", f"/cases/{case_id}", change, status)
    assert [error["pointer"] for error in answer["errors"]] == [place]
    assert said in answer["errors"][0]["message"]


async def test_deleted_and_merged_cases_move_too(company: Company) -> None:
    """A case that can be restored still can; one that was merged leads to the other."""
    await company.table()
    first, second, third = await company.people(3)
    await company.both.new.call("DELETE", f"/tables/cases/records/{first}", status=204)
    await company.both.new.call("POST", f"/tables/cases/records/{third}/merge", {"from": second})
    assert (await company.move()).good
    await company.both.new.call("GET", f"/tables/customers/records/{first}", status=404)
    restored = await company.both.new.call("POST", f"/tables/customers/records/{first}/restore")
    assert restored["surname"] == "Nowak0"
    assert (await company.both.new.call("GET", f"/tables/customers/records/{second}"))["id"] == third
    assert (await company.both.old.call("GET", f"/cases/{second}"))["caseId"] == third


async def test_moving_again_has_no_effect_and_takes_what_has_come_since(company: Company) -> None:
    await company.table()
    await company.people(2)
    await company.move()
    rows = await company.rows()
    assert (await company.move()).lines[0].startswith("0 cases moved")
    assert await company.rows() == rows
    (later,) = [(await company.both.case(lastName="Later"))["caseId"]]
    assert (await company.move()).lines[0].startswith("1 case moved")
    assert (await company.both.new.call("GET", f"/tables/customers/records/{later}"))["surname"] == "Later"


async def test_everything_in_the_way_is_listed_before_anything_is_moved(company: Company) -> None:
    """Duplicates of a unique value, values of a wrong type, a value that is taken: with counts and examples."""
    await company.table()
    await company.both.new.call(
        "POST", "/tables/customers/records", {"email": "taken@example.com", "origin": "web"}, 201
    )
    await company.both.case(email="twice@example.com")
    await company.both.case(email="twice@example.com")
    await company.both.case(email="taken@example.com")
    await company.both.case(email="nonsense", companyNumber="PL-1", phone={"number": "1"})
    rows = await company.rows()
    for dry_run in (True, False):
        said = await company.move(dry_run=dry_run)
        assert not said.good
        text = "\n".join(said.lines)
        assert "`email` of customers is unique, and another record has the value: 1 record" in text
        assert "`email` of customers is unique, and a record there has the value: 1 record" in text
        assert "`email` of customers: `email` must be an e-mail address" in text
        assert "`companyNumber` of customers: `companyNumber` must be a whole number: 1 record" in text
        assert "`phone` of customers: `phone` must be a phone number with its country code" in text
        assert said.lines[-1] == "5 faults; nothing was moved"
    assert await company.rows() == rows


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fields: {firstName: firstname}", "has no field `firstname`; did you mean `firstName`?"),
        ("fields: {firstNam: firstName}", "has no field `firstNam`; did you mean `firstName`?"),
        ("fields: {phone: companyNumber}", "`phone` is of type json, `companyNumber` of type integer"),
        ("fields: {firstName: surname, lastName: surname}", "`surname` of customers is filled twice"),
        ("fields: {firstName: origin}\nset: {origin: web}", "`origin` of customers is filled twice"),
        ("fields: {}", "`origin` of customers is required, and nothing fills it"),
        ("fields: {}\nset: {orgin: web}", "did you mean `origin`?"),
        ("fields: {}\nset: {origin: …}", "`origin` still has the place-holder `…`"),
        ("fields: {firstName: firstName}", "records have values in `lastName`, which the map does not name"),
    ],
)
async def test_a_map_that_does_not_fit_the_tables_is_refused(company: Company, text: str, fault: str) -> None:
    """A missing field, a wrong type, a field that nothing fills: all at once, before anything is moved."""
    await company.table()
    await company.both.case(**PERSON)
    said = await company.move(text)
    assert not said.good
    assert fault in "\n".join(said.lines)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("fields: [", "is not YAML"),
        ("firstName: name", "must have `fields:`"),
        ("fields: {a: b}\nfeilds: {}", "`feilds` is unknown"),
        ("fields: {a: [b, c]}\nset: 3", "`a` must name one field"),
    ],
)
async def test_a_file_that_is_no_map_is_refused(company: Company, text: str, fault: str) -> None:
    await company.table()
    with pytest.raises(CommandError, match=fault.replace("(", r"\(")):
        await company.move(text)


async def test_a_table_that_is_missing_or_the_same_is_refused(company: Company) -> None:
    with pytest.raises(CommandError, match="has no table `customers`"):
        await company.move()
    with pytest.raises(CommandError, match="cases are in cases already"):
        await company.move(to="cases")


async def test_a_table_that_has_the_id_already_is_refused(company: Company) -> None:
    """No client can make one; a restored backup can."""
    table = await company.table()
    case_id = (await company.both.case(lastName="Nowak"))["caseId"]
    async with company.both.product.services.shared.database.workspace(company.both.product.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO record SELECT workspace_id, id, $1::uuid, version, '{}', NULL, created_at, updated_at "
            "FROM record WHERE id = $2",
            table["id"],
            case_id,
        )
    said = await company.move()
    assert said.lines[0] == f"the table customers has a record of the same id already: 1 record, such as {case_id}"


async def test_undoing_gives_back_exactly_what_was(company: Company) -> None:
    """Row by row: records, index rows, history, comments and files."""
    await company.table()
    await company.both.new.call(
        "PATCH",
        "/tables/cases",
        {"fields": [*(await _fields(company)), {"name": "shop", "type": "text", "indexed": True}]},
    )
    first, *_ = await company.people(3)
    await company.both.new.call("DELETE", f"/tables/cases/records/{first}", status=204)
    await _indexed(company)
    rows = await company.rows()
    said = await company.move(MAP.replace("partyId:", "partyId:\n  shop:"))
    assert said.good, said.lines
    assert await company.rows() != rows
    assert (await company.undo()).lines == ("3 cases back in cases",)
    assert await company.rows() == rows
    assert (await company.undo()).lines == ("0 cases back in cases",)


async def test_what_somebody_has_written_to_stays_when_the_rest_is_undone(company: Company) -> None:
    """A value that came after the move is never overwritten; the case can be read on both sides all the same."""
    await company.table()
    first, second = await company.people(2)
    await company.move()
    await company.both.new.call("PATCH", f"/tables/customers/records/{first}", {"surname": "Kowalska"})
    said = await company.undo()
    assert not said.good
    assert said.lines[0] == "1 case back in cases"
    assert said.lines[1].startswith("somebody has written to it since; it stays in customers: 1 record, such as")
    assert first in said.lines[1]
    assert (await company.both.new.call("GET", f"/tables/customers/records/{first}"))["surname"] == "Kowalska"
    await company.both.new.call("GET", f"/tables/customers/records/{second}", status=404)
    for case_id in (first, second):
        await company.both.old.call("GET", f"/cases/{case_id}", status=200)


async def test_verifying_finds_every_difference(company: Company) -> None:
    """Values, history and index rows are compared; what somebody wrote since is told apart."""
    await company.table()
    first, second = await company.people(2)
    await company.move()
    assert (await company.verify()).lines == ("2 cases compared, 16 values: equal",)
    await company.both.new.call("PATCH", f"/tables/customers/records/{first}", {"surname": "Kowalska"})
    said = await company.verify()
    assert said.good
    assert said.lines[1].startswith("1 case written to since the move")
    async with company.both.product.services.shared.database.workspace(company.both.product.workspace_id) as connection:
        await connection.execute('UPDATE record SET values = values || \'{"1": "Other"}\' WHERE id = $1', second)
        await connection.execute("DELETE FROM record_unique WHERE record_id = $1", second)
        await connection.execute("UPDATE record_change SET changes = '{}' WHERE record_id = $1 AND version = 2", second)
    said = await company.verify()
    text = "\n".join(said.lines)
    assert not said.good
    assert '`surname` is "Other", and was to be "Nowak1"' in text
    assert "its history is not what it was" in text
    assert "it is not found by a field that is indexed or unique" in text


async def test_a_suggested_map_can_be_used_as_it_is_written(company: Company) -> None:
    """Names, titles and types decide; what nothing fits is left to the reader, with what it could become."""
    await company.table()
    await company.people(1)
    file = company.folder / "suggested.yaml"
    await migrate_command.suggest(company.place, "customers", file)
    text = file.read_text()
    assert "  lastName: surname\n" in text
    assert "  phone: phone\n" in text
    assert "  personalNumber:  # could become: " in text
    assert "  origin: old-shop  # required\n" in text
    assert (await company.move(text)).good
    with pytest.raises(CommandError, match="is there already"):
        await migrate_command.suggest(company.place, "customers", file)


async def test_erasing_a_person_leaves_nothing_of_the_move(company: Company) -> None:
    """What a move remembers holds values of people: it goes with the record."""
    await company.table()
    (case_id,) = await company.people(1)
    await company.move()
    await company.both.new.call("DELETE", f"/tables/customers/records/{case_id}?erase=true")
    assert (await company.rows())["record_moved"] == []
    await company.both.old.call("GET", f"/cases/{case_id}", status=404)


async def test_nothing_of_another_workspace_is_touched(company: Company) -> None:
    await company.table()
    case = {"lastName": "Stranger"}
    made = (await company.both.product.stranger.post("/tables/cases/records", json=case)).json()
    await company.people(1)
    assert (await company.move()).lines[0].startswith("1 case moved")
    answer = await company.both.product.stranger.get(f"/tables/cases/records/{made['id']}")
    assert answer.json()["lastName"] == "Stranger"


async def test_a_workspace_that_is_not_there_is_said(company: Company) -> None:
    place = company.place
    with pytest.raises(CommandError, match="there is no workspace"):
        await migrate_command.verify(type(place)(place.url, new_id(), place.files_url), _quiet())


def _quiet() -> Any:
    from rich.console import Console

    return Console(quiet=True)


async def _fields(company: Company) -> list[Any]:
    fields = (await company.both.new.call("GET", "/tables/cases"))["fields"]
    return [{name: one[name] for name in ("name", "type", "title", "pii")} for one in fields]


async def _indexed(company: Company) -> None:
    services = company.both.product.services
    table = await services.records.tables.find_now(company.both.product.workspace_id, "cases")
    await services.records.indexing.build(company.both.product.workspace_id, str(table.id))
