"""Log lines for machines: whole, parsable, and impossible to forge."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws import telemetry


def line(message: str, *arguments: object, **fields: Any) -> dict[str, Any]:
    record = logging.LogRecord("any.logger", logging.INFO, "file.py", 1, message, arguments, None)
    if fields:
        record.fields = fields
    text = telemetry.JsonFormatter().format(record)
    assert "\n" not in text
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@given(st.text())
def test_any_text_of_a_client_stays_within_its_line(text: str) -> None:
    assert line("named %s", text, name=text)["message"] == f"named {text}"


def test_a_record_that_counts_nothing_has_no_metrics() -> None:
    assert "_aws" not in line("just words", upload_id="x")


def test_metrics_name_their_units_and_dimensions() -> None:
    context = SimpleNamespace(aws_request_id="r-1", function_name="ingest")
    with telemetry.invocation(context):
        counted = line("done", outcome="stored", uploads=1, bytes=5)
    assert (counted["function"], counted["request_id"]) == ("ingest", "r-1")
    directives = {tuple(directive["Dimensions"][0]): directive["Metrics"] for directive in counted["_aws"]["CloudWatchMetrics"]}
    assert directives == {
        ("function",): [{"Name": "bytes", "Unit": "Bytes"}],
        ("function", "outcome"): [{"Name": "uploads", "Unit": "Count"}],
    }


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", "1-5759e988-bd862e3fe1be46a994272793"),
        ("Self=1-1-1;Root=1-67891233-abcdef012345678912345678", "1-67891233-abcdef012345678912345678"),
        ("", None),
        ("Parent=53995c3f42cd8ad8", None),
    ],
)
def test_records_name_the_trace_that_they_belong_to(monkeypatch: pytest.MonkeyPatch, header: str, trace: str | None) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    assert line("asked").get("trace_id") == trace


def test_records_outside_an_invocation_name_none() -> None:
    assert "request_id" not in line("alone", uploads=1)


def test_an_exception_is_told_in_its_line() -> None:
    try:
        int("no number")
    except ValueError:
        record = logging.LogRecord("any", logging.ERROR, "file.py", 1, "failed", (), sys.exc_info())
    parsed = json.loads(telemetry.JsonFormatter().format(record))
    assert parsed["exception"].startswith("Traceback")
    assert "ValueError: " in parsed["exception"]
