"""What an operator sees of the running stack: logs that machines read, with metrics in them and no secrets."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import pictures
from tests.deployed.client import Stack, client, until
from tests.deployed.conftest import STACK


def lines(group: str) -> Iterator[str]:
    for page in client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/{STACK}/{group}"):
        for event in page["events"]:
            yield from event["message"].splitlines()


def records(group: str) -> list[dict[str, Any]]:
    """Those lines that are ours: the runtime writes some of its own."""
    return [json.loads(line) for line in lines(group) if line.startswith("{")]


def test_every_upload_leaves_one_record_with_its_metrics(stack: Stack) -> None:
    content = pictures.png(400)
    [ticket] = [stack.upload("watched.png", content)["upload_id"]]

    def ended() -> list[dict[str, Any]]:
        return [record for record in records("ingest") if record.get("upload_id") == ticket and "uploads" in record]

    [record] = until(ended, bool)
    assert (record["outcome"], record["bytes"], record["uploads"]) == ("stored", len(content), 1)
    assert record["ingest_ms"] > 0
    assert record["queue_delay_ms"] >= 0
    assert record["stored_after_ms"] > -1000, "S3 tells whole seconds"
    assert record["request_id"]
    metrics = {
        (metric["Name"], *directive["Dimensions"][0])
        for directive in record["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    expected = {
        ("uploads", "function", "outcome"),
        *((name, "function") for name in ("bytes", "ingest_ms", "queue_delay_ms", "stored_after_ms")),
    }
    assert metrics == expected


def test_every_request_leaves_one_record(stack: Stack) -> None:
    def asked() -> list[dict[str, Any]]:
        return [record for record in records("api") if record.get("route") == "/image/list" and record.get("status") == 400]

    before = len(asked())
    assert stack.request("GET", "/image/list?surely=unknown").status_code == 400
    record = until(asked, lambda found: len(found) > before)[-1]
    assert (record["method"], record["owner"]) == ("GET", "ann")
    assert record["duration_ms"] >= 0
    assert record["request_id"]


@pytest.mark.parametrize("group", ["api", "decode", "ingest", "admin"])
def test_no_key_signature_or_password_reaches_a_log(stack: Stack, group: str) -> None:
    image = stack.upload("secret.png", pictures.png(401))["image_id"]
    stack.get(f"/image/{image}/details")
    stack.get("/image/list")
    text = "\n".join(lines(group))
    assert text
    for secret in (stack.key, stack.key.split("_", 2)[2], "X-Amz-Signature", "x-amz-security-token", "mysql+pymysql"):
        assert secret not in text
