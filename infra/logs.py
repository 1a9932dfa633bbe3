"""`make logs`: what the functions of a stack have logged in the last minutes, in the order of time."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import boto3


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.logs")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--pattern", default="", help="CloudWatch's filter pattern, such as '{ $.level = \"ERROR\" }'")
    chosen = parser.parse_args(arguments)
    since = int(time.time() - 60 * chosen.minutes) * 1000
    for _, group, message in sorted(_messages(chosen.stack, since, chosen.pattern)):
        print(f"{group}: {message}")
    return 0


def _messages(stack: str, since: int, pattern: str) -> Iterator[tuple[int, str, str]]:
    """When, in which group, and what."""
    make: Any = boto3.client  # only the stubs of S3 are installed
    logs = make("logs")
    asked = {"filterPattern": pattern} if pattern else {}
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/{stack}/"):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name, startTime=since, **asked):
                yield from ((each["timestamp"], name.rpartition("/")[2], each["message"].rstrip()) for each in events["events"])


if __name__ == "__main__":
    sys.exit(main())
