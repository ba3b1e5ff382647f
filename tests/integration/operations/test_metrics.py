"""What Prometheus is told: by whom it may be read, that no workspace is in it, and that a scrape counts nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from passerelle.kit.metrics import DECLARED
from passerelle.operations.figures import FIGURES
from tests.integration.secrets.product import Product, joined, opened

TOKEN = "t" * 32
HERE = {"Authorization": f"Bearer {TOKEN}"}
WAITING = """
name: waiting
steps:
  - id: compute
    set: {a: 1}
  - id: decide
    review: {title: Decide, outcomes: [approve, reject]}
"""


@pytest.fixture
async def product(server_url: str, template: str) -> AsyncIterator[Product]:
    async with (
        opened(server_url, template, metrics_token=SecretStr(TOKEN)) as (services, url),
        joined(services, url) as made,
    ):
        yield made


def told(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every number by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_no_key_of_a_workspace_reads_what_is_about_all_of_them(product: Product) -> None:
    for answer in (await product.api.get("/metrics"), await product.api.get("/metrics", headers={"Authorization": ""})):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "METRICS_TOKEN_REQUIRED")
    wrong = await product.api.get("/metrics", headers={"Authorization": f"Bearer {TOKEN[:-1]}"})
    assert wrong.status_code == 401
    assert (await product.api.get("/metrics", headers=HERE)).status_code == 200


async def test_a_server_without_a_token_gives_them_to_nobody(server_url: str, template: str) -> None:
    async with opened(server_url, template) as (services, url), joined(services, url) as made:
        for header in ("", "Bearer ", "Bearer None"):
            answer = await made.api.get("/metrics", headers={"Authorization": header})
            assert answer.status_code == 401
            assert "PASSERELLE_METRICS_TOKEN" in answer.json()["errors"][0]["message"]


async def test_what_was_done_is_counted_and_no_label_is_somebodys(product: Product) -> None:
    execution = await product.run(WAITING)
    await product.api.get(f"/workflows/{execution['id']}")
    await product.api.head(f"/workflows/{execution['id']}")
    await product.api.get("/workflows/of-jan-kowalski")
    await product.services.operations.counting.count()
    text = (await product.api.get("/metrics", headers=HERE)).text
    found = told(text)
    labels = (("method", "GET"), ("route", "/workflows/{workflow_id}"), ("status", "200"))
    assert found["passerelle_http_requests_total", labels] >= 1
    assert found["passerelle_http_requests_total", (("method", "HEAD"), *labels[1:])] >= 1
    assert found["passerelle_steps_total", (("kind", "set"), ("status", "COMPLETED"))] >= 1
    assert found["passerelle_executions", (("status", "AWAITING"),)] == 1
    assert found["passerelle_database_up", ()] == 1
    for secret in (str(product.workspace_id), execution["id"], "waiting", "kowalski"):
        assert secret not in text
    names = (
        {one.name for one in DECLARED} | {f"passerelle_{name}" for name in FIGURES} | {"passerelle_figures_age_seconds"}
    )
    ends = ("_bucket", "_count", "_sum", "_created")
    for name, _ in found:
        base = next((name.removesuffix(end) for end in ends if name.endswith(end)), name)
        assert name.startswith("process_") or name in names or base in names or f"{base}_total" in names, name


async def test_a_scrape_reads_one_row_whatever_there_is(product: Product) -> None:
    await product.run(WAITING)
    await product.services.operations.counting.count()
    await product.run(WAITING)
    connection = await asyncpg.connect(product.database_url)
    try:
        # Whoever counted would be refused.
        await connection.execute("ALTER FUNCTION execution_counts() RENAME TO gone")
        await connection.execute("ALTER FUNCTION webhook_counts(timestamptz) RENAME TO gone_too")
    finally:
        await connection.close()
    answer = await product.api.get("/metrics", headers=HERE)
    assert told(answer.text)["passerelle_executions", (("status", "AWAITING"),)] == 1


async def test_it_is_told_while_the_database_is_away(product: Product) -> None:
    await product.services.operations.counting.count()
    connection = await asyncpg.connect(product.database_url)
    await connection.execute("ALTER TABLE installation_figures RENAME TO gone")
    await connection.close()
    answer = await product.api.get("/metrics", headers=HERE)
    found = told(answer.text)
    assert answer.status_code == 200
    assert found["passerelle_database_up", ()] == 0
    assert ("passerelle_executions_stranded", ()) not in found
    assert ("passerelle_loop_held_seconds_count", ()) in found
