"""`docs/api.md` says what the server does, no more and no less: its headings and tables against the code.

Where a table differs, the assertion shows the rows that belong there.
"""

import re
from datetime import timedelta

import pytest

from app import app
from chalicelib import sigv4
from chalicelib.api import query, schemas
from chalicelib.api.operations import OPERATIONS, Operation
from chalicelib.model.pictures import FORMATS, THUMBNAIL_SIZES
from chalicelib.services import names, sweep_steps, uploads
from tests.access_table import CELLS, REQUESTS, Cell
from tests.rules import api_tables
from tests.rules.modules import CHECKOUT

DOCUMENT = (CHECKOUT / "docs" / "api.md").read_text("utf-8")
#: What is no part of the contract: the page's own files.
NOT_IN_THE_CONTRACT = {"/web/{edition}/{name}"}


def sections(text: str, level: int) -> dict[str, str]:
    """What stands below each heading of this level, by heading."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


CHAPTERS = sections(DOCUMENT, 2)
ROUTES, OBJECTS, VALUES = (sections(CHAPTERS[chapter], 3) for chapter in ("Routes", "Objects", "Values"))


def tables(text: str) -> list[api_tables.Rows]:
    """Each table's rows, less its head."""
    found = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [[tuple(re.split(r" \| ", line[2:-2])) for line in table.splitlines()[2:]] for table in found]


def flowing(text: str) -> str:
    """Without the line ends that a paragraph has for the editor's sake."""
    return " ".join(text.split())


def test_every_route_has_its_heading_and_no_other_has_one() -> None:
    served = {f"`{method} {path}`" for path, methods in app.routes.items() for method in methods
              if method != "HEAD" and path not in NOT_IN_THE_CONTRACT}  # fmt: skip
    assert ROUTES.keys() == served
    assert list(ROUTES) == [api_tables.heading(operation) for operation in OPERATIONS]
    assert "HEAD works wherever GET does" in flowing(CHAPTERS["What holds everywhere"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=api_tables.heading)
def test_a_route_is_documented_as_it_is_described(operation: Operation) -> None:
    section = ROUTES[api_tables.heading(operation)]
    expected = [api_tables.parameter_rows(operation), api_tables.response_rows(operation)]
    assert tables(section) == [rows for rows in expected if rows]
    text = flowing(section)
    assert text.startswith(f"{operation.summary}. {api_tables.scope_line(operation)} ")
    assert text.endswith(api_tables.refusal_line(operation))


def test_the_refusals_are_those_there_are() -> None:
    assert tables(CHAPTERS["Refusals"]) == [api_tables.refusal_rows()]


def test_no_code_is_named_that_there_is_not() -> None:
    there_are = {code.strip("`") for _, code, _, _ in api_tables.refusal_rows()}
    assert set(re.findall(r"\b[A-Z][A-Za-z]+Error\b", DOCUMENT)) <= there_are


@pytest.mark.parametrize("name", [name for name, schema in api_tables.COMPONENTS.items() if "properties" in schema])
def test_an_object_is_documented_with_every_field(name: str) -> None:
    assert tables(OBJECTS[name]) == [api_tables.field_rows(name)]
    assert flowing(OBJECTS[name]).startswith(api_tables.COMPONENTS[name]["description"])
    assert f"every field of [{api_tables.base_of(name)}]" in flowing(OBJECTS[name]) or api_tables.base_of(name) is None


@pytest.mark.parametrize("name", [name for name, schema in api_tables.COMPONENTS.items() if "enum" in schema])
def test_what_is_one_of_a_few_is_documented_with_every_value(name: str) -> None:
    assert flowing(VALUES[name]) == f"{api_tables.COMPONENTS[name]['description']} {api_tables.values_line(name)}"


def test_there_are_no_other_objects_and_values() -> None:
    assert OBJECTS.keys() | VALUES.keys() == api_tables.COMPONENTS.keys()


def test_the_limits_are_those_of_the_code() -> None:
    def seconds(time: timedelta) -> str:
        return f"{time.total_seconds():g}"

    assert tables(CHAPTERS["Fixed limits"]) == [
        [
            ("files in one `POST /image/uploads`", str(schemas.MOST_FILES)),
            ("images on one page of the list", str(query.LARGEST_LIMIT)),
            ("images on a page where `limit` is not given", str(query.DEFAULT_LIMIT)),
            ("characters of a name", str(names.MAX_LENGTH)),
            ("seconds that `POST /image/upload` waits", f"{uploads.PATIENCE:g}"),
            ("seconds that a ticket is good", seconds(uploads.TICKET_LIFETIME)),
            ("seconds that a signed URL is good, at most", str(sigv4.URL_SECONDS)),
            ("days that an upload which has ended is remembered", str(sweep_steps.MEMORY.days)),
            ("thumbnails' longest sides in pixels", ", ".join(map(str, THUMBNAIL_SIZES))),
            ("formats", ", ".join(FORMATS)),
        ]
    ]


def is_closed(cell: Cell) -> bool:
    """Whether the key does not open the route; to `owner` where there is no such parameter the answer is a 400."""
    return cell.status == 403 or (cell.status == 400 and cell.bearer == "admin=")


@pytest.mark.parametrize("request_name", REQUESTS)
def test_the_scopes_are_those_that_the_access_table_tries(request_name: str) -> None:
    """That table is held to the server and to the deployed stack."""
    request = REQUESTS[request_name]
    path = request.path.replace("{image}", "{image_id}").replace("{upload}", "{upload_id}")
    (operation,) = (each for each in OPERATIONS if (each.method, each.path) == (request.method, path))
    bearers = {"reader": "read", "writer": "write", "admin": "admin", "admin=": "admin"}
    opened = {
        bearers[cell.bearer]
        for cell in CELLS
        if cell.request == request_name and cell.bearer in bearers and not is_closed(cell)
    }
    assert set(operation.scopes) == opened


def test_every_link_within_the_document_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", DOCUMENT, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) <= anchors
    assert len(anchors) == len(headings)
