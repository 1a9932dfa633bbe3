"""Logs that machines read: one JSON object a line, and in it, where a record counts something, metrics for CloudWatch.

A record's `fields` (`extra={"fields": {...}}`) become members of its line; those that are named below become metrics too, in
CloudWatch's embedded metric format. On a laptop nothing of this is loaded and the messages alone are shown.

Our own: aws-lambda-powertools, which does the same and more, takes about 100 ms to import, at every cold start.
"""

import itertools
import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from chalicelib.settings import trace_id

NAMESPACE = "ImageRepository"

#: Units of the metrics, by the dimensions that they are told apart by.
_METRICS: Mapping[tuple[str, ...], Mapping[str, str]] = {
    ("function",): {
        "bytes": "Bytes",
        "decode_ms": "Milliseconds",
        "ingest_ms": "Milliseconds",
        "queue_delay_ms": "Milliseconds",
        "stored_after_ms": "Milliseconds",
        "broken_invariants": "Count",
        "cold_starts": "Count",
    },
    ("function", "outcome"): {"uploads": "Count"},
}

#: One for the first invocation of this process, nothing for all later ones.
_cold_starts = itertools.chain((1,), itertools.repeat(0))

_invocation: ContextVar[Mapping[str, str] | None] = ContextVar("invocation", default=None)
_ended: ContextVar[dict[str, Any] | None] = ContextVar("ended", default=None)

log = logging.getLogger(__name__)


def configure() -> None:
    """Send every record of this process to standard output, as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """Mark every record within as that of one invocation, and log its end, with what was noted meanwhile.

    `context` is Lambda's. The outcome is `fault` where the body raises, else `done`.
    """
    began = time.monotonic()
    ended: dict[str, Any] = {"outcome": "fault", "cold_starts": next(_cold_starts)}
    marked = _invocation.set({"request_id": context.aws_request_id, "function": context.function_name})
    noted = _ended.set(ended)
    try:
        yield
        ended["outcome"] = "done"
    finally:
        ended["duration_ms"] = round((time.monotonic() - began) * 1000)
        log.info("ended: %s", ended["outcome"], extra={"fields": ended})
        _ended.reset(noted)
        _invocation.reset(marked)


def note(**fields: Any) -> None:
    """Have these fields logged with the end of this invocation."""
    ended = _ended.get()
    if ended is not None:
        ended |= fields


class JsonFormatter(logging.Formatter):
    """One line for each record; clients' texts in it are escaped, so that no line can be forged."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_invocation.get() or {}),
            **({"trace_id": trace} if (trace := trace_id()) else {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        metrics = _metrics(line)
        if metrics:
            line["_aws"] = {"Timestamp": int(record.created * 1000), "CloudWatchMetrics": metrics}
        return json.dumps(line, default=str)


def _metrics(line: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "Namespace": NAMESPACE,
            "Dimensions": [dimensions],
            "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items() if name in line],
        }
        for dimensions, units in _METRICS.items()
        if line.keys() & units.keys() and line.keys() >= set(dimensions)
    ]
