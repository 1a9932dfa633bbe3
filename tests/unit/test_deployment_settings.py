"""The settings that a deployed repository is made from, and what is refused before it starts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chalice.app import Request

from chalicelib import backends, repository, runtime
from chalicelib.api.http import public_url
from chalicelib.settings import Settings, SettingsError, from_env

LAMBDA = {
    "AWS_LAMBDA_FUNCTION_NAME": "any",
    "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "very secret",
    "AWS_SESSION_TOKEN": "token",
    "IMAGE_BUCKET": "pictures",
    "DATABASE_URL": "mysql+pymysql://image_repo@database.example/image_repo_db",
    "DATABASE_TLS": "true",
    "DATABASE_IAM": "true",
}


def test_what_lambda_sets_is_read_and_secrets_are_not_shown() -> None:
    settings = from_env(LAMBDA)
    assert settings.on_lambda
    assert (settings.aws_region, settings.image_bucket, settings.auth) == ("eu-central-1", "pictures", "keys")
    assert settings.aws_credentials == ("key", "very secret", "token")
    for secret in ("very secret", "mysql+pymysql"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_TLS", "yes"),
        ("DATABASE_IAM", "1"),
        ("AWS_ENDPOINT_URL", "ftp://somewhere"),
        ("PUBLIC_URL", "pictures.example.org"),
        ("DATABASE_CONNECT_SECONDS", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_an_error_that_names_it(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        from_env(LAMBDA | {name: value})


@pytest.mark.parametrize("name", ["IMAGE_BUCKET", "DATABASE_URL"])
def test_a_function_without_a_bucket_or_a_database_does_not_start(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        runtime.build(from_env({**LAMBDA, name: ""}))


@pytest.mark.parametrize(
    "changed",
    [{"DATABASE_TLS": "false"}, {"AWS_ACCESS_KEY_ID": ""}, {"DATABASE_URL": "mysql+pymysql://database.example/image_repo_db"}],
)
def test_a_token_is_made_only_for_a_named_user_and_sent_only_through_tls(changed: dict[str, str]) -> None:
    settings = from_env({**LAMBDA, **changed})
    assert settings.database_url is not None
    with pytest.raises(SettingsError, match="DATABASE_IAM"):
        backends.open_database(settings, settings.database_url, 1, repository.now)


def test_certificates_that_cannot_be_read_are_an_error_that_names_them(tmp_path: Path) -> None:
    for content in (None, b"no certificate"):
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_bytes(content)
        settings = replace(from_env(LAMBDA), database_ca=file)
        with pytest.raises(SettingsError, match="DATABASE_CA"):
            backends.open_database(settings, "mysql+pymysql://user@database.example/db", 1, repository.now)


def request(path: str, resource: str, domain: str) -> Request:
    context: dict[str, Any] = {"resourcePath": resource, "path": path, "httpMethod": "GET", "domainName": domain}
    event = {"requestContext": context, "headers": {}, "body": None, "isBase64Encoded": False}
    return Request({**event, "pathParameters": None, "multiValueQueryStringParameters": None, "stageVariables": None})


@pytest.mark.parametrize(
    ("path", "resource", "expected"),
    [
        ("/api/image/5/thumbnail", "/image/{image_id}/thumbnail", "https://id.example/api"),
        ("/api/image/list", "/image/list", "https://id.example/api"),
        ("/api/", "/", "https://id.example/api"),
        ("/api", "/", "https://id.example/api"),
        ("/image/list", "/image/list", "https://id.example"),
        ("/", "/", "https://id.example"),
    ],
)
def test_the_gateways_own_address_is_told_where_none_is_set(path: str, resource: str, expected: str, tmp_path: Path) -> None:
    built = runtime.build(Settings(storage=tmp_path))
    runtime.use(replace(built, public_url=None))
    assert public_url(request(path, resource, "id.example")) == expected
    runtime.use(replace(built, public_url="https://pictures.example.org"))
    assert public_url(request(path, resource, "id.example")) == "https://pictures.example.org"
