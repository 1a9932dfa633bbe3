"""Tokens for the database, held against the ones that AWS's own library makes."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest

from chalicelib.sigv4 import Credentials, rds_token

HOST = "images.cluster-abc.eu-central-1.rds.amazonaws.com"
KEY = "a+secret/with=signs"


@pytest.mark.parametrize("session_token", [None, "a+token/of==a session"])
@pytest.mark.parametrize("user", ["image_repo", "somebody else@here"])
def test_a_token_is_the_one_that_aws_makes(session_token: str | None, user: str) -> None:
    client: Any = boto3.Session("AKIAKEY", KEY, session_token).client("rds", region_name="eu-central-1")
    theirs = parts(client.generate_db_auth_token(HOST, 3306, user))
    made_at = datetime.strptime(theirs["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    ours = rds_token(Credentials("AKIAKEY", KEY, session_token), "eu-central-1", HOST, 3306, user, made_at)
    assert ours.startswith(f"{HOST}:3306/?")
    assert parts(ours) == theirs


def parts(token: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(f"https://{token}").query, strict_parsing=True))
