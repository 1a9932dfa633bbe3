"""What the tables of `docs/api.md` have to say, by the description that the code makes of itself."""

import re
from typing import Any

import msgspec

from chalicelib.api import openapi, schemas
from chalicelib.api.operations import ALWAYS, KEYED, OF_UPLOADS, OPERATIONS, WITH_BODY, Code, Operation

DESCRIPTION = openapi.describe("http://127.0.0.1:8000")
COMPONENTS: dict[str, Any] = DESCRIPTION["components"]["schemas"]
#: Who may refuse so: refusals that the document tells once, and those that it tells at their routes.
_ONCE = {each.name: who for who, alike in (("every route", ALWAYS), ("every route that asks for a key", KEYED),
         ("every route that takes a body", WITH_BODY)) for each in alike}  # fmt: skip

Rows = list[tuple[str, ...]]


def heading(operation: Operation) -> str:
    return f"`{operation.method} {operation.path}`"


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DESCRIPTION["paths"][operation.path][operation.method.lower()]
    return found


def scope_line(operation: Operation) -> str:
    return f"Scope: {' or '.join(f'`{scope}`' for scope in operation.scopes)}." if operation.scopes else "No key is asked for."


def parameter_rows(operation: Operation) -> Rows:
    parameters = described(operation).get("parameters", [])
    return [(f"`{each['name']}`", takes(each["schema"], in_query=True), each["description"]) for each in parameters]


def response_rows(operation: Operation) -> Rows:
    rows: Rows = []
    for status, answer in described(operation)["responses"].items():
        if int(status) in operation.responses:
            content_type, content = next(iter(answer.get("content", {"none": None}).items()))
            body = takes(content["schema"]) if content and "$ref" in content["schema"] else content_type
            rows.append((status, body, answer["description"]))
    return rows


def refusal_line(operation: Operation) -> str:
    """Those that not every such route has, by status and `Code`."""
    own = [
        f"{status} `{code}`"
        for status, answer in described(operation)["responses"].items()
        for code in re.findall("`([A-Z][A-Za-z]+)`: [A-Z]", answer["description"])
        if int(status) not in operation.responses and code not in _ONCE
    ]
    return f"Refuses besides: {', '.join(own)}." if own else "Refuses as every route does."


def refusal_rows() -> Rows:
    """Every refusal that there is, with who gives it."""
    routes = {each.name: each for operation in OPERATIONS for each in openapi.codes_of(operation)}
    every = routes | {each.name: each for each in OF_UPLOADS}
    return [
        (str(each.status), f"`{each.name}`", each.meaning, _who(each, routes))
        for each in sorted(every.values(), key=lambda each: (each.status, each.name))
    ]


def _who(code: Code, routes: dict[str, Code]) -> str:
    return _ONCE.get(code.name, "the routes that say so") if code.name in routes else "the `error` of an upload"


def field_rows(name: str) -> Rows:
    """Its fields, less those of the object that it says more about."""
    component, inherited = COMPONENTS[name], fields_of(base_of(name))
    return [
        (f"`{field}`" + ("" if field in component["required"] else ", may be absent"), takes(schema), schema["description"])
        for field, schema in component["properties"].items()
        if field not in inherited
    ]


def base_of(name: str) -> str | None:
    """The object of which this one has every field and more."""
    kind: type = getattr(schemas, name, msgspec.Struct)
    bases = [base.__name__ for base in kind.__mro__[1:] if base.__name__ in COMPONENTS]
    return bases[0] if bases else None


def fields_of(name: str | None) -> set[str]:
    return set(COMPONENTS[name]["properties"]) if name else set()


def values_line(name: str) -> str:
    component = COMPONENTS[name]
    usual = f"; without it `{component['default']}`" if "default" in component else ""
    return f"One of {', '.join(f'`{value}`' for value in component['enum'])}{usual}."


def takes(schema: dict[str, Any], *, in_query: bool = False) -> str:
    """What a value of the schema is, in a table's cell."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(map(takes, schema["anyOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "additionalProperties" in schema:
        return f"object of {takes(schema['additionalProperties'])}"
    if schema["type"] == "array":
        inner = takes(schema["items"])
        most = f" at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"{inner}; may be repeated,{most} times" if in_query else f"list of{most} {inner}"
    return ", ".join([schema.get("format", schema["type"]), *_bounds(schema)])


def _bounds(schema: dict[str, Any]) -> list[str]:
    said = []
    if schema.get("maximum", 2**63) < 2**31:
        said.append(f"{schema['minimum']} to {schema['maximum']}")
    if schema.get("maxLength", 0) != schema.get("minLength", 0):
        said.append(f"{schema['minLength']} to {schema['maxLength']} characters")
    if "default" in schema:
        said.append(f"without it `{str(schema['default']).lower()}`")
    return said
