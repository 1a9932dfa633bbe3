"""What AWS calls besides the API: the queue's messages, the clock, and the operator. Unwrap, call, no logic."""

import json
from collections.abc import Callable
from typing import Any

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from chalicelib import runtime
from chalicelib.errors import BadRequestError
from chalicelib.services.sweep import Place, Report

#: A sweep ends this long before its function would be ended, in milliseconds: a slice may take so long.
_LAST_CALL = 120_000

Json = dict[str, Any]

blueprint = Blueprint(__name__)


# Chalice puts the name into an ARN that CloudFormation fills in: what the queue is called is the stack's choice.
@blueprint.on_sqs_message(queue="${IngestQueue.QueueName}", batch_size=1, name="ingest")
def ingest(event: SQSEvent) -> None:
    """Take in the objects that S3's notifications name; raising leaves the message in the queue."""
    for record in event:
        runtime.current().ingest.handle(json.loads(record.body))


@blueprint.schedule(Rate(6, Rate.HOURS), name="sweep")
def sweep(event: CloudWatchEvent) -> Json:
    return _answer(runtime.current().sweep.run(time_is_up=_last_call(event.context)))


@blueprint.lambda_function(name="admin")
def admin(event: Json, context: Any) -> Json:
    """What an operator invokes by hand: `{"command": "migrate"}`, or `{"command": "sweep"}` with `dry_run` (true or false)
    and `start` (the `stopped_at` of a run that was cut off)."""
    current = runtime.current()
    if event == {"command": "migrate"}:
        current.migrate()
        return {"done": "The catalog is up to date."}
    if event.get("command") == "sweep" and event.keys() <= {"command", "dry_run", "start"}:
        start = Place(**event["start"]) if event.get("start") else None
        dry_run = event.get("dry_run", False) is True
        return _answer(current.sweep.run(dry_run=dry_run, start=start, time_is_up=_last_call(context)))
    raise BadRequestError('The commands are {"command": "migrate"} and {"command": "sweep", "dry_run": true}.')


def _last_call(context: Any) -> Callable[[], bool]:
    return lambda: int(context.get_remaining_time_in_millis()) < _LAST_CALL


def _answer(report: Report) -> Json:
    place = report.stopped_at
    return {
        "done": dict(report.done),
        "problems": report.problems,
        "stopped_at": {"step": place.step, "after": place.after} if place else None,
    }
