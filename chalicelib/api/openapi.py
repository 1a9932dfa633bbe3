"""The OpenAPI 3.1 description of the contract, put together from the very types that the views use."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import msgspec

from chalicelib.api import operations, parameters, schemas
from chalicelib.api.operations import OPERATIONS, Code, Operation, Response
from chalicelib.settings import VERSION

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_TYPES = {"str": "string", "int": "integer"}
_ABOUT = """\
Stores each distinct picture once, knows what is in its EXIF, and hands it out again.

HEAD works wherever GET does. Every refusal has the body `Error`. A query parameter that is not known is refused, and so is one
that is given twice but may not be. Times are RFC 3339 in UTC; only `taken_at` is the camera's wall clock, without an offset."""
_KEY = """\
Send a key as `Authorization: Bearer imr_…`. Its scopes say what it opens: `read` to look, `write` to upload and delete, `admin`
to look and delete for the owner that the parameter `owner` names. A laptop's server asks for no key unless it is told to."""


def describe(public_url: str) -> Json:
    """The whole description; `public_url` is the server it names."""
    described = _Described()
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = described.operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image repository",
            "summary": "Pictures in, thumbnails, facts and the same bytes out.",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
            "contact": {"name": "Whoever runs this server", "url": public_url},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": name, "description": meaning} for name, meaning in operations.TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": described.components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "imr_…", "description": _KEY}},
        },
    }


class _Described:
    """What OpenAPI says of the types, each under its name in `components`."""

    def __init__(self) -> None:
        bodies = {response.body for each in OPERATIONS for response in each.responses.values()} - {None, bytes}
        forms = {each.body.form for each in OPERATIONS if each.body}
        kinds = [schemas.Error, *sorted(bodies | forms, key=str)]
        named = {**parameters.IN_PATHS, **parameters.IN_QUERIES, **operations.HEADERS}
        found, self.components = msgspec.json.schema_components([*kinds, *named.values()], ref_template=_REF)
        self._schemas = dict(zip([*kinds, *named], found, strict=True))
        enumerations: Json = {}
        for schema in [*self.components.values(), *found]:
            _tidy(schema, enumerations)
        self.components = dict(sorted({**self.components, **enumerations}.items()))

    def operation(self, operation: Operation) -> Json:
        described: Json = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": f"{operation.description} {_scopes(operation)}",
            "security": [{"key": []}, {}] if operation.scopes else [],
            "responses": self._responses(operation),
        }
        if operation.parameters:
            described["parameters"] = [self._parameter(name) for name in operation.parameters]
        if operation.body:
            content = self._content(operation.body.content_type, operation.body.form)
            described["requestBody"] = {"required": True, "content": content}
        return described

    def _parameter(self, name: str) -> Json:
        schema = dict(self._schemas[name])
        if name in parameters.IN_PATHS:
            place: Json = {"in": "path", "required": True}
        else:
            place = {"in": "query"}
        return {"name": name, **place, "description": schema.pop("description"), "schema": schema}

    def _responses(self, operation: Operation) -> Json:
        responses = {str(status): self._response(response) for status, response in operation.responses.items()}
        refusals = {status: each for status, each in self._refusals(operation).items() if status not in responses}
        return {**responses, **refusals}

    def _response(self, response: Response) -> Json:
        described: Json = {"description": response.meaning}
        if response.headers:
            described["headers"] = self._headers(response.headers)
        if response.body is bytes:
            described["content"] = {response.content_type: {"schema": {"type": "string", "format": "binary"}}}
        elif response.body is not None:
            described["content"] = self._content(response.content_type, response.body)
            if response.example:
                described["content"][response.content_type]["example"] |= response.example
        return described

    def _refusals(self, operation: Operation) -> Json:
        described: Json = {}
        for status, alike in groupby(sorted(codes_of(operation), key=lambda each: each.status), lambda each: each.status):
            refusals = list(alike)
            content = self._content("application/json", schemas.Error)
            content["application/json"]["example"] = {"Code": refusals[0].name, "Message": refusals[0].meaning}
            described[str(status)] = {
                "description": " ".join(f"`{each.name}`: {each.meaning}" for each in refusals),
                "content": content,
            }
            if refusals[0].headers:
                described[str(status)]["headers"] = self._headers(refusals[0].headers)
        return described

    def _headers(self, names: Iterable[str]) -> Json:
        described = {}
        for name in names:
            schema = dict(self._schemas[name])
            described[name] = {"description": schema.pop("description"), "schema": schema}
        return described

    def _content(self, content_type: str, kind: Any) -> Json:
        content: Json = {"schema": self._schemas[kind]}
        if content_type != "multipart/form-data":
            content["example"] = example_of(self._schemas[kind], self.components)
        return {content_type: content}


def _scopes(operation: Operation) -> str:
    """In words: OpenAPI's tools want scopes of OAuth alone."""
    if not operation.scopes:
        return "No key is asked for."
    return f"A key needs the scope {' or '.join(f'`{scope}`' for scope in operation.scopes)}."


def codes_of(operation: Operation) -> tuple[Code, ...]:
    """Every way in which it may refuse."""
    keyed = operations.KEYED if operation.scopes else ()
    with_body = operations.WITH_BODY if operation.body else ()
    return (*operations.ALWAYS, *keyed, *with_body, *operation.codes)


def example_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    """A value of the schema, put together from the examples of its parts, less those that may be absent."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    for found in ("examples", "enum"):
        if found in schema:
            return schema[found][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], components)
    if "properties" in schema:
        return {name: example_of(schema["properties"][name], components) for name in schema["required"]}
    if schema["type"] == "array":
        return [example_of(schema["items"], components)] if "items" in schema else []
    return {"object": {}, "string": "text"}[schema["type"]]


def _tidy(schema: Json, enumerations: Json) -> None:
    """What msgspec leaves out: the types of constants and enumerations, which clients' makers look for, and names of their own
    for those that have a title."""
    for node in list(_nodes(schema)):
        values = node.get("enum")
        if values is None:
            continue
        node["type"] = _TYPES[type(values[0]).__name__]
        if len(values) == 1:
            node["const"] = node.pop("enum")[0]
            node.setdefault("description", "Which kind this is.")
        elif "title" in node:
            enumeration = dict(node)
            enumerations[enumeration["title"]] = enumeration
            node.clear()
            node |= {"$ref": _REF.format(name=enumeration["title"]), "description": enumeration["description"]}


def _nodes(value: Any) -> Iterator[Json]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)
