"""The backends that settings can name wherever the program runs: a MySQL server and an S3 bucket."""

import ssl
from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote, urlsplit

from chalicelib.catalog.database import Database
from chalicelib.settings import Settings, SettingsError
from chalicelib.sigv4 import Credentials, rds_token
from chalicelib.storage.s3 import S3Store

_MYSQL_PORT = 3306

Clock = Callable[[], datetime]


def open_database(settings: Settings, url: str, pool_size: int, clock: Clock) -> Database:
    """The database at `url`, with the TLS and the tokens that the settings ask for; nothing is connected yet."""
    return Database(
        url,
        pool_size=pool_size,
        connect_timeout=settings.database_connect_seconds,
        tls=_tls(settings) if settings.database_tls else None,
        password=_tokens(settings, url, clock) if settings.database_iam else None,
    )


def open_bucket(settings: Settings, bucket: str, clock: Clock) -> S3Store:
    """The store in `bucket`; nothing is connected yet."""
    return S3Store(bucket, settings.aws_region, clock, settings.aws_endpoint_url, _credentials(settings))


def _credentials(settings: Settings) -> Credentials | None:
    return Credentials(*settings.aws_credentials) if settings.aws_credentials else None


def _tls(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.database_ca is not None:
        try:
            context.load_verify_locations(settings.database_ca)
        except OSError as problem:
            raise SettingsError(f"DATABASE_CA cannot be read as certificates: {problem}") from problem
    return context


def _tokens(settings: Settings, url: str, clock: Clock) -> Callable[[], str]:
    """A maker of passwords. A token in clear is as good as a password, so without TLS there is none."""
    credentials, address = _credentials(settings), urlsplit(url)
    host, user = address.hostname, unquote(address.username or "")
    if credentials is None or host is None or not user or not settings.database_tls:
        raise SettingsError("DATABASE_IAM needs DATABASE_TLS=true, AWS credentials, and a DATABASE_URL with a host and a user.")
    port = address.port or _MYSQL_PORT
    return lambda: rds_token(credentials, settings.aws_region, host, port, user, clock())
