"""What the queue brings to the ingest function: late, twice, nonsense, and through faults of the database."""

import json
from typing import Any

import pytest

from tests import pictures
from tests.databases import MariaDb
from tests.deployed.client import QUEUES, Stack, client, post, redrive, scheduled_sweep, until

pytestmark = pytest.mark.usefixtures("impatient_queue")


def notification(*keys: str) -> dict[str, Any]:
    record = {"eventName": "ObjectCreated:Post", "eventTime": "2026-01-01T00:00:00.000Z"}
    return {"Records": [{**record, "s3": {"bucket": {"name": "any"}, "object": {"key": key}}} for key in keys]}


def send(stack: Stack, message: Any) -> None:
    """To both functions, each of which may get what is the other's."""
    for queue in QUEUES:
        client("sqs").send_message(QueueUrl=stack.outputs[queue], MessageBody=json.dumps(message))


def settled(stack: Stack) -> bool:
    """Whether the queues are empty and nothing in them was given up."""
    until(stack.waiting, lambda count: count == 0)
    return stack.waiting("DeadLetterQueueUrl") == 0


def test_an_event_delivered_twice_changes_nothing(stack: Stack) -> None:
    [ticket] = stack.ask(("twice.png", pictures.png(300)))
    assert post(ticket, pictures.png(300)).status_code == 204
    ended = stack.ended(ticket["upload_id"])
    before = stack.objects()
    send(stack, notification(ticket["fields"]["key"], f"decoded/{ticket['upload_id']}"))
    assert settled(stack)
    assert stack.status(ticket["upload_id"]) == ended
    assert stack.objects() == before


def test_events_that_are_about_nothing_are_done_with(stack: Stack) -> None:
    send(stack, {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "any"})
    send(stack, notification("incoming/" + "0" * 36, "incoming%2F" + "1" * 36, "originals/x", "incoming/%C3%A9+%00"))
    send(stack, notification("decoded/" + "0" * 36, "decoded/" + "0" * 32, "incoming/" + "0" * 32))
    send(stack, {"Records": []})
    assert settled(stack)


def test_an_event_of_several_records_with_encoded_keys_takes_each_in(stack: Stack) -> None:
    """S3 sends one record at a time today, and says that it may send more."""
    files = [("one.png", pictures.png(301)), ("two.png", pictures.png(302))]
    tickets = stack.ask(*files)
    for ticket, (_, content) in zip(tickets, files, strict=True):
        assert post(ticket, content).status_code == 204
    keys = [ticket["fields"]["key"].replace("/", "%2F") for ticket in tickets]
    send(stack, notification(*keys, *keys))
    assert [stack.ended(ticket["upload_id"])["status"] for ticket in tickets] == ["stored", "stored"]
    assert settled(stack)


def test_a_second_post_to_a_ticket_has_no_effect(stack: Stack) -> None:
    content, other = pictures.encoded(pictures.image(303), "BMP"), pictures.encoded(pictures.image(304), "BMP")
    [ticket] = stack.ask(("posted twice.bmp", content))
    assert post(ticket, content).status_code == 204
    ended = stack.ended(ticket["upload_id"])
    assert post(ticket, other).status_code == 204
    until(lambda: stack.objects("incoming/") + stack.objects("decoded/"), lambda found: not found)
    assert stack.status(ticket["upload_id"]) == ended


def test_one_ticket_posted_to_again_and_again_does_not_fill_the_bucket(stack: Stack) -> None:
    content = pictures.encoded(pictures.image(306), "BMP")
    [ticket] = stack.ask(("posted often.bmp", content))
    for _ in range(5):
        assert post(ticket, content).status_code == 204
    assert stack.ended(ticket["upload_id"])["status"] == "stored"
    bucket, key = stack.outputs["ImageBucket"], ticket["fields"]["key"]

    def versions() -> int:
        return len(client("s3").list_object_versions(Bucket=bucket, Prefix=key).get("Versions", []))

    assert post(ticket, content).status_code == 204
    assert until(versions, lambda count: count <= 1) <= 1
    until(lambda: stack.objects("incoming/"), lambda found: not found)
    assert settled(stack)


def test_uploads_survive_a_database_that_is_down(stack: Stack, database: MariaDb) -> None:
    """Its message ends among the dead letters, its bytes stay, and sent back to the queue it is taken in."""
    content = pictures.png(305)
    [ticket] = stack.ask(("through the fault.png", content))
    database.stop()
    try:
        answer = stack.request("GET", "/image/list")
        assert (answer.status_code, answer.json()["Code"]) == (503, "UnavailableError"), answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert post(ticket, content).status_code == 204
        until(lambda: stack.waiting("DeadLetterQueueUrl"), lambda count: count == 1)
        assert stack.objects("incoming/") == [ticket["fields"]["key"]]
    finally:
        database.start()
    assert until(lambda: stack.request("GET", "/health").status_code, lambda status: status == 200) == 200
    # Its fifth delivery may still be at work when the letter is there, and then even succeed.
    until(lambda: stack.status(ticket["upload_id"])["status"], lambda status: status in ("pending", "stored"))
    redrive(stack)
    assert stack.ended(ticket["upload_id"])["status"] == "stored"
    assert settled(stack)


def test_an_operators_sweep_finds_nothing_wrong(stack: Stack) -> None:
    report = stack.admin(command="sweep", dry_run=True)
    assert report["problems"] == []
    assert report["stopped_at"] is None


def test_the_scheduled_sweep_runs_to_its_end() -> None:
    report = scheduled_sweep()
    assert (report["problems"], report["stopped_at"]) == ([], None)
