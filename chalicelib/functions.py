"""What AWS calls besides the API: the queues' messages, the clock, and the operator. Unwrap, call, no logic."""

import functools
import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from chalice.app import Blueprint, CloudWatchEvent, Rate, SQSEvent

from chalicelib import runtime, settings
from chalicelib.aws import telemetry
from chalicelib.errors import BadRequestError, UnavailableError
from chalicelib.model.records import ApiKey, Checkpoint, Scope
from chalicelib.repository import Repository
from chalicelib.services.sweep_report import Report
from chalicelib.services.sweep_steps import Steps

if TYPE_CHECKING:
    from chalicelib.services.decode import Decode

#: A sweep ends this long before its function would be ended, in milliseconds: a slice may take so long.
_LAST_CALL = 120_000

Json = dict[str, Any]
T = TypeVar("T")

blueprint = Blueprint(__name__)


def invoked(prepare: Callable[[], object]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Around every function: its log lines say whose they are, and its end is told, with what it noted.

    `prepare` puts together what it works with; from there on logs are JSON. A decorator, because chalice's middleware does not
    reach the functions of a blueprint: Lambda loads this module alone.
    """

    def around(run: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(run)
        def marked(event: Any, *context: Any) -> T:
            prepare()
            with telemetry.invocation(context[0] if context else event.context):
                return run(event, *context)

        return marked

    return around


@functools.cache
def _decode() -> "Decode":
    """The one service that knows no catalog; no other function loads it."""
    from chalicelib.aws import decoding

    return decoding.compose(settings.from_env())


# Chalice puts the name into an ARN that CloudFormation fills in: what a queue is called is the stack's choice.
@blueprint.on_sqs_message(queue="${DecodeQueue.QueueName}", batch_size=1, name="decode")
@invoked(_decode)
def decode(event: SQSEvent) -> None:
    """Decode the objects in `incoming/` that S3's notifications name; raising leaves the message in the queue."""
    for record in event:
        _decode().handle(json.loads(record.body))


@blueprint.on_sqs_message(queue="${IngestQueue.QueueName}", batch_size=1, name="ingest")
@invoked(runtime.current)
def ingest(event: SQSEvent) -> None:
    """Take in what S3's notifications say has been decoded; raising leaves the message in the queue."""
    current = _settled()
    for record in event:
        current.ingest.handle(json.loads(record.body))


@blueprint.schedule(Rate(6, Rate.HOURS), name="sweep")
@invoked(runtime.current)
def sweep(event: CloudWatchEvent) -> Json:
    """Go on where the run before had no more time, so that every step gets its turn however large the catalog is."""
    report = _settled().sweep.go_on(_last_call(event.context))
    answer = _answer(report)
    telemetry.note(broken_invariants=len(report.problems), **answer)
    if report.fault:  # it ends as a failure, for the alarm; what was done is in the log
        raise UnavailableError(report.fault)
    return answer


@blueprint.lambda_function(name="admin")
@invoked(runtime.current)
def admin(event: Json, context: Any) -> Json:
    """What an operator invokes by hand; an event names a `command` and its arguments, and no others."""
    arguments = dict(event)
    name = arguments.pop("command", None)
    if not isinstance(name, str) or name not in _COMMANDS:
        raise BadRequestError(f"The commands are {', '.join(_COMMANDS)}.")
    telemetry.note(command=name)
    command = _COMMANDS[name]
    try:
        inspect.signature(command).bind(context, **arguments)
    except TypeError as problem:
        raise BadRequestError(f"The command {name} does not take this: {problem}.") from None
    return command(context, **arguments)


def _migrate(_context: Any) -> Json:
    """The one command that does not ask whether catalog and store belong together: it comes before the roles that may."""
    runtime.current().migrate()
    return {"done": "The catalog is up to date."}


def _adopt(_context: Any, confirm: bool = False) -> Json:
    belonging = runtime.current().belonging
    if belonging.is_settled():
        return {"done": "Nothing: they belong together already."}
    if not confirm:
        return {"would": belonging.prospect(), "to_do_it": {"command": "adopt", "confirm": True}}
    belonging.adopt()
    return {"done": f"From now on {belonging.sides} belong together."}


def _sweep(
    context: Any,
    dry_run: bool = False,
    start: dict[str, str] | None = None,
    all: bool = False,  # noqa: A002 - the word that operators write
) -> Json:
    """`start` is the `stopped_at` of a run that was cut off."""
    current = _looked_at() if dry_run else _settled()
    checkpoint = _checkpoint(start) if start else None
    return _answer(current.sweep.run(dry_run=dry_run, start=checkpoint, time_is_up=_last_call(context), remove_all=all))


def _checkpoint(start: dict[str, str]) -> Checkpoint:
    if start.keys() != {"step", "after"} or start["step"] not in Steps.names:
        raise BadRequestError("`start` is the `stopped_at` that a sweep of this release answered.")
    return Checkpoint(**start)


def _create_key(_context: Any, owner: str, scopes: list[Scope]) -> Json:
    """The only time that the key itself is shown."""
    api_key, text = _settled().access.create(owner, scopes)
    return {"id": api_key.id, "key": text}


def _list_keys(_context: Any) -> Json:
    return {"keys": [_shown(api_key) for api_key in _looked_at().access.all()]}


def _revoke_key(_context: Any, id: str) -> Json:  # noqa: A002 - the word that operators write
    _settled().access.revoke(id)
    return {"done": "The key is revoked."}


def _settled() -> Repository:
    """For what changes something."""
    runtime.current().belonging.settle_once()
    return runtime.current()


def _looked_at() -> Repository:
    """For what only looks, and must leave even the repository's id as it is."""
    runtime.current().belonging.look()
    return runtime.current()


_COMMANDS: dict[str, Callable[..., Json]] = {
    "migrate": _migrate,
    "adopt": _adopt,
    "sweep": _sweep,
    "create-key": _create_key,
    "list-keys": _list_keys,
    "revoke-key": _revoke_key,
}


def _shown(api_key: ApiKey) -> Json:
    revoked = api_key.revoked_at.isoformat() if api_key.revoked_at else None
    return {
        "id": api_key.id,
        "owner": api_key.owner,
        "scopes": api_key.scopes,
        "created": api_key.created_at.isoformat(),
        "revoked": revoked,
    }


def _last_call(context: Any) -> Callable[[], bool]:
    return lambda: int(context.get_remaining_time_in_millis()) < _LAST_CALL


def _answer(report: Report) -> Json:
    stopped = report.stopped_at
    return {
        "done": dict(report.done),
        "problems": report.problems,
        "stopped_at": {"step": stopped.step, "after": stopped.after} if stopped else None,
        "fault": report.fault,
    }
