"""An OpenAPI document: each chosen operation becomes an `http` step, what it needs a parameter or a secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from passerelle.conversions.models import ConversionError, Operation, Sketch, Wish
from passerelle.conversions.names import as_title, definition_name, identifier, one_line, unique
from passerelle.definitions.words import nearest, quoted
from passerelle.kit.json import KnownJson

METHODS: Final = ("get", "head", "post", "put", "patch", "delete")
OTHERS: Final = ("options", "trace", "query")
FIRST: Final = 20
"""Operations that become steps where none is chosen."""
MOST: Final = 200
"""Operations that can be chosen."""
MOST_LISTED: Final = 2_000
MOST_PROPERTIES: Final = 100
"""Properties of one body that are sent: those that are required."""
PLACEHOLDER: Final = "https://api.example"

_TYPES: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "object",
}


def convert(document: KnownJson, wish: Wish, file_name: str) -> Sketch:
    """A definition with an `http` step for each chosen operation. Raises `ConversionError`."""
    if not isinstance(document, dict) or "openapi" not in document:
        if isinstance(document, dict) and "swagger" in document:
            raise ConversionError("this is Swagger 2.0: convert it to OpenAPI 3, by editor.swagger.io for example")
        raise ConversionError("this is no OpenAPI document: it has no `openapi`")
    if not re.match(r"3\.", str(document["openapi"])):
        raise ConversionError(f"OpenAPI {one_line(document['openapi'], 20)} is not known: it must be 3.0 or later")
    title = _of(document, "info").get("title")
    heading = title if isinstance(title, str) and title.strip() else file_name
    draft = Sketch({"name": wish.name or definition_name(heading), "title": as_title(heading), "parameters": {}})
    _Calls(draft, document).take(wish.operations)
    if not draft.document["parameters"]:
        del draft.document["parameters"]
    return draft


class _Calls:
    def __init__(self, draft: Sketch, document: Mapping[str, Any]) -> None:
        self._draft = draft
        self._document = document
        self._parameters: dict[str, Any] = draft.document["parameters"]
        self._known: dict[tuple[str, str], str] = {}
        """The parameters that were made, by what the document calls them and their type."""
        self._ids: list[str] = []
        self._secrets: set[str] = set()

    def take(self, chosen: Sequence[str]) -> None:
        """Make the steps, in the order in which operations were chosen, else in the document's."""
        found = {one[0]: one for one in self._operations()}
        if not found:
            raise ConversionError("the document describes no operations under `paths`")
        unknown = [one for one in chosen if one not in found]
        if unknown:
            raise ConversionError(
                "; ".join(f"there is no operation `{one[:80]}`; {_hint(one, list(found))}" for one in unknown[:10])
            )
        if len(chosen) > MOST:
            raise ConversionError(f"{len(chosen)} operations were chosen; {MOST} are the most")
        taken = list(dict.fromkeys(chosen)) or list(found)[:FIRST]
        self._draft.document["steps"] = [self._step(*found[one]) for one in taken]
        self._draft.operations = [
            Operation(name, method.upper(), path, _summary(operation, ""), name in taken)
            for name, method, path, operation, _ in found.values()
        ]
        if not chosen and len(found) > FIRST:
            self._draft.leave(
                "paths", f"only the first {FIRST} of {len(found):,} operations became steps: choose those that you need"
            )
        for key in ("webhooks", "x-webhooks"):
            if self._document.get(key):
                self._draft.leave(key, "what the other side sends by itself: wait for it by an `event` step")

    def _operations(self) -> Iterator[tuple[str, str, str, Mapping[str, Any], Mapping[str, Any]]]:
        """Name, method, path, the operation and what holds for its whole path."""
        taken: list[str] = []
        for path, given in _of(self._document, "paths").items():
            item = self._led(given, f"paths/{path}")
            for method in METHODS:
                if not isinstance(item.get(method), dict):
                    continue
                if len(taken) >= MOST_LISTED:
                    self._draft.leave(
                        "paths", f"the document has more than {MOST_LISTED:,} operations: the others are not listed"
                    )
                    return
                operation = item[method]
                named = operation.get("operationId")
                name = unique(
                    one_line(named, 100)
                    if isinstance(named, str) and named.strip()
                    else f"{method} {one_line(path, 100)}",
                    taken,
                )
                taken.append(name)
                yield name, method, str(path), operation, item
            for method in OTHERS:
                if method in item:
                    self._draft.leave(f"{method} {path}", f"`{method.upper()}` is not a method of `http` steps")

    def _led(self, value: Any, place: str) -> dict[str, Any]:
        """The object, or what its `$ref` leads to within the document."""
        for _ in range(8):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                return value if isinstance(value, dict) else {}
            here: Any = self._document if reference.startswith("#/") else None
            for part in reference.split("/")[1:]:
                here = here.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(here, dict) else None
            if not isinstance(here, dict):
                self._draft.leave(place, f"`{one_line(reference)}` leads to nothing in the file")
                return {}
            value = here
        self._draft.leave(place, "its references lead in a circle")
        return {}

    def _step(
        self, name: str, method: str, path: str, operation: Mapping[str, Any], item: Mapping[str, Any]
    ) -> dict[str, Any]:
        step = unique(identifier(name, "call"), self._ids)
        self._ids.append(step)
        http: dict[str, Any] = {"method": method.upper()}
        query: dict[str, Any] = {}
        headers: dict[str, Any] = {}
        within: dict[str, str] = {}
        for number, one in enumerate(self._given(operation, item)):
            parameter = self._led(one, f"{name}/parameters/{number}")
            self._parameter(parameter, name, {"path": within, "query": query, "header": headers})
        http["url"] = self._url(operation, item, path, within, name)
        self._secured(operation, headers, query, name)
        for key, values in (("headers", headers), ("query", query)):
            if values:
                http[key] = values
        body = self._led(operation.get("requestBody"), f"{name}/requestBody")
        if body:
            self._body(body, http, name)
        self._told(operation, name)
        comment = one_line(f"{method.upper()} {path}")
        self._draft.comments[step] = [comment]
        return {"id": step, "title": as_title(_summary(operation, name)), "http": http}

    def _given(self, operation: Mapping[str, Any], item: Mapping[str, Any]) -> list[Any]:
        return [*_list(item.get("parameters")), *_list(operation.get("parameters"))][:200]

    def _parameter(self, parameter: Mapping[str, Any], operation: str, places: Mapping[str, dict[str, Any]]) -> None:
        name, place = parameter.get("name"), str(parameter.get("in"))
        if not isinstance(name, str) or not name:
            return
        where = f"{operation}/{one_line(name, 80)}"
        if place not in places:
            self._draft.leave(where, f"a parameter in `{one_line(place, 20)}` cannot be sent")
            return
        if place == "header" and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
            self._draft.leave(where, "this is no name of a header")
            return
        required = parameter.get("required") is True or place == "path"
        schema = self._led(parameter.get("schema"), where)
        made = self._made(name, schema, parameter.get("description"), where, required=required)
        if required:
            places[place][name] = f"${{parameters.{made}}}"
        else:
            places[place][name] = f"${{has(parameters.{made}) ? parameters.{made} : null}}"

    def _made(self, name: str, schema: Mapping[str, Any], description: Any, where: str, *, required: bool) -> str:
        """The parameter of the definition for something that is sent; one for all that have the same name and type."""
        kind = schema.get("type")
        kind = next((one for one in kind if one != "null"), None) if isinstance(kind, list) else kind
        typed = _TYPES.get(kind) if isinstance(kind, str) else None
        if typed is None:
            typed = "object" if "properties" in schema else "string"
        known = self._known.get((name, typed))
        if known is None:
            known = self._known[name, typed] = unique(identifier(name, "value"), self._parameters)
            self._parameters[known] = {"type": typed}
            if isinstance(description, str) and description.strip():
                self._parameters[known]["title"] = as_title(description, 200)
        if required:
            self._parameters[known]["required"] = True
        rules = sorted(
            schema.keys() & {"pattern", "enum", "minimum", "maximum", "minLength", "maxLength", "properties", "items"}
        )
        if rules:
            self._draft.leave(where, f"its rules ({', '.join(rules)}) are not checked: parameters have types only")
        return known

    def _url(
        self, operation: Mapping[str, Any], item: Mapping[str, Any], path: str, within: Mapping[str, str], name: str
    ) -> str:
        servers = _list(operation.get("servers")) or _list(item.get("servers")) or _list(self._document.get("servers"))
        base = self._base(servers[0] if servers else None, name)

        def put(found: re.Match[str]) -> str:
            if found.group(1) not in within:
                self._draft.leave(
                    f"{name}/{one_line(found.group(1), 80)}",
                    "the path names a parameter that is not described; a text is asked for",
                )
                made = self._made(found.group(1), {}, None, name, required=True)
                return f"${{parameters.{made}}}"
            return within[found.group(1)]

        written = re.sub(r"\{([^{}]*)\}", put, path.replace("${", "%24{"))
        return base + (written if written.startswith("/") else f"/{written}")

    def _base(self, server: Any, name: str) -> str:
        url = server.get("url") if isinstance(server, dict) else None
        if not isinstance(url, str):
            self._draft.leave("servers", f"the document names no server: put the address in the place of {PLACEHOLDER}")
            return PLACEHOLDER
        variables = _of(server, "variables")
        filled = re.sub(r"\{([^{}]*)\}", lambda found: str(_of(variables, found.group(1)).get("default", "")), url)
        if "variables" in server:
            self._draft.leave("servers", "its variables have the values that the document gives them")
        if not re.fullmatch(r"https?://[^\s/?#$]+[^\s?#$]*", filled):
            self._draft.leave(
                "servers", f"`{one_line(url, 80)}` is no whole address: put it in the place of {PLACEHOLDER}"
            )
            return PLACEHOLDER
        return filled.rstrip("/")

    def _secured(self, operation: Mapping[str, Any], headers: dict[str, Any], query: dict[str, Any], name: str) -> None:
        wanted = operation.get("security", self._document.get("security"))
        first = next((one for one in _list(wanted) if isinstance(one, dict) and one), None)
        if first is None:
            return
        if len(_list(wanted)) > 1:
            self._draft.leave(
                f"{name}/security",
                f"of several ways to sign in the first is taken: {one_line(', '.join(map(str, first)), 80)}",
            )
        for scheme in list(first)[:5]:
            self._scheme(str(scheme), headers, query, name)

    def _scheme(self, scheme: str, headers: dict[str, Any], query: dict[str, Any], name: str) -> None:
        described = self._led(
            _of(_of(self._document, "components"), "securitySchemes").get(scheme), f"securitySchemes/{scheme}"
        )
        kind, secret = described.get("type"), _secret(scheme)
        value = f"${{secrets.{secret}}}"
        if (
            kind == "apiKey"
            and described.get("in") == "header"
            and re.fullmatch(r"[A-Za-z0-9_-]+", str(described.get("name")))
        ):
            headers[str(described["name"])] = value
        elif kind == "apiKey" and described.get("in") == "query" and described.get("name"):
            query[str(described["name"])] = value
        elif kind in ("oauth2", "openIdConnect") or (
            kind == "http" and str(described.get("scheme")).lower() == "bearer"
        ):
            headers["Authorization"] = f"Bearer {value}"
            if kind != "http":
                self._draft.leave(
                    f"securitySchemes/{scheme}",
                    "a token has to be fetched first: by an `http` step of its own, or kept as the secret",
                )
        elif kind == "http" and str(described.get("scheme")).lower() == "basic":
            headers["Authorization"] = f"Basic {value}"
            self._draft.leave(f"securitySchemes/{scheme}", "the secret must hold `name:password` in base64")
        else:
            self._draft.leave(f"{name}/security", f"signing in by `{one_line(scheme, 60)}` cannot be carried over")
            return
        if secret not in self._secrets:
            self._secrets.add(secret)
            self._draft.leave(f"securitySchemes/{scheme}", f"set the secret {secret} before you push it")

    def _body(self, body: Mapping[str, Any], http: dict[str, Any], name: str) -> None:
        content = _of(body, "content")
        if http["method"] in ("GET", "HEAD"):
            self._draft.leave(f"{name}/requestBody", f"a {http['method']} request has no body")
            return
        by_type = {str(kind).partition(";")[0].strip().lower(): one for kind, one in content.items()}
        json_type = next((kind for kind in by_type if kind == "application/json" or kind.endswith("+json")), None)
        if json_type is not None:
            http["body"] = self._values(by_type[json_type], name)
        elif "application/x-www-form-urlencoded" in by_type:
            values = self._values(by_type["application/x-www-form-urlencoded"], name)
            http["form"] = values if isinstance(values, dict) else {"value": values}
        elif "text/plain" in by_type:
            http["text"] = f"${{parameters.{self._made('text', {'type': 'string'}, None, name, required=True)}}}"
        else:
            self._draft.leave(
                f"{name}/requestBody", f"a body of {one_line(', '.join(by_type) or 'no type', 80)} cannot be sent"
            )

    def _values(self, media: Any, name: str) -> Any:
        """A body by its required properties; one parameter for what is no object."""
        place = f"{name}/requestBody"
        schema = self._led(media.get("schema") if isinstance(media, dict) else None, place)
        properties = _of(schema, "properties")
        required = [one for one in _list(schema.get("required")) if isinstance(one, str) and one in properties]
        for key in sorted(schema.keys() & {"allOf", "anyOf", "oneOf", "additionalProperties"}):
            if schema[key] not in (True, False):
                self._draft.leave(f"{place}/{key}", "what it adds to the body is not carried over")
        if not properties:
            made = self._made(
                f"{identifier(name, 'call')}Body",
                {"type": schema.get("type", "object")},
                schema.get("description"),
                place,
                required=True,
            )
            return f"${{parameters.{made}}}"
        left = [one for one in properties if one not in required[:MOST_PROPERTIES]]
        if left:
            self._draft.leave(place, f"properties that are not sent: {one_line(', '.join(map(str, left)), 300)}")
        return {one: self._property(one, properties[one], place) for one in required[:MOST_PROPERTIES]}

    def _property(self, name: str, given: Any, place: str) -> str:
        schema = self._led(given, place)
        made = self._made(name, schema, schema.get("description"), f"{place}/{one_line(name, 80)}", required=True)
        return f"${{parameters.{made}}}"

    def _told(self, operation: Mapping[str, Any], name: str) -> None:
        if operation.get("callbacks"):
            self._draft.leave(f"{name}/callbacks", "what the other side calls later: wait for it by an `event` step")
        if operation.get("deprecated") is True:
            self._draft.leave(name, "the document calls the operation deprecated")


def _hint(wanted: str, known: list[str]) -> str:
    near = nearest(wanted, known)
    return (
        f"did you mean `{near}`?" if near else f"there are {quoted(known[:10])}{' and more' if len(known) > 10 else ''}"
    )


def _summary(operation: Mapping[str, Any], otherwise: str) -> str:
    summary = operation.get("summary")
    return one_line(summary, 120) if isinstance(summary, str) and summary.strip() else otherwise


def _secret(scheme: str) -> str:
    name = re.sub(r"[^A-Z0-9]+", "_", identifier(scheme, "key").upper()).strip("_")[:60]
    return name if name and name[0].isalpha() else f"KEY_{name}"


def _of(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
