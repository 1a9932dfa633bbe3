"""The house rules that a machine can check."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import app
from chalicelib.api import openapi
from tests.rules.modules import CHECKOUT, Module, everything, is_migration, product

READS_ENVIRONMENT = {"environ", "environb", "getenv", "getenvb"}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60
# Taken apart, so that this file does not hold what it looks for.
UNWANTED = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", r"mock\.pa" + "tch", "pragma: no" + " cover")))
#: What is no part of the contract: the page's own files.
NOT_IN_THE_CONTRACT = {"/web/{edition}/{name}"}


@pytest.mark.parametrize("module", product(), ids=str)
def test_only_the_settings_read_the_environment(module: Module) -> None:
    if module.name != "chalicelib.settings":
        assert list(environment_reads(module)) == []


def environment_reads(module: Module) -> Iterator[int]:
    """The lines where the environment is looked at; setting a variable for children is no look."""
    subscripts = (node for node in ast.walk(module.tree) if isinstance(node, ast.Subscript))
    written = {id(node.value) for node in subscripts if isinstance(node.ctx, ast.Store)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in READS_ENVIRONMENT and id(node) not in written:
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if alias.name in READS_ENVIRONMENT)


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_module_is_no_longer_than_can_be_overseen(module: Module) -> None:
    assert len(module.path.read_text("utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("module", everything(), ids=str)
def test_a_function_fits_on_a_screen(module: Module) -> None:
    lengths = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("module", everything(), ids=str)
def test_nothing_is_left_for_later_or_excused(module: Module) -> None:
    assert UNWANTED.findall(module.path.read_text("utf-8")) == []


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_module_begins_by_saying_what_it_is_for(module: Module) -> None:
    if module.tree.body and not is_migration(module):
        assert ast.get_docstring(module.tree)


@pytest.mark.parametrize("path", sorted(set(app.routes) - NOT_IN_THE_CONTRACT))
def test_every_route_stands_in_the_description_and_in_the_documents(path: str) -> None:
    described = openapi.describe("http://127.0.0.1")["paths"]
    methods = {method.upper() for method in described[path]}
    assert methods | ({"HEAD"} if "GET" in methods else set()) == set(app.routes[path])  # the prose says that of every route
    assert any(written(path).search(document.read_text("utf-8")) for document in documents())


@pytest.mark.parametrize("module", product(), ids=str)
def test_a_view_is_made_in_one_way_only(module: Module) -> None:
    """`routing.route`, which has every view name its scopes and its parameters."""
    if module.name != "chalicelib.api.routing":
        named = (node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute) and node.attr == "route")
        assert [node.lineno for node in named] == []


@pytest.mark.parametrize("module", [module for module in product() if is_migration(module)], ids=str)
def test_a_migration_adds_in_one_way_only(module: Module) -> None:
    """`unless_there`, which looks first: what was cut short could not be run again otherwise."""
    of_alembic = (node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "op")
    assert [node.lineno for node in of_alembic if node.attr.startswith(("add_", "create_"))] == []


def documents() -> list[Path]:
    return [*CHECKOUT.glob("README.md"), *sorted((CHECKOUT / "docs").glob("*.md"))]


def written(path: str) -> re.Pattern[str]:
    """The path as a document writes it: an id in braces, or one that stands for all."""
    return re.compile(re.sub(r"\\{\w+\\}", r"(?:\\{\\w+\\}|[0-9]\\w*)", re.escape(path)) + r"(?![\w/{])")


def test_a_document_that_names_a_longer_route_does_not_name_the_shorter() -> None:
    assert written("/image/{image_id}").search("`GET /image/{id}`")
    assert written("/image/{image_id}").search("http :8000/image/1 --download")
    assert not written("/image/{image_id}").search("/image/{id}/details, /image/list")
    assert not written("/image/upload").search("/image/uploads")


def test_the_description_has_no_route_that_there_is_not() -> None:
    assert set(openapi.describe("http://127.0.0.1")["paths"]) == set(app.routes) - NOT_IN_THE_CONTRACT


def test_warnings_are_errors() -> None:
    options = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"][0] == "error"


@pytest.mark.parametrize("module", everything(), ids=str)
def test_no_test_needs_a_benchmark(module: Module) -> None:
    """A benchmark may use what tests are made of; both ways would be a circle."""
    if module.name.startswith("tests."):
        assert not any(name.startswith("benchmarks") for name in module.imports())
