"""The server against its own OpenAPI description, with requests that schemathesis makes up from it."""

from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from chalicelib.api import openapi
from tests import pictures
from tests.http.server import Server

DESCRIPTION = openapi.describe("http://127.0.0.1")
REQUESTS_PER_OPERATION = 25

schema = schemathesis.openapi.from_dict(DESCRIPTION)


def test_the_server_describes_itself_so(server: Server) -> None:
    assert server.api.get("/openapi.json").json() == openapi.describe(server.api.public_url)


@schema.parametrize()
@settings(max_examples=REQUESTS_PER_OPERATION, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_within_the_description(case: Case[Any], server: Server) -> None:
    server.api.upload(pictures.png(1))
    # No schema can say that the bytes have to be a picture, or a cursor one of ours.
    case.call_and_validate(base_url=server.api.public_url, excluded_checks=[positive_data_acceptance])
