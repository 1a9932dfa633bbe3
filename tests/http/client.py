"""One small client for both ways of driving the application: in this process, or a server's over a socket."""

import base64
import hashlib
import http.client
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import LocalGateway, LocalGatewayException

from chalicelib import runtime
from chalicelib.local.composition import STORE_PATH
from chalicelib.server import store_routes
from chalicelib.storage.disk import DiskStore

BOUNDARY = "a-boundary-of-the-tests"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json", self
        return json.loads(self.body)


#: Sends method, target (path and query), headers and body.
Send = Callable[[str, str, Mapping[str, str], bytes], Answer]


def in_process(app: Chalice) -> Send:
    """As the laptop's server hands requests on, to the store's folder or to chalice's gateway, without a socket."""
    gateway = LocalGateway(app, Config.create())

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        store = runtime.current().store
        if path == STORE_PATH and isinstance(store, DiskStore):
            with store_routes.answered(store, method, query, _lowered(headers), [body]) as stored:
                return Answer(stored.status, _lowered(stored.headers), b"".join(stored.content))
        request = http.client.parse_headers(io.BytesIO(_header_lines(headers)))
        try:
            answer = gateway.handle_request(method, target, dict(request), body or None)
        except LocalGatewayException as refusal:
            return Answer(refusal.CODE, _lowered(refusal.headers), refusal.body or b"")
        content = answer["body"] or ""
        if answer.get("isBase64Encoded"):
            content = base64.b64decode(content)
        return Answer(
            answer["statusCode"],
            # The gateway's default, where chalice itself answers.
            _lowered({"Content-Type": "application/json", **answer["headers"], **answer["multiValueHeaders"]}),
            content if isinstance(content, bytes) else content.encode(),
        )

    return send


def over_socket(host: str, port: int, timeout: float = 60.0) -> Send:
    """A new connection for each request, so that one that a test breaks does not reach the next."""

    def send(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            connection.request(method, target, body or None, dict(headers))
            answer = connection.getresponse()
            return Answer(answer.status, _lowered(dict(answer.getheaders())), answer.read())
        finally:
            connection.close()

    return send


@dataclass(frozen=True)
class Api:
    """The contract's routes, each a method that returns the answer as it came."""

    send: Send
    public_url: str

    def get(self, path: str, parameters: Mapping[str, Any] | Sequence[tuple[str, Any]] = (), **headers: str) -> Answer:
        query = urlencode(parameters)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("GET", f"{path}?{query}" if query else path, named, b"")

    def upload(self, content: bytes, name: str = "photo.jpg") -> Answer:
        return self.send("POST", "/image/upload", FORM, form([file_part("image", name, content)]))

    def ask(self, *files: Mapping[str, Any]) -> Answer:
        return self.send("POST", "/image/uploads", JSON, json.dumps({"files": files}).encode())

    def ask_for(self, content: bytes, name: str = "photo.jpg", *, digest: bool = False) -> Any:
        """The answer for one file."""
        offer: dict[str, Any] = {"name": name, "size": len(content)}
        if digest:
            offer["sha256"] = hashlib.sha256(content).hexdigest()
        answer = self.ask(offer)
        assert answer.status == 201, answer
        return answer.json()["uploads"][0]

    def post_ticket(self, ticket: Mapping[str, Any], content: bytes, fields: Mapping[str, str] | None = None) -> Answer:
        """Post the ticket's form, with other fields than the ticket's where a test says so."""
        values = ticket["fields"] if fields is None else fields
        parts = [*(field_part(name, value) for name, value in values.items()), file_part("file", "blob", content)]
        return self.send("POST", self.target(ticket["url"]), FORM, form(parts))

    def status(self, upload_id: str) -> Any:
        answer = self.get(f"/image/uploads/{upload_id}")
        assert answer.status == 200, answer
        return answer.json()

    def details(self, image_id: int) -> Any:
        answer = self.get(f"/image/{image_id}/details")
        assert answer.status == 200, answer
        return answer.json()

    def list(self, parameters: Mapping[str, Any] | Sequence[tuple[str, Any]] = ()) -> Any:
        answer = self.get("/image/list", parameters)
        assert answer.status == 200, answer
        return answer.json()

    def delete(self, image_id: int) -> Answer:
        return self.send("DELETE", f"/image/{image_id}", {}, b"")

    def follow(self, answer: Answer, **headers: str) -> Answer:
        """Go where a redirect points."""
        assert answer.status == 302, answer
        return self.fetch(answer.headers["location"], **headers)

    def fetch(self, url: str, **headers: str) -> Answer:
        return self.get(self.target(url), (), **headers)

    def target(self, url: str) -> str:
        """The path and query of one of the repository's absolute URLs."""
        assert url.startswith(f"{self.public_url}/"), url
        return url.removeprefix(self.public_url)


def assert_refused(answer: Answer, status: int, code: str) -> None:
    """A refusal as the contract has it: the status, the stable name, and a sentence."""
    assert (answer.status, answer.json()["Code"]) == (status, code), answer
    assert answer.json().keys() == {"Code", "Message"}
    assert len(answer.json()["Message"].split()) >= 3


def assert_not_ready(answer: Answer) -> None:
    """As a refusal, and besides which part cannot be used, and why."""
    told = answer.json()
    refused = json.dumps({name: told.pop(name) for name in ("Code", "Message")})
    assert_refused(replace(answer, body=refused.encode()), 503, "UnavailableError")
    assert told.keys() == {"status", "catalog", "store"}
    assert told["status"] == "unavailable"


def form(parts: Sequence[bytes], boundary: str = BOUNDARY) -> bytes:
    """A multipart form of parts that are complete but for the boundary."""
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + part + b"\r\n" for part in parts) + line + b"--\r\n"


def file_part(field: str, name: str | bytes, content: bytes, content_type: str = "image/jpeg") -> bytes:
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    quoted = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    head = b'Content-Disposition: form-data; name="' + field.encode() + b'"; filename="' + quoted + b'"\r\n'
    return head + b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + content


def field_part(field: str, value: str | bytes) -> bytes:
    raw = value if isinstance(value, bytes) else value.encode()
    return b'Content-Disposition: form-data; name="' + field.encode() + b'"\r\n\r\n' + raw


def path_of(url: str) -> str:
    return urlsplit(url).path


def _header_lines(headers: Mapping[str, str]) -> bytes:
    return b"".join(f"{name}: {value}\r\n".encode("latin-1") for name, value in headers.items()) + b"\r\n"


def _lowered(headers: Mapping[str, Any]) -> dict[str, str]:
    return {name.lower(): value if isinstance(value, str) else ", ".join(value) for name, value in headers.items()}
