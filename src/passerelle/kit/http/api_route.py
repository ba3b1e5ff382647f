"""A route whose address takes only the parameters that its endpoint has."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from difflib import get_close_matches
from typing import Any

from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class ApiRoute(APIRoute):
    """Refuses a parameter that its endpoint does not know: a misspelt filter would find everything.

    An endpoint without parameters takes any: nothing that they say could be lost on it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework's, behind the check."""
        handle = super().get_route_handler()
        fields = self.dependant.query_params
        known = {field.alias for field in fields}
        if not known:
            return handle

        async def checked(request: Request) -> Response:
            unknown = [name for name in request.query_params if name not in known]
            if unknown:
                _, problems = request_params_to_args(fields, request.query_params)
                raise RequestValidationError([*problems, *(_unknown(name, known) for name in unknown)])
            return await handle(request)

        return checked


def _unknown(name: str, known: set[str]) -> dict[str, Any]:
    near = get_close_matches(name, known, 1)
    advice = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{one}`' for one in sorted(known))}"
    return {"type": "unknown_parameter", "loc": ("query", name), "msg": f"there is no such parameter here; {advice}"}
