"""Where signed URLs lead, held against where AWS's own library leads in each kind of region."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from chalicelib.sigv4 import Credentials
from chalicelib.storage.s3_presign import S3Presigner


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "cn-northwest-1", "us-gov-west-1"])
def test_tickets_and_urls_lead_where_aws_does(region: str) -> None:
    session = boto3.Session("AKIAKEY", "secret", region_name=region)
    options: Any = {
        "s3": {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
        "ignore_configured_endpoint_urls": True,
    }
    theirs = session.client("s3", config=Config(signature_version="s3v4", **options))
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ours = S3Presigner("pictures", region, None, lambda: Credentials("AKIAKEY", "secret", None), lambda: moment)
    ticket = ours.ticket("incoming/" + "0" * 36, 1, moment + timedelta(hours=1))
    url = ours.url("originals/" + "0" * 32, "image/png", "a.png", "inline")
    expected = urlsplit(theirs.generate_presigned_url("get_object", {"Bucket": "pictures", "Key": "any"}))
    assert {urlsplit(address)[:2] for address in (ticket.url, url)} == {expected[:2]}
