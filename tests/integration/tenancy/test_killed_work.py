"""Work that is ended for what it takes is told by every endpoint as what it is: no endpoint fails by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, NoReturn
from uuid import uuid4

import pytest

from passerelle.definitions.revisions import service as revisions
from passerelle.engine import heavy_transitions
from passerelle.kit.workshop import WorkKilledError, Workshop
from tests.integration.secrets.product import Product
from tests.integration.tenancy.test_every_endpoint import BODIES, DEFINITION, filled

from tests.integration.tenancy.test_every_endpoint import product  # noqa: F401 # isort: skip - the fixture

YAML = {"Content-Type": "application/yaml"}
CALLING = "name: calling\nsteps:\n  - id: other\n    workflow: {name: waiting}\n"
OF_TEXTS: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/definitions"): {"content": CALLING, "headers": YAML},
    ("post", "/definitions/check"): {"content": DEFINITION, "headers": YAML},
    ("post", "/definitions/import"): {"content": b"name\nx\n", "headers": {"Content-Type": "text/csv"}},
    ("post", "/definitions/letter"): {"json": {"text": DEFINITION, "step": "decide"}},
    ("post", "/definitions/test"): {"json": {"text": DEFINITION, "scenarios": "scenarios: []"}},
    ("post", "/definitions/try"): {"json": {"text": DEFINITION, "step": "decide"}},
}


async def test_no_endpoint_fails_by_work_that_is_ended(
    product: Product,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As in a process that has just started: nothing is compiled yet.
    monkeypatch.setattr(revisions, "KEPT_COMPILED", 0)
    ids = defaultdict(lambda: str(uuid4()), await filled(product), name="KEY")
    bodies = OF_TEXTS | {
        ("post", path): {"json": {"workflowDefinitionId": ids["definitionId"]}}
        for path in ("/workflows", "/workflows/run", "/links")
    }
    ended: list[str] = []

    async def end(self: Workshop, share: object, function: Callable[..., Any], *arguments: Any) -> NoReturn:
        ended.append(function.__name__)
        raise WorkKilledError("took more than 10 s")

    monkeypatch.setattr(Workshop, "run", end)
    monkeypatch.setattr(heavy_transitions, "SHORT", -1)
    paths = (await product.api.get("/openapi.json")).json()["paths"]
    failed, told = [], set()
    for path, item in paths.items():
        for method in item.keys() - {"delete"}:
            by_end = (body for (verb, end), body in BODIES.items() if verb == method and path.endswith(end))
            more: dict[str, Any] = bodies.get((method, path)) or next(by_end, {} if method == "get" else {"json": {}})
            answer = await product.api.request(method, path.format_map(ids), **more)
            if answer.status_code >= 500:
                failed.append(f"{method} {path}: {answer.text[:200]}")
            if "TOO_HEAVY" in answer.text:
                told.add((method, path))
    assert failed == []
    assert told >= OF_TEXTS.keys()
    assert set(ended) >= {"compile_there", "check_there", "calls_in", "convert", "played"}
