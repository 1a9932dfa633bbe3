"""What `make smoke` sees at addresses that the emulator does not have: of the gateway, and of URLs that end too soon."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx
import pytest

from infra.door import Door, Skipped, SmokeError

GATEWAY = "http://abc123.execute-api.eu-central-1.amazonaws.com"


class Gateway(ThreadingHTTPServer):
    """Stands for any host, as a proxy of HTTP does: `stages` answer, everything else is forbidden."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stages = {"/api"}


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        stage = "/" + urlsplit(self.path).path.split("/")[1]
        self.send_response_only(200 if stage in self.server.stages else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Nothing."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(proxy=f"http://127.0.0.1:{gateway.server_port}", trust_env=False) as client:
        yield client


def test_one_stage_is_as_it_should_be(http: httpx.Client) -> None:
    assert Door(http, f"{GATEWAY}/api/", "").has_one_stage() == "there is no stage but /api"


@pytest.mark.parametrize("other", ["/Stage", "/Prod", "/dev"])
def test_a_second_stage_is_seen(http: httpx.Client, gateway: Gateway, other: str) -> None:
    gateway.stages.add(other)
    with pytest.raises(SmokeError, match=f"There is a second stage, {other}"):
        Door(http, f"{GATEWAY}/api", "").has_one_stage()


def test_at_a_domain_of_the_operators_stages_are_not_seen(http: httpx.Client) -> None:
    with pytest.raises(Skipped, match="execute-api"):
        Door(http, "http://pictures.example.org", "").has_one_stage()


def signed(seconds: int, stage: str = "/api") -> str:
    return f"{GATEWAY}{stage}/originals/x?X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}&X-Amz-Expires={seconds}"


def test_a_url_that_ends_by_its_own_word_too_soon_is_seen(http: httpx.Client) -> None:
    with pytest.raises(SmokeError, match=r"A signed URL ends in 0:09:59.* before its time\."):
        Door(http, GATEWAY, "").promises(signed(600), 0)


def test_a_url_that_ends_before_its_own_word_is_seen(http: httpx.Client) -> None:
    """As one does whose session has ended."""
    assert "still good" in Door(http, GATEWAY, "").promises(signed(7200), 0.001)
    with pytest.raises(SmokeError, match="A signed URL has ended within"):
        Door(http, GATEWAY, "").promises(signed(7200, "/gone"), 0.001)
