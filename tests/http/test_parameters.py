"""The query parameters as they are described: what the description permits is taken, and the next thing to it is not."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api import openapi
from tests import pictures
from tests.http.client import Api, assert_refused

DESCRIPTION = openapi.describe("http://repository.test")
COMPONENTS = DESCRIPTION["components"]["schemas"]
#: What these permit depends on more than the value: on the key, and on the list that it came with.
ELSEWHERE = {"owner", "cursor"}
PARAMETERS = [
    (path, parameter["name"], COMPONENTS.get(parameter["schema"].get("$ref", "").rpartition("/")[2], parameter["schema"]))
    for path, methods in DESCRIPTION["paths"].items()
    for parameter in methods.get("get", {}).get("parameters", [])
    if parameter["in"] == "query" and parameter["name"] not in ELSEWHERE
]
Values = list[str]


@pytest.mark.parametrize(("path", "name", "schema"), PARAMETERS, ids=[f"{path}-{name}" for path, name, _ in PARAMETERS])
def test_a_parameter_takes_what_is_described_and_no_more(api: Api, path: str, name: str, schema: dict[str, Any]) -> None:
    target = path.format(image_id=api.upload(pictures.png(1)).json()["id"])
    for values in taken(schema):
        assert api.get(target, [(name, value) for value in values]).status in (200, 302), values
    for values in refused(schema):
        assert_refused(api.get(target, [(name, value) for value in values]), 400, "BadRequestError")


def taken(schema: dict[str, Any]) -> Iterator[Values]:
    if schema.get("type") == "array":
        yield from ([value] for (value,) in taken(schema["items"]))
        yield [text(schema["items"]["maxLength"])] * schema["maxItems"]
    yield from (
        [written(value)] for value in [*schema.get("examples", []), *schema.get("enum", [])] if not isinstance(value, list)
    )
    yield from ([written(schema[bound])] for bound in ("default", "minimum", "maximum") if bound in schema)
    yield from ([text(schema[bound])] for bound in ("minLength", "maxLength") if bound in schema)
    if schema.get("type") == "boolean":
        yield from (["true"], ["false"])


def refused(schema: dict[str, Any]) -> Iterator[Values]:
    if schema.get("type") == "array":
        yield from (values for values in refused(schema["items"]) if len(values) == 1)
        yield ["x"] * (schema["maxItems"] + 1)
        return
    yield [""]
    yield [written(schema.get("default", "x"))] * 2
    if "maxLength" in schema:
        yield [text(schema["maxLength"] + 1)]
    else:
        yield ["nothing of the kind"]
    if "minimum" in schema:
        yield from ([written(schema["minimum"] - 1)], [written(schema["maximum"] + 1)])
    if schema.get("type") in ("number", "integer", "boolean"):
        yield from (["nan"], ["1e999"], ["True"], ["0x1"])
    if any(each["format"] == "date-time-local" for each in schema.get("anyOf", [])):
        yield ["2008-10-22T16:29:00Z"]


def written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def text(length: int) -> str:
    return "é" * length


def test_no_other_parameter_is_taken(api: Api) -> None:
    named = {name for _, name, _ in PARAMETERS} | ELSEWHERE
    image = api.upload(pictures.png(1)).json()["id"]
    for path, methods in DESCRIPTION["paths"].items():
        own = {parameter["name"] for parameter in methods.get("get", {}).get("parameters", [])}
        for name in (named - own) | {"surely_unknown"} if "get" in methods else ():
            answer = api.get(path.format(image_id=image, upload_id="x"), {name: "1"})
            assert_refused(answer, 400, "BadRequestError")
