"""The database's accounts are made through a Data API that fails in each of the ways that AWS documents."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from infra.database import create_users
from infra.stack import DeploymentError
from tests.deployed.account import account, anybodys

CLUSTER = "arn:aws:rds:eu-central-1:123456789012:cluster:images"
SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:master"  # noqa: S105 - its name
DESCRIPTION = f"""<DescribeDBClustersResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBClustersResult>
<DBClusters><DBCluster><DBClusterArn>{CLUSTER}</DBClusterArn>
<MasterUserSecret><SecretArn>{SECRET}</SecretArn></MasterUserSecret></DBCluster></DBClusters>
</DescribeDBClustersResult></DescribeDBClustersResponse>"""

#: ExecuteStatement's errors with their HTTP status, as the RDS Data Service API Reference lists them.
PASSING = [
    ("DatabaseResumingException", 400),
    ("DatabaseUnavailableException", 504),
    ("HttpEndpointNotEnabledException", 400),
    ("InternalServerErrorException", 500),
    ("InvalidResourceStateException", 400),
    ("ServiceUnavailableError", 503),
    ("StatementTimeoutException", 400),
]
STAYING = [
    ("AccessDeniedException", 403),
    ("BadRequestException", 400),
    ("DatabaseErrorException", 400),
    ("DatabaseNotFoundException", 404),
    ("ForbiddenException", 403),
    ("InvalidSecretException", 400),
    ("NotFoundException", 404),
    ("SecretsErrorException", 400),
    ("TransactionNotFoundException", 404),
    ("UnsupportedResultException", 400),
    ("SomethingNew", 400),
]


class DataApi(ThreadingHTTPServer):
    """Answers each statement with the next of `failures`, and carries it out when there is none left."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.failures: list[tuple[str, int, str]] = []
        self.carried_out: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: DataApi

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/Execute":
            self._answer(200, DESCRIPTION.encode())
            return
        asked = json.loads(body)
        assert (asked["resourceArn"], asked["secretArn"]) == (CLUSTER, SECRET)
        if not self.server.failures:
            self.server.carried_out.append(asked["sql"])
            self._answer(200, b"{}")
            return
        code, status, message = self.server.failures.pop(0)
        if code == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self._answer(status, json.dumps({"message": message}).encode(), ("x-amzn-ErrorType", code))

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture
def data_api() -> Iterator[DataApi]:
    with DataApi() as server, account(anybodys(f"http://127.0.0.1:{server.server_port}")):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def assert_made(data_api: DataApi) -> None:
    made = [statement.partition(" IDENTIFIED")[0] for statement in data_api.carried_out]
    assert made == [
        "CREATE USER IF NOT EXISTS image_repo",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON image_repo_db.* TO image_repo",
        "CREATE USER IF NOT EXISTS image_repo_admin",
        "GRANT ALL ON image_repo_db.* TO image_repo_admin",
    ]


@pytest.mark.parametrize(("code", "status"), PASSING)
def test_what_passes_is_waited_for(data_api: DataApi, code: str, status: int) -> None:
    data_api.failures = [(code, status, "not now")] * 2
    create_users({"DatabaseArn": CLUSTER})
    assert_made(data_api)


@pytest.mark.parametrize("failure", [("DatabaseErrorException", 400, "Communications link failure"), ("hang up", 0, "")])
def test_a_connection_that_is_lost_is_waited_for(data_api: DataApi, failure: tuple[str, int, str]) -> None:
    data_api.failures = [failure]
    create_users({"DatabaseArn": CLUSTER})
    assert_made(data_api)


@pytest.mark.parametrize(("code", "status"), STAYING)
def test_what_does_not_pass_is_told_at_once(data_api: DataApi, code: str, status: int) -> None:
    data_api.failures = [(code, status, "Access denied for user 'master'")]
    with pytest.raises(DeploymentError, match=f"accounts cannot be made: {code}: Access denied"):
        create_users({"DatabaseArn": CLUSTER})
    assert data_api.carried_out == []


def test_what_lasts_too_long_is_told(data_api: DataApi) -> None:
    data_api.failures = [("DatabaseUnavailableException", 504, "gone")] * 1000
    with pytest.raises(DeploymentError, match="DatabaseUnavailableException: gone"):
        create_users({"DatabaseArn": CLUSTER}, patience=0.5)


def test_a_database_that_is_not_the_stacks_own_gets_no_accounts(data_api: DataApi) -> None:
    create_users({})
    assert data_api.carried_out == []
