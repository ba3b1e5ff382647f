"""The OpenAPI document and the page made of it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from pydantic import Field

from passerelle.kit.errors import CATALOGUE
from passerelle.kit.http import reference
from passerelle.kit.http.answers import Answer
from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.bodies import Body, JsonBody
from passerelle.kit.http.permissions import Public, Requires
from passerelle.kit.http.schema_view import Schemas


class Owner(Body):
    full_name: str = Field(description="As on the *document*.")
    share: float | None = None


class CompanyBody(Body):
    """A company."""

    company_number: str = Field(examples=["5260250274"])
    owners: list[Owner] = Field(default_factory=list)


class CompanyAnswer(Answer):
    id: str
    status: str = "NEW"


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI(title="Test <b>API</b>", version="1.2", openapi_url=None, docs_url=None, redoc_url=None)
    routes = APIRouter(tags=["Companies"], route_class=ApiRoute)

    @routes.post("/companies/{tenant_id}")
    async def create_company(
        caller: Annotated[Principal, Requires("can_write")], tenant_id: str, body: JsonBody[CompanyBody]
    ) -> CompanyAnswer:
        """Create a company.

        See [the guide](https://passerelle.test/guide), not <script>alert(1)</script> or [this](javascript:alert(1)).
        """
        return CompanyAnswer(id="1")

    @routes.get("/auth/ping", dependencies=[Public])
    async def ping(limit: int = 25) -> CompanyAnswer:
        return CompanyAnswer(id="1")

    made.include_router(routes)
    reference.install(made)
    return made


async def get(app: FastAPI, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://api.test") as client:
        return await client.get(path)


async def document(app: FastAPI) -> dict[str, Any]:
    found: dict[str, Any] = (await get(app, "/openapi.json")).json()
    return found


async def test_the_document_shows_the_body_that_an_endpoint_declares(app: FastAPI) -> None:
    described = await document(app)
    call = described["paths"]["/companies/{tenantId}"]["post"]

    content = call["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/CompanyBody"}
    schemas = described["components"]["schemas"]
    assert schemas["CompanyBody"]["properties"]["owners"]["items"] == {"$ref": "#/components/schemas/Owner"}
    assert schemas["Owner"]["required"] == ["fullName"]
    assert schemas["Owner"]["additionalProperties"] is False


async def test_the_document_has_our_errors_and_no_422(app: FastAPI) -> None:
    described = await document(app)

    for item in described["paths"].values():
        for call in item.values():
            assert "422" not in call["responses"]
            schema = call["responses"]["default"]["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Errors"}
    assert "HTTPValidationError" not in described["components"]["schemas"]


async def test_the_document_tells_which_calls_need_credentials(app: FastAPI) -> None:
    described = await document(app)

    assert described["security"] == [{"bearer": []}]
    assert described["paths"]["/auth/ping"]["get"]["security"] == []
    call = described["paths"]["/companies/{tenantId}"]["post"]
    assert call["security"] == [{"bearer": ["can_write"]}]
    assert {one["name"] for one in call["parameters"]} == {"tenantId", "Idempotency-Key"}
    assert call["operationId"] == "createCompany"


async def test_every_reference_in_the_document_leads_somewhere(app: FastAPI) -> None:
    described = await document(app)
    schemas = Schemas(described)

    def follow(value: Any) -> int:
        if isinstance(value, dict):
            found = int("$ref" in value and bool(schemas.resolve(value)))
            return found + sum(follow(inner) for inner in value.values())
        return sum(follow(inner) for inner in value) if isinstance(value, list) else 0

    assert follow(described) >= 5


class Page(HTMLParser):
    """What a page loads and links to, and whether its tags close in order."""

    VOID = frozenset({"meta", "link", "br", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "a":
            self.links.append(str(values["href"]))
        self.loads += [str(values[name]) for name in ("src", "style") if name in values]
        self.loads += [str(values["href"])] if tag == "link" else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def test_the_page_loads_nothing_but_its_own_style_and_icon(app: FastAPI) -> None:
    answer = await get(app, "/docs")
    page = Page(answer.text)

    assert answer.headers["content-type"].startswith("text/html")
    assert page.open == []
    assert page.loads == ["/favicon.ico", "/docs/reference.css"]
    assert "script" not in page.tags
    style = await get(app, "/docs/reference.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text
    assert "@import" not in style.text


async def test_every_link_inside_the_page_has_its_place(app: FastAPI) -> None:
    page = Page((await get(app, "/docs")).text)

    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "createCompany" in page.ids


async def test_the_page_shows_what_a_caller_needs(app: FastAPI) -> None:
    text = (await get(app, "/docs")).text

    for shown in (
        "/companies/{tenantId}",
        "companyNumber",
        "owners[].fullName",
        "As on the <em>document</em>.",
        "5260250274",
        "curl -X POST &#39;https://api.test/companies/{tenantId}&#39;",
        "Authorization: Bearer $TOKEN",
        "Idempotency-Key",
        "needs no credentials",
        '<a href="https://passerelle.test/guide">',
    ):
        assert shown in text


async def test_texts_of_the_document_are_text(app: FastAPI) -> None:
    page = Page(text := (await get(app, "/docs")).text)

    assert "<b>" not in text
    assert "&lt;script&gt;" in text
    assert not any(link.startswith("javascript:") for link in page.links)


async def test_the_page_lists_every_error_code(app: FastAPI) -> None:
    ids = set(Page((await get(app, "/docs")).text).ids)

    assert {"FIELD_REQUIRED", "NOT_FOUND"} <= CATALOGUE.keys() <= ids


def test_a_document_of_somebody_else_is_rendered_too() -> None:
    """Recursive schemas, `allOf`, `oneOf`, shared parameters, examples: all that OpenAPI 3.1 allows."""
    text = reference.render(
        {
            "openapi": "3.1.0",
            "info": {"title": "Trees", "version": "3"},
            "paths": {
                "/trees/{id}": {
                    "parameters": [{"$ref": "#/components/parameters/Id"}],
                    "put": {
                        "requestBody": {"$ref": "#/components/requestBodies/Tree"},
                        "responses": {"204": {"description": "Kept"}},
                        "deprecated": True,
                    },
                }
            },
            "components": {
                "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}},
                "requestBodies": {
                    "Tree": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}
                },
                "schemas": {
                    "Named": {"type": "object", "properties": {"name": {"const": "oak"}}, "required": ["name"]},
                    "Tree": {
                        "allOf": [{"$ref": "#/components/schemas/Named"}],
                        "properties": {
                            "branches": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
                            "leaf": {"oneOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
                            "kind": {"enum": ["a", "b"]},
                            "age": {"type": ["integer", "null"], "default": 7},
                        },
                    },
                },
            },
        },
        "https://api.test",
    )

    assert Page(text).open == []
    for shown in (
        "branches[].name",
        "string (uuid) or null",
        "&#34;a&#34; or &#34;b&#34;",
        "integer or null",
        "oak",
        "deprecated",
    ):
        assert shown in text
