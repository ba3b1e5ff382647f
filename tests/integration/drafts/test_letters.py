"""An e-mail shown while it is written is the one that would be sent, and nothing is sent."""

from __future__ import annotations

from typing import Any

from passerelle.kit.json import dumps
from tests.integration.secrets.product import Product

EMAIL: dict[str, Any] = {
    "to": ["${steps.who.email}", "desk@example.com"],
    "subject": {"en": "Hello ${steps.who.name}", "pl": "Cześć ${steps.who.name}"},
    "body": {"en": "**Welcome**, ${steps.who.name}", "pl": "**Witaj**, ${steps.who.name}"},
    "format": "markdown",
}
WHO: dict[str, Any] = {"id": "who", "set": {"name": "", "email": ""}}
SAMPLES = {"steps": {"who": {"name": "<Ada>", "email": "ada@example.com"}}}


async def written(product: Product, language: str = "en", values: Any = None, **email: Any) -> dict[str, Any]:
    text = dumps({"name": "opening", "steps": [WHO, {"id": "tell", "email": {**EMAIL, **email}}]})
    body = {"text": text, "step": "tell", "language": language, "values": SAMPLES if values is None else values}
    answer = await product.api.post("/definitions/letter", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_it_is_the_message_in_each_language(product: Product) -> None:
    english, polish = await written(product), await written(product, "pl")
    assert (english["subject"], english["text"]) == ("Hello <Ada>", "Welcome, <Ada>")
    assert "<p><strong>Welcome</strong>, &lt;Ada&gt;</p>" in english["html"]
    assert (polish["subject"], polish["text"]) == ("Cześć <Ada>", "Witaj, <Ada>")
    assert english["receivers"] == {"to": ["ada@example.com", "desk@example.com"]}


async def test_it_comes_from_whom_the_workspace_says(product: Product) -> None:
    assert (await written(product))["sender"] == "Passerelle <no-reply@localhost>"
    answer = await product.api.put("/theme", json={"sender": {"name": "Acme"}})
    assert answer.is_success, answer.text
    assert (await written(product))["sender"] == "Acme <no-reply@localhost>"


async def test_a_plain_message_has_no_html(product: Product) -> None:
    plain = await written(product, format="text")
    assert (plain["text"], plain["html"]) == ("**Welcome**, <Ada>", None)


async def test_values_that_make_no_message_say_why(product: Product) -> None:
    told = await written(product, values={"steps": {"who": {}}})
    assert "steps.who.email" in told["problem"]


async def test_what_is_no_email_step_is_refused(product: Product) -> None:
    text = dumps({"name": "opening", "steps": [WHO]})
    answer = await product.api.post("/definitions/letter", json={"text": text, "step": "who"})
    assert [one["code"] for one in answer.json()["errors"]] == ["STEP_NOT_TRIED"]
