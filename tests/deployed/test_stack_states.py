"""What a deployment says of a stack in a state in which nothing can be done with it, however it came there."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.stack import DeploymentError, Stack
from tests.deployed.account import account, anybodys

DESCRIPTION = """<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult>
<Stacks><member><StackName>images</StackName><StackId>arn:aws:cloudformation:eu-central-1:1:stack/images/1</StackId>
<StackStatus>{}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks>
</DescribeStacksResult></DescribeStacksResponse>"""


class CloudFormation(ThreadingHTTPServer):
    """Has one stack, in `status`."""

    daemon_threads = True
    status = ""


class _Handler(BaseHTTPRequestHandler):
    server: CloudFormation

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = DESCRIPTION.format(self.server.status).encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    with CloudFormation(("127.0.0.1", 0), _Handler) as server, account(anybodys(f"http://127.0.0.1:{server.server_port}")):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "way"),
    [
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name images"),
        ("UPDATE_FAILED", "aws cloudformation rollback-stack --stack-name images"),
        ("DELETE_FAILED", "delete it again"),
        ("IMPORT_ROLLBACK_COMPLETE", "See its events"),
        ("SOMETHING_NEW", "See its events"),
    ],
)
def test_a_state_that_cannot_be_changed_is_named_with_the_way_out(
    cloudformation: CloudFormation, status: str, way: str
) -> None:
    cloudformation.status = status
    with pytest.raises(DeploymentError, match=f"in the state {status}.*{way}"):
        Stack("images").settle()
    assert not Stack("images").is_there


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_at_rest_can_be_changed(cloudformation: CloudFormation, status: str) -> None:
    cloudformation.status = status
    Stack("images").settle()
    assert Stack("images").is_there


def test_the_mere_name_of_a_stack_is_no_stack(cloudformation: CloudFormation) -> None:
    cloudformation.status = "REVIEW_IN_PROGRESS"
    Stack("images").settle()
    assert not Stack("images").is_there
