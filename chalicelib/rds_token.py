"""Tokens that let an AWS role into its database in place of a password, signed here: nothing is asked over the network."""

import hmac
from datetime import datetime
from hashlib import sha256

from chalicelib.storage.sigv4 import ALGORITHM, Credentials, amz_date, canonical_query

#: The longest that AWS accepts; a token is needed only while a connection is made.
_SECONDS = 900


def rds_token(credentials: Credentials, region: str, host: str, port: int, user: str, now: datetime) -> str:
    """The password with which `user` may connect to the Aurora cluster or RDS proxy at `host`, for a quarter of an hour."""
    date = amz_date(now)
    scope = (date[:8], region, "rds-db", "aws4_request")
    parameters = [
        ("Action", "connect"),
        ("DBUser", user),
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", "/".join((credentials.access_key, *scope))),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(_SECONDS)),
        ("X-Amz-SignedHeaders", "host"),
    ]
    if credentials.token is not None:
        parameters.append(("X-Amz-Security-Token", credentials.token))
    query = canonical_query(parameters)
    address = f"{host}:{port}"
    request = f"GET\n/\n{query}\nhost:{address}\n\nhost\n{sha256(b'').hexdigest()}"
    signed = "\n".join((ALGORITHM, date, "/".join(scope), sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{address}/?{query}&X-Amz-Signature={hmac.digest(key, signed.encode(), 'sha256').hex()}"
