"""A field that is to be unique finds no record until its index is ready: an upsert would make a second one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from passerelle.kit.errors import PasserelleError
from passerelle.records.upserting import upserted
from passerelle.tables.models import Field, Table

NOBODY = UUID(int=0)
NOW = datetime(2026, 1, 5, tzinfo=UTC)


def table(index: str) -> Table:
    field = Field("1", UUID(int=1), "number", "text", unique=True, index=index)  # type: ignore[arg-type]  # parametrised
    return Table(NOBODY, NOBODY, "customers", None, (field,), False, 1, NOW, NOW)


@pytest.mark.parametrize("index", ["building", "failed"])
def test_an_upsert_by_a_field_whose_index_is_not_ready_is_refused(index: str) -> None:
    with pytest.raises(PasserelleError, match=f"not unique yet: its index is {index}"):
        upserted(table(index), "number", "1", {})


def test_an_upsert_by_a_unique_field_is_taken() -> None:
    assert upserted(table("ready"), "number", "1", {"name": "a"}) == ("1", {"name": "a", "number": "1"})
