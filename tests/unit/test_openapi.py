"""The OpenAPI description: well-formed, whole, and about the types that the views use."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import validator_for

from chalicelib.api import openapi, query
from chalicelib.errors import RepositoryError

DESCRIPTION = openapi.describe("http://repository.test")
OPERATIONS = [
    (path, method, operation) for path, methods in DESCRIPTION["paths"].items() for method, operation in methods.items()
]


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


def test_operations_are_named_apart_and_say_what_they_do() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(operation["summary"] for _, _, operation in OPERATIONS)


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[f"{method} {path}" for path, method, _ in OPERATIONS]
)
def test_an_operation_describes_its_parameters_and_every_answer(path: str, method: str, operation: dict[str, Any]) -> None:
    in_path = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"}
    assert in_path == {part.strip("{}") for part in path.split("/") if part.startswith("{")}
    assert ("requestBody" in operation) == (method == "post")
    statuses = {int(status) for status in operation["responses"]}
    assert {503} <= statuses
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            kind = "Readiness" if (path, status) == ("/health/ready", "503") else "Error"
            assert answer["content"]["application/json"]["schema"] == {"$ref": f"#/components/schemas/{kind}"}
            code = answer["description"].split("`")[1]
            assert code == "UnsupportedMediaType" or code in {kind.__name__ for kind in RepositoryError.__subclasses__()}


def test_the_list_describes_every_parameter_it_takes() -> None:
    parameters = {one["name"]: one for one in DESCRIPTION["paths"]["/image/list"]["get"]["parameters"]}
    assert parameters.keys() >= query.SINGLE | query.REPEATED
    assert all(parameters[name]["schema"]["type"] == "array" for name in query.REPEATED)
