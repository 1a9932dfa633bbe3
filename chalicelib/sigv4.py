"""AWS Signature Version 4, as far as it is needed: signed URLs, POST policies, tokens for a database.

The laptop's store signs its own URLs the same way. Written out because a function that only signs would otherwise pay for
loading botocore, which takes longer than its whole cold start, and 10 to 60 times as much per URL.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote

ALGORITHM = "AWS4-HMAC-SHA256"
#: Who holds a signed URL keeps it usable for at least half and at most all of this many seconds.
URL_SECONDS = 7200
_WINDOW_SECONDS = URL_SECONDS // 2
#: What is fetched by a signed URL may be shown again without asking for as long as the URL stays the same.
CACHE_CONTROL = f"private, max-age={_WINDOW_SECONDS}, immutable"
#: The longest that AWS accepts for a database's token, which is needed only while a connection is made.
_TOKEN_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys to sign with; `token` belongs to temporary ones."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def amz_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def window_start(now: datetime) -> datetime:
    """The time to date a URL with, so that all URLs signed within one window are the same and browsers can cache them."""
    return datetime.fromtimestamp(now.timestamp() // _WINDOW_SECONDS * _WINDOW_SECONDS, UTC)


def scope(date: str, region: str, service: str = "s3") -> str:
    """The credential scope; `date` begins with the day as `YYYYMMDD`."""
    return f"{date[:8]}/{region}/{service}/aws4_request"


def canonical_query(parameters: Iterable[tuple[str, str]]) -> str:
    """The parameters encoded and ordered the one way that a signature covers."""
    pairs = [(quote(name, "", errors="replace"), quote(value, "", errors="replace")) for name, value in parameters]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def sign(secret_key: str, date: str, region: str, text: str, service: str = "s3") -> str:
    """The signature of `text`, which is a string to sign or a POST policy."""
    secret = _signing_key(secret_key, scope(date, region, service))
    return hmac.digest(secret, text.encode("utf-8", "replace"), "sha256").hex()


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, scope: str) -> bytes:
    signing = ("AWS4" + secret_key).encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode("utf-8", "replace"), "sha256")
    return signing


def presigned_get(
    credentials: Credentials, region: str, host: str, path: str, date: str, disposition: str, content_type: str
) -> str:
    """The query that permits a GET of the (already encoded) path and has it served with these headers."""
    # In the order that the signature asks for; what is the same for every URL comes first, and is encoded once.
    same = _same_for_all(credentials, region, date)
    query = f"{same}&response-content-disposition={quote(disposition, '')}&response-content-type={quote(content_type, '')}"
    request = f"GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"{ALGORITHM}\n{date}\n{scope(date, region)}\n{digest}"
    return f"{query}&X-Amz-Signature={sign(credentials.secret_key, date, region, text)}"


@lru_cache(maxsize=8)
def _same_for_all(credentials: Credentials, region: str, date: str) -> str:
    parameters = [
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key}/{scope(date, region)}"),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(URL_SECONDS)),
        ("X-Amz-SignedHeaders", "host"),
        ("response-cache-control", CACHE_CONTROL),
    ]
    if credentials.token is not None:
        parameters.append(("X-Amz-Security-Token", credentials.token))
    return canonical_query(parameters)


def post_fields(
    credentials: Credentials, region: str, bucket: str, key: str, size: int, expires_at: datetime, now: datetime
) -> dict[str, str]:
    """The form fields that permit one POST of exactly `size` bytes to exactly `key`."""
    date = amz_date(now)
    fields = {
        "key": key,
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{credentials.access_key}/{scope(date, region)}",
        "x-amz-date": date,
    }
    if credentials.token is not None:
        fields["x-amz-security-token"] = credentials.token
    conditions = [{"bucket": bucket}, *({name: value} for name, value in fields.items()), ["content-length-range", size, size]]
    expiration = expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    document = json.dumps({"expiration": expiration, "conditions": conditions}, separators=(",", ":"))
    policy = base64.b64encode(document.encode()).decode()
    return fields | {"policy": policy, "x-amz-signature": sign(credentials.secret_key, date, region, policy)}


def rds_token(credentials: Credentials, region: str, host: str, port: int, user: str, now: datetime) -> str:
    """The password with which `user` may connect to the Aurora cluster or RDS proxy at `host`, for a quarter of an hour."""
    date = amz_date(now)
    parameters = [
        ("Action", "connect"),
        ("DBUser", user),
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{credentials.access_key}/{scope(date, region, 'rds-db')}"),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(_TOKEN_SECONDS)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    if credentials.token is not None:
        parameters.append(("X-Amz-Security-Token", credentials.token))
    query, address = canonical_query(parameters), f"{host}:{port}"
    request = f"GET\n/\n{query}\nhost:{address}\n\nhost\n{hashlib.sha256(b'').hexdigest()}"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"{ALGORITHM}\n{date}\n{scope(date, region, 'rds-db')}\n{digest}"
    return f"{address}/?{query}&X-Amz-Signature={sign(credentials.secret_key, date, region, text, 'rds-db')}"
