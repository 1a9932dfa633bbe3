"""Each function can do its work, as the other tests show, and nothing more, as these do under its own role."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.deployed.client import Stack, client
from tests.deployed.roles import TRYING, Session, roles, session_with

FUNCTIONS = ("APIHandler", "CheckKey", "Decode", "Ingest", "Sweep", "Admin")
UPLOAD = "incoming/" + "0" * 36
FINDING = "decoded/" + "0" * 36
ORIGINAL = f"originals/{'0' * 36}-1"
REPOSITORY_ID = "repository-id"
THUMBNAIL = f"thumbnails/{'0' * 36}-1/256.jpg"


@pytest.fixture(scope="module")
def sessions(stack: Stack) -> dict[str, Session]:
    """Somebody with the role of each function."""
    assert stack.outputs
    return {function: session_with(role, TRYING) for function, role in roles().items()}


def test_every_function_has_a_role_of_its_own(sessions: dict[str, Session]) -> None:
    assert sorted(sessions) == sorted(FUNCTIONS)
    roles = {session.client("sts").get_caller_identity()["Arn"] for session in sessions.values()}
    assert len(roles) == len(FUNCTIONS)


def s3(method: str, key: str, **more: Any) -> Callable[[Session, Stack], Any]:
    def attempt(session: Session, stack: Stack) -> Any:
        return getattr(session.client("s3"), method)(Bucket=stack.outputs["ImageBucket"], Key=key, **more)

    return attempt


def sqs(method: str, queue: str = "IngestQueueUrl", **more: Any) -> Callable[[Session, Stack], Any]:
    def attempt(session: Session, stack: Stack) -> Any:
        return getattr(session.client("sqs"), method)(QueueUrl=stack.outputs[queue], **more)

    return attempt


def invoke_admin(session: Session, stack: Stack) -> Any:
    event = json.dumps({"command": "list-keys"}).encode()
    functions = session.client("lambda", config=Config(retries={"total_max_attempts": 1}))
    return functions.invoke(FunctionName=stack.outputs["AdminFunction"], Payload=event)


def take_the_bucket(session: Session, stack: Stack) -> Any:
    return session.client("s3").put_bucket_policy(Bucket=stack.outputs["ImageBucket"], Policy="{}")


def list_the_bucket(session: Session, stack: Stack) -> Any:
    return session.client("s3").list_objects_v2(Bucket=stack.outputs["ImageBucket"], Prefix="incoming/")


def read_code(session: Session, _stack: Stack) -> Any:
    return session.client("s3").list_objects_v2(Bucket="code")


@pytest.mark.parametrize(
    ("function", "attempt"),
    [
        ("APIHandler", s3("get_object", UPLOAD)),
        ("APIHandler", s3("delete_object", UPLOAD)),
        ("APIHandler", s3("put_object", ORIGINAL, Body=b"")),
        ("APIHandler", s3("put_object", "elsewhere", Body=b"")),
        ("APIHandler", s3("get_object", REPOSITORY_ID)),
        ("APIHandler", s3("put_object", REPOSITORY_ID, Body=b"")),
        ("APIHandler", sqs("receive_message")),
        ("APIHandler", sqs("send_message", MessageBody="{}")),
        ("CheckKey", s3("get_object", ORIGINAL)),
        ("CheckKey", s3("get_object", REPOSITORY_ID)),
        ("CheckKey", s3("put_object", UPLOAD, Body=b"")),
        ("CheckKey", sqs("receive_message")),
        ("Decode", list_the_bucket),
        ("Decode", s3("put_object", UPLOAD, Body=b"")),
        ("Decode", s3("delete_object", UPLOAD)),
        ("Decode", s3("get_object", FINDING)),
        ("Decode", s3("delete_object", FINDING)),
        ("Decode", s3("get_object", ORIGINAL)),
        ("Decode", s3("get_object", THUMBNAIL)),
        ("Decode", s3("put_object", ORIGINAL, Body=b"")),
        ("Decode", s3("put_object", THUMBNAIL, Body=b"")),
        ("Decode", s3("get_object", REPOSITORY_ID)),
        ("Decode", sqs("receive_message")),
        ("Decode", sqs("send_message", "DecodeQueueUrl", MessageBody="{}")),
        ("Ingest", s3("put_object", FINDING, Body=b"")),
        ("Ingest", sqs("receive_message", "DecodeQueueUrl")),
        ("Ingest", s3("get_object", ORIGINAL)),
        ("Ingest", s3("delete_object", REPOSITORY_ID)),
        ("Ingest", sqs("send_message", MessageBody="{}")),
        ("Ingest", sqs("purge_queue")),
        ("Sweep", s3("put_object", "elsewhere", Body=b"")),
        ("Sweep", sqs("receive_message")),
        ("Admin", s3("put_object", "elsewhere", Body=b"")),
        ("Admin", sqs("delete_message", ReceiptHandle="x")),
        *((function, attempt) for function in FUNCTIONS for attempt in (invoke_admin, take_the_bucket, read_code)),
    ],
)
def test_a_role_does_not_reach_beyond_its_function(
    sessions: dict[str, Session], stack: Stack, function: str, attempt: Callable[[Session, Stack], Any]
) -> None:
    with pytest.raises(ClientError) as refused:
        attempt(sessions[function], stack)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, refused.value
    assert "Denied" in refused.value.response["Error"]["Code"], refused.value


def test_what_the_roles_may_do_is_not_refused(sessions: dict[str, Session], stack: Stack) -> None:
    """So that a refusal above says something about the deed, not about the session."""
    s3("put_object", UPLOAD, Body=b"x")(sessions["APIHandler"], stack)
    assert s3("get_object", UPLOAD)(sessions["Decode"], stack)["Body"].read() == b"x"
    with suppress(client("s3").exceptions.NoSuchKey):  # which is no refusal: Ingest may have been quicker to put it away
        s3("put_object", FINDING, Body=b"y")(sessions["Decode"], stack)
        s3("get_object", FINDING)(sessions["Ingest"], stack)
    assert s3("get_object", UPLOAD)(sessions["Ingest"], stack)["Body"].read() == b"x"
    s3("delete_object", FINDING)(sessions["Ingest"], stack)
    for key in (ORIGINAL, THUMBNAIL):  # a sweep copies what the release before stored once for several owners
        s3("put_object", key, Body=b"x")(sessions["Sweep"], stack)
        assert s3("get_object", key)(sessions["Sweep"], stack)["Body"].read() == b"x"
    s3("delete_object", ORIGINAL)(sessions["Sweep"], stack)
    s3("delete_object", THUMBNAIL)(sessions["APIHandler"], stack)
    s3("delete_object", UPLOAD)(sessions["Sweep"], stack)
