"""Clients that generators made from the document run the main flow in version 2, without a header set by hand."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.running import PASSERELLE, Dev, pushed, until

PROGRAMS = Path(sys.executable).parent
WEB = Path(__file__).parents[2] / "web"
PACKAGE = "generated_passerelle"

DOUBLES = """
name: doubles-for-a-generated-client
parameters:
  amount: {type: number, required: true}
steps:
  - id: twice
    set: {amount: "${parameters.amount * 2}"}
"""


@pytest.fixture(scope="module")
def package(dev: Dev, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The client, made from what the running server says of itself."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_bytes(httpx.get(f"{dev.demo['baseUrl']}/openapi.json?version=2").raise_for_status().content)
    made = subprocess.run(
        [
            PROGRAMS / "openapi-python-client",
            *("generate", "--path", document, "--output-path", folder / PACKAGE, "--meta", "none"),
        ],
        env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Endpoint will not be generated" not in made.stdout.replace("text/csv", "") or _only_csv(made.stdout)
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))


def _only_csv(said: str) -> bool:
    """Whether nothing was left out but what takes rows of text, which the generator does not know."""
    left_out = {line.split()[3] for line in said.splitlines() if "Endpoint will not be generated" in line}
    return left_out <= {"/lists/{name}", "/tables/{tableId}/import"}


@pytest.fixture(scope="module")
def key(dev: Dev) -> dict[str, str]:
    """A key that is pinned to version 2, and its secret."""
    command = [PASSERELLE, "key", "create", dev.demo["workspaceId"], "--api-version", "2", "--data-dir", dev.folder]
    made = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)
    return {"key": made["key"], "secret": made["secret"]}


@pytest.fixture
def client(dev: Dev, package: str, key: dict[str, str]) -> Iterator[Any]:
    base_url = dev.demo["baseUrl"]
    clients = importlib.import_module(f"{package}.client")
    body = model(package, "AuthorizeBody")(**key)
    with clients.Client(base_url=base_url) as anonymous:
        tokens = call(package, "credentials.authorize", client=anonymous, body=body)
    with clients.AuthenticatedClient(base_url=base_url, token=tokens.access_token) as made:
        yield made


def model(package: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{package}.models"), name)


def call(package: str, operation: str, **arguments: Any) -> Any:
    answer = importlib.import_module(f"{package}.api.{operation}").sync(**arguments)
    assert not isinstance(answer, model(package, "Errors")), answer
    return answer


def test_the_main_flow(package: str, client: Any, api: httpx.Client) -> None:
    definition = importlib.import_module("uuid").UUID(pushed(api, DOUBLES))
    parameters = model(package, "RunBodyParametersType0").from_dict({"amount": 21})
    body = model(package, "RunBody")(workflow_definition_id=definition, parameters=parameters)

    run = call(package, "workflows.run_workflow", client=client, body=body, idempotency_key="once")
    until(api, str(run.id), "COMPLETED")
    shown = call(package, "workflows.read_workflow", workflow_id=run.id, client=client)
    result = call(package, "workflows.read_result", workflow_id=run.id, client=client)
    listed = call(package, "workflows.list_workflows", client=client, workflow_definition_id=definition, limit=1)

    assert (shown.status, shown.revision, shown.workflow_definition_id) == ("COMPLETED", "1", definition)
    assert result.result == {"twice": {"amount": 42}}
    assert [one.id for one in listed.data] == [run.id]


def test_an_error_is_an_answer_with_a_type(package: str, client: Any) -> None:
    body = model(package, "RunBody")(workflow_definition_id=importlib.import_module("uuid").uuid4())
    answer = importlib.import_module(f"{package}.api.workflows.run_workflow").sync(client=client, body=body)

    assert isinstance(answer, model(package, "Errors"))
    assert answer.errors[0].code == "WORKFLOW_DEFINITION_NOT_FOUND"


def test_the_main_flow_by_types_of_typescript(dev: Dev, key: dict[str, str], api: httpx.Client) -> None:
    """`openapi-typescript` made the types; the compiler that checks the dashboard checks this, too."""
    given = {"BASE_URL": dev.demo["baseUrl"], "DEFINITION": pushed(api, DOUBLES), "CREDENTIALS": json.dumps(key)}
    done = subprocess.run(
        [WEB / "npm", "run", "--silent", "main-flow"],
        env={**os.environ, **given},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert json.loads(done.stdout) == {
        "status": "COMPLETED",
        "revision": "1",
        "result": {"twice": {"amount": 42}},
        "listed": [True],
        "refused": ["WORKFLOW_DEFINITION_NOT_FOUND"],
    }
