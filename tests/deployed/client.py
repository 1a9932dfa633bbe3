"""A client of the deployed stack: plain HTTP, and what the account's owner can do."""

import base64
import io
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import boto3
import httpx

ENDED = ("stored", "duplicate", "rejected", "expired")
#: The outputs that name the queues on an upload's way.
QUEUES = ("DecodeQueueUrl", "IngestQueueUrl")
#: Longer than anything may take on a busy machine; nothing waits for it that goes well.
PATIENCE = 120.0


@dataclass(frozen=True)
class Stack:
    """The stack as deployed: where the API is, a key for it, and the outputs."""

    url: str
    key: str
    outputs: dict[str, str]

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        return httpx.request(method, self.url + path, headers=headers, timeout=PATIENCE, **options)

    def get(self, path: str) -> Any:
        answer = self.request("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
        """One answer for each file."""
        offers = [{"name": name, "size": len(content)} for name, content in files]
        answer = self.request("POST", "/image/uploads", json={"files": offers})
        assert answer.status_code == 201, answer.text
        uploads: list[dict[str, Any]] = answer.json()["uploads"]
        return uploads

    def status(self, upload_id: str) -> dict[str, Any]:
        state: dict[str, Any] = self.get(f"/image/uploads/{upload_id}")
        return state

    def ended(self, upload_id: str) -> dict[str, Any]:
        """The upload's state once it has ended."""
        state: dict[str, Any] = until(lambda: self.status(upload_id), lambda state: state["status"] in ENDED)
        return state

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Bring one file in by the client's path, and return the state it ended in."""
        [ticket] = self.ask((name, content))
        assert post(ticket, content).status_code == 204
        return self.ended(ticket["upload_id"])

    def objects(self, prefix: str = "") -> list[str]:
        """The keys of what is in the bucket now."""
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.outputs["ImageBucket"], Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def admin(self, **event: Any) -> Any:
        return invoke(self.outputs["AdminFunction"], event)

    def waiting(self, *queues: str) -> int:
        """Messages in these queues, or in the two that uploads go through; those in hand included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        urls = [self.outputs[queue] for queue in queues or QUEUES]
        found = [client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"] for url in urls]
        return sum(int(each[name]) for each in found for name in names)


def client(service: str) -> Any:
    make: Any = boto3.client  # only the stubs of S3 are installed
    return make(service)


def post(ticket: dict[str, Any], content: bytes, **changed: str) -> httpx.Response:
    """The form post that a ticket permits."""
    fields = {**ticket["fields"], **changed}
    return httpx.post(ticket["url"], data=fields, files={ticket["file_field"]: io.BytesIO(content)}, timeout=PATIENCE)


def by_form(stack: Stack, name: str, content: bytes) -> int:
    """The image that one request brings in for ann. The emulator's gateway would not pass the bytes on whole, so the function
    gets the gateway's event from here."""
    head = f'--x\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--x--\r\n"
    event = _gateway_event("POST", "/image/upload", "multipart/form-data; boundary=x", body, owner="ann", scopes="write")
    answer = until(lambda: invoke(stack.outputs["APIHandlerName"], event), lambda found: found["statusCode"] != 202)
    assert answer["statusCode"] in (200, 201), answer
    return int(json.loads(answer["body"])["id"])


def _gateway_event(method: str, path: str, content_type: str, body: bytes, **authorizer: str) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"content-type": content_type},
        "multiValueHeaders": {"content-type": [content_type]},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": path,
            "httpMethod": method,
            "path": f"/api{path}",
            "domainName": "pictures.example.org",
            "requestId": "from-a-test",
            "authorizer": authorizer,
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def invoke(function: str, event: Any) -> Any:
    """What a function answers; fails the test where the function does."""
    answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    text = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, text
    return json.loads(text)


def scheduled_sweep() -> Any:
    """What the function Sweep answers to its schedule."""
    event = {"version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
    event |= {"account": "0", "time": "2026-01-01T00:00:00Z", "region": "any", "resources": []}
    names = [function["FunctionName"] for function in client("lambda").list_functions()["Functions"]]
    [sweep] = [name for name in names if "-Sweep-" in name]
    return invoke(sweep, event)


def until(look: Callable[[], Any], good: Callable[[Any], bool], patience: float = PATIENCE) -> Any:
    """What `look` finds once that is good."""
    deadline = time.monotonic() + patience
    while not good(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found


def fetched(urls: Iterable[str]) -> list[bytes]:
    """What the store serves, to somebody without a key."""
    answers = [httpx.get(url, timeout=PATIENCE) for url in urls]
    assert all(answer.status_code == 200 for answer in answers), answers
    return [answer.content for answer in answers]


def redrive(stack: Stack) -> None:
    """What `aws sqs start-message-move-task` does, which the emulator does not know."""
    sqs, letters = client("sqs"), stack.outputs["DeadLetterQueueUrl"]
    for message in sqs.receive_message(QueueUrl=letters, MaxNumberOfMessages=10).get("Messages", []):
        came_from = QUEUES["decoded/" in message["Body"]]
        sqs.send_message(QueueUrl=stack.outputs[came_from], MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=letters, ReceiptHandle=message["ReceiptHandle"])
