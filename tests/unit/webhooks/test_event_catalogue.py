"""One catalogue: every example fits its schema, filters know every name, the engine emits nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema_rs
import pytest

import passerelle
from passerelle.events.catalogue import CATALOGUE, GROUPS, EventType, openapi_webhooks
from passerelle.events.service import expanded, known_types
from passerelle.kit.errors import PasserelleError

SOURCE = Path(passerelle.__file__).parent


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
def test_every_example_fits_its_schema(kind: EventType) -> None:
    jsonschema_rs.validator_for(dict(kind.schema())).validate(kind.example())
    assert kind.when.endswith(".")


def test_the_engine_emits_only_what_is_in_the_catalogue() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "engine").rglob("*.py"))
    emitted = set(re.findall(r'"(workflow\.[a-z_]+)"', text))
    assert emitted
    assert emitted <= set(CATALOGUE)


def test_a_filter_knows_events_and_groups_and_nothing_else() -> None:
    assert known_types(["link.sent", "link.*", "link.sent"]) == ["link.sent", "link.*"]
    assert "workflow.*" in GROUPS
    with pytest.raises(PasserelleError) as refused:
        known_types(["link.*", "links.*", "sent"], "/events")
    assert [problem.pointer for problem in refused.value.problems] == ["/events/1", "/events/2"]


def test_a_group_stands_for_its_events() -> None:
    assert expanded(["review.*", "link.sent"]) == [
        "review.requested",
        "review.reminded",
        "review.voted",
        "review.assigned",
        "review.returned",
        "review.decided",
        "link.sent",
    ]


def test_the_openapi_document_has_them_all() -> None:
    assert set(openapi_webhooks()) == set(CATALOGUE)
