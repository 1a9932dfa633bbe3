"""Which account boto3 finds: in the environment, and in the session that it keeps from its first use on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import pytest


@contextmanager
def account(environment: Mapping[str, str]) -> Iterator[None]:
    """The account that these variables name, until the end; then that of before."""
    remember: Any = boto3
    before = remember.DEFAULT_SESSION
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        remember.DEFAULT_SESSION = None
        yield
    remember.DEFAULT_SESSION = before


def anybodys(url: str) -> dict[str, str]:
    """For a server that asks for no signature."""
    keys = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-central-1"}
    return {**keys, "AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "1"}
