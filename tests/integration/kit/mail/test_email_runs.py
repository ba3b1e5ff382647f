"""The `email` step in a running product: over SMTP, retried by the engine, recognisable when it is repeated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from passerelle.app.services import Services
from passerelle.dev.mailcatcher.catcher import MailCatcher
from tests.integration.secrets.product import Product, joined, opened

WELCOME = """
name: welcome
parameters: {email: {type: string, pii: contact}, name: {type: string}}
steps:
  - id: welcome
    email:
      to: "${parameters.email}"
      subject: {en: "Welcome, ${parameters.name}", pl: "Witaj, ${parameters.name}"}
      body: {en: "Your account is ready.", pl: "Konto jest gotowe."}
      html: {en: "<p>${parameters.name}</p>", pl: "<p>${parameters.name}</p>"}
    retry: {first: 0s}
result: {sent: "${steps.welcome}"}
"""


class Fickle(MailCatcher):
    """A mail server that gives these answers first, then takes everything."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = await super().handle_DATA(server, session, envelope)
        return self.answers.pop(0) if self.answers else answer


@pytest.fixture(scope="module")
async def running(
    server_url: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Services, str, Fickle]]:
    server = Fickle(tmp_path_factory.mktemp("mail"))
    async with (
        server.listening() as port,
        opened(server_url, template, smtp_url=f"smtp://127.0.0.1:{port}", mail_from="Acme <hi@acme.example>") as parts,
    ):
        yield *parts, server


@pytest.fixture
def server(running: tuple[Services, str, Fickle]) -> Fickle:
    running[2].answers.clear()
    return running[2]


@pytest.fixture
async def product(running: tuple[Services, str, Fickle]) -> AsyncIterator[Product]:
    async with joined(*running[:2]) as joining:
        yield joining


async def run(product: Product, text: str = WELCOME, **parameters: Any) -> dict[str, Any]:
    return await product.run(text, **{"email": "anna@example.com", "name": "Anna", **parameters})


async def timeline(product: Product, workflow: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = (await product.api.get(f"/workflows/{workflow['id']}/timeline")).json()["steps"]
    return steps


async def told(product: Product, workflow: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The events about messages of an execution, with their errors."""
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        rows = await connection.fetch(
            "SELECT type, data FROM event WHERE starts_with(type, 'email.') AND data ->> 'workflowId' = $1",
            workflow["id"],
        )
    return [(row["type"], row["data"]["error"]) for row in rows]


async def retried(product: Product, workflow: dict[str, Any]) -> None:
    """Do what a worker does with the job of the next attempt, once it is due."""
    async with product.services.shared.database.workspace(product.workspace_id) as connection:
        job = await connection.fetchval("SELECT job_id FROM execution WHERE id = $1", UUID(workflow["id"]))
    await product.services.runner.resume(product.workspace_id, UUID(workflow["id"]), job)


async def test_it_is_sent_and_its_output_names_it(product: Product, server: Fickle) -> None:
    workflow = await run(product)
    result = (await product.api.get(f"/workflows/{workflow['id']}/result")).json()["result"]
    message = server.messages[0]
    assert result["sent"] == {"messageId": f"<{workflow['id']}.welcome.1@acme.example>", "to": ["anna@example.com"]}
    assert message.header("Message-ID") == result["sent"]["messageId"]
    assert (message.header("From"), message.header("Subject")) == ("Acme <hi@acme.example>", "Welcome, Anna")
    assert message.html == "<p>Anna</p>\n"
    (step,) = await timeline(product, workflow)
    assert step["input"]["to"] == "•••", "personal data is masked"
    assert await told(product, workflow) == [("email.sent", None)]


async def test_a_temporary_refusal_is_retried_under_the_same_message_id(product: Product, server: Fickle) -> None:
    server.answers = ["451 4.7.1 Greylisted, <anna@example.com>"]
    pushed = (await product.push(WELCOME)).json()
    body = {"workflowDefinitionId": pushed["id"], "parameters": {"email": "anna@example.com", "name": "Anna"}}
    workflow = (await product.api.post("/workflows", json=body)).json()
    await product.services.executions.close()  # the first attempt is over
    assert await told(product, workflow) == [], "it is not given up yet"
    await retried(product, workflow)
    assert (await product.api.get(f"/workflows/{workflow['id']}")).json()["status"] == "COMPLETED"
    failed, sent = await timeline(product, workflow)
    assert (failed["attempt"], failed["error"]["code"]) == (1, "EMAIL_NOT_TAKEN")
    assert failed["error"]["details"] == {"reply": "451 4.7.1 Greylisted, <•••>"}
    assert (sent["attempt"], sent["status"]) == (2, "COMPLETED")
    first, again = server.messages[1], server.messages[0]
    assert first.header("Message-ID") == again.header("Message-ID")
    assert await told(product, workflow) == [("email.sent", None)]


async def test_a_final_refusal_fails_at_once_and_can_be_retried_by_hand(product: Product, server: Fickle) -> None:
    server.answers = ["554 5.7.1 Spam"]
    workflow = await run(product)
    assert workflow["status"] == "FAILED"
    shown = (await product.api.get(f"/workflows/{workflow['id']}")).json()
    assert shown["error"]["code"] == "EMAIL_REFUSED"
    assert "refused for good the message (554)" in shown["error"]["message"]
    assert len(await timeline(product, workflow)) == 1
    assert await told(product, workflow) == [("email.failed", "EMAIL_REFUSED: 554 5.7.1 Spam")]


async def test_nothing_is_sent_where_a_value_is_missing(product: Product, server: Fickle) -> None:
    before = len(server.messages)
    workflow = await product.run(WELCOME, email="anna@example.com")
    assert workflow["status"] == "FAILED"
    (step,) = await timeline(product, workflow)
    assert step["error"]["details"]["expression"] == "parameters.name"
    assert len(server.messages) == before


async def test_a_value_cannot_become_a_header(product: Product, server: Fickle) -> None:
    await run(product, name="Anna\r\nBcc: evil@example.com\r\n\r\nHello")
    message = server.messages[0]
    assert message.receivers == ("anna@example.com",)
    assert message.header("Bcc") == ""
    assert message.header("Subject") == "Welcome, Anna Bcc: evil@example.com Hello"
