"""The OpenAPI description: well-formed, whole, and about the types that the views use.

Whole means that nothing in it goes without a description, a format and an example: a new field cannot forget them.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import validator_for

from chalicelib.api import openapi, query
from chalicelib.errors import ForeignStoreError, RepositoryError
from chalicelib.settings import VERSION

DESCRIPTION = openapi.describe("http://repository.test")
OPERATIONS = [
    (path, method, operation) for path, methods in DESCRIPTION["paths"].items() for method, operation in methods.items()
]
COMPONENTS = DESCRIPTION["components"]["schemas"]
PARAMETERS = [(operation["operationId"], each) for _, _, operation in OPERATIONS for each in operation.get("parameters", [])]
#: What chalice and API Gateway answer by themselves, besides the errors of our own.
OF_THE_GATEWAY = {"MethodNotAllowedError": 405, "UnsupportedMediaType": 415, "TooManyRequestsError": 429}
#: The one that no request meets.
CODES: dict[str, int] = OF_THE_GATEWAY | {
    kind.__name__: kind.status for kind in RepositoryError.__subclasses__() if kind is not ForeignStoreError
}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_every_reference_leads_somewhere() -> None:
    schemas = {f"#/components/schemas/{name}" for name in DESCRIPTION["components"]["schemas"]}
    used = {node["$ref"] for node in nodes(DESCRIPTION) if "$ref" in node}
    assert used == schemas


def test_every_schema_is_a_schema() -> None:
    for name in DESCRIPTION["components"]["schemas"]:
        validator_for({"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]})


def test_operations_have_names_that_make_good_functions() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("(get|list|upload|request|delete)[A-Z][A-Za-z]+", name) for name in names)


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[f"{method} {path}" for path, method, _ in OPERATIONS]
)
def test_an_operation_describes_its_parameters_and_every_answer(path: str, method: str, operation: dict[str, Any]) -> None:
    in_path = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
    assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
    assert ("requestBody" in operation) == (method == "post")
    statuses = {int(status) for status in operation["responses"]}
    assert {400, 403, 405, 429, 503} <= statuses
    assert (401 in statuses) == bool(operation["security"])
    assert ({413, 415} <= statuses) == ("requestBody" in operation)
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            kind = "Readiness" if (path, status) == ("/health/ready", "503") else "Error"
            assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{kind}"}
            codes = re.findall("`([A-Z][A-Za-z]+)`: [A-Z]", answer["description"])
            assert codes
            assert {CODES[code] for code in codes} == {int(status)}
            assert answer["content"]["application/json"]["example"]["Code"] == codes[0]


def test_every_code_stands_somewhere() -> None:
    answers = " ".join(answer["description"] for _, _, operation in OPERATIONS for answer in operation["responses"].values())
    assert set(re.findall("`([A-Z][A-Za-z]+)`: [A-Z]", answers)) | {"BadDigestError"} == CODES.keys()
    assert "`BadDigestError`" in DESCRIPTION["paths"]["/image/uploads/{upload_id}"]["get"]["description"]


def test_what_stands_around_the_operations_is_there() -> None:
    info = DESCRIPTION["info"]
    assert (info["version"], info["license"]) == (VERSION, {"name": "MIT", "identifier": "MIT"})
    assert all(info[part] for part in ("title", "summary", "description", "contact"))
    assert DESCRIPTION["servers"] == [{"url": "http://repository.test"}]
    (key,) = DESCRIPTION["components"]["securitySchemes"].values()
    assert (key["type"], key["scheme"]) == ("http", "bearer")
    assert all(scope in key["description"] for scope in ("`read`", "`write`", "`admin`"))
    assert all(tag["name"] and tag["description"] for tag in DESCRIPTION["tags"])


@pytest.mark.parametrize("operation", [operation for _, _, operation in OPERATIONS], ids=lambda each: each["operationId"])
def test_an_operation_says_what_it_does_and_shows_an_example(operation: dict[str, Any]) -> None:
    assert operation["tags"][0] in {tag["name"] for tag in DESCRIPTION["tags"]}
    for sentence in (operation["summary"], operation["description"]):
        assert re.match("[A-Z]", sentence)
    assert operation["description"].endswith(".")
    bodies = (
        [operation["requestBody"], *operation["responses"].values()]
        if "requestBody" in operation
        else operation["responses"].values()
    )
    shown = [content for body in bodies for content in body.get("content", {}).items()]
    assert shown
    for content_type, content in shown:
        binary = content["schema"].get("format") == "binary" or content_type == "multipart/form-data"
        assert ("example" in content) != binary
        if not binary:
            validator_for({**content["schema"], "components": DESCRIPTION["components"]}).validate(content["example"])
    for answer in operation["responses"].values():
        assert answer["description"].endswith(".")
        for header in answer.get("headers", {}).values():
            assert_described(header["description"], header["schema"])


@pytest.mark.parametrize(("operation", "parameter"), PARAMETERS, ids=[f"{name}-{each['name']}" for name, each in PARAMETERS])
def test_a_parameter_says_what_it_takes(operation: str, parameter: dict[str, Any]) -> None:  # noqa: ARG001 - it is in the id
    assert_described(parameter["description"], parameter["schema"])


PROPERTIES = [
    (f"{name}.{field}", schema)
    for name, component in COMPONENTS.items()
    for field, schema in component.get("properties", {}).items()
]


@pytest.mark.parametrize(("name", "schema"), PROPERTIES, ids=[name for name, _ in PROPERTIES])
def test_a_field_says_what_it_is(name: str, schema: dict[str, Any]) -> None:
    """Formats by the names that fields have, so that a new one has it too."""
    assert_described(schema["description"], schema)
    whole = resolved(schema)
    formats = {node["format"] for node in nodes(whole) if "format" in node}
    if name.endswith("_at"):
        assert formats == {"date-time-local" if name.endswith(".taken_at") else "date-time"}
    if name.endswith(("url", "thumbnails")):
        assert formats == {"uri"}
    if name.endswith((".id", "image_id", "size", "total", "bytes", ".offset", ".length")):
        assert formats == {"int64"}


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_says_what_it_is(name: str) -> None:
    component = COMPONENTS[name]
    assert component["title"] == name
    assert component["description"].endswith(".")
    assert "properties" in component or "enum" in component


def assert_described(sentence: str, schema: dict[str, Any]) -> None:
    """A sentence, a type, and an example that is valid; numbers have a format, what is one of a few is named."""
    whole = resolved(schema)
    assert sentence.endswith(".")
    for node in nodes(schema):
        if node.get("type") in ("integer", "number") and not {"enum", "const", "$ref"} & node.keys():
            assert node.get("format") in ("int32", "int64", "double")
        assert "enum" not in node, "it has no name of its own"
    examples = whole.get("examples", whole.get("enum", [whole["const"]] if "const" in whole else []))
    if not leads_on(schema):
        assert examples
    for example in examples:
        validator_for({**whole, "components": DESCRIPTION["components"]}).validate(example)


def leads_on(schema: dict[str, Any]) -> bool:
    """Whether the examples are those of the schemas that this one refers to, or nobody could read one."""
    return any("$ref" in node for node in nodes(schema)) or "array" in schema.values() or "binary" in schema.values()


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    component: dict[str, Any] = COMPONENTS[schema["$ref"].rpartition("/")[2]]
    return {**component, **{name: value for name, value in schema.items() if name != "$ref"}}


def test_enumerations_have_names_for_their_values() -> None:
    enumerations = {name: component for name, component in COMPONENTS.items() if "enum" in component}
    assert enumerations.keys() == {"Sort", "UploadStatus", "Match", "Disposition", "ThumbnailSize", "Condition"}
    for component in enumerations.values():
        names = component.get("x-enum-varnames", component["enum"])
        assert len({*names}) == len(component["enum"])
        assert all(re.fullmatch("[A-Za-z][A-Za-z_0-9]*", name) for name in names)


def test_booleans_are_booleans() -> None:
    for node in nodes(DESCRIPTION):
        assert not {"true", "false"} & {value for value in node.get("enum", []) if isinstance(value, str)}


def test_the_list_describes_every_parameter_it_takes() -> None:
    parameters = {one["name"]: one for one in DESCRIPTION["paths"]["/image/list"]["get"]["parameters"]}
    assert parameters.keys() == query.SINGLE | query.REPEATED | {"owner"}
    arrays = {name for name, each in parameters.items() if each["schema"].get("type") == "array"}
    assert arrays == query.REPEATED
