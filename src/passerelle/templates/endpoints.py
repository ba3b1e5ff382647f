"""Templates over HTTP: read, and nothing else. Whoever uses one makes its tables and pushes its text."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Response

from passerelle.kit.http.api_route import ApiRoute
from passerelle.kit.http.authentication import Principal
from passerelle.kit.http.permissions import Requires
from passerelle.templates.library import Onboarding, template, templates
from passerelle.templates.schemas import (
    TemplateAnswer,
    TemplatesAnswer,
    TemplateTableAnswer,
    TemplateTextAnswer,
)

TemplateName = Annotated[str, Path(description="The template's name")]

_GIVES_PICTURE: Final[dict[str, Any]] = {
    "responses": {"200": {"description": "The picture", "content": {"image/webp": {"schema": {"type": "string"}}}}}
}


def router() -> APIRouter:
    """Everything under `/templates`."""
    routes = APIRouter(tags=["Definitions"], route_class=ApiRoute)

    @routes.get("/templates")
    async def list_templates(_: Annotated[Principal, Requires("can_view_workspace")]) -> TemplatesAnswer:
        """Ready onboardings to begin from, each with tables, pages in two languages and scenarios."""
        return TemplatesAnswer(data=[_answer(one) for one in templates()])

    @routes.get("/templates/{name}")
    async def read_template(
        _: Annotated[Principal, Requires("can_view_workspace")], name: TemplateName
    ) -> TemplateTextAnswer:
        """A template's texts. `POST /tables` takes each table's `body`, `POST /definitions` the `definition`."""
        return _text_answer(template(name))

    @routes.get("/templates/{name}/picture", response_class=Response, openapi_extra=_GIVES_PICTURE)
    async def read_template_picture(
        _: Annotated[Principal, Requires("can_view_workspace")], name: TemplateName
    ) -> Response:
        """The first page of a template, as a phone shows it."""
        return Response(template(name).picture.read_bytes(), media_type="image/webp")

    return routes


def _answer(one: Onboarding) -> TemplateAnswer:
    return TemplateAnswer(
        name=one.name,
        title=dict(one.title),
        text=dict(one.text),
        steps=one.steps,
        tables=[table.body.name for table in one.tables],
    )


def _text_answer(one: Onboarding) -> TemplateTextAnswer:
    tables = [
        TemplateTableAnswer(
            name=table.body.name,
            title=table.body.title,
            text=table.text,
            body=table.body.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        )
        for table in one.tables
    ]
    return TemplateTextAnswer(
        name=one.name,
        title=dict(one.title),
        text=dict(one.text),
        definition=one.definition,
        scenarios=one.scenarios,
        tables=tables,
    )
