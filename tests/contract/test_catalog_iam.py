"""The default path to the database: accounts without passwords, TLS that proves the server's name, a token for each login."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials

from chalicelib.backends import open_database
from chalicelib.catalog.migrate import migrate
from chalicelib.errors import MisconfiguredError, UnavailableError
from chalicelib.repository import now
from chalicelib.settings import Settings
from infra.database import GRANTS
from tests import pictures
from tests.contract.aurora import Aurora, aurora
from tests.contract.certificates import write_certificate
from tests.databases import execute, mariadb, new_database
from tests.repositories import repository_in, take_in

REGION, HOST = "eu-central-1", "localhost"
KEYS = ("ASIAEXAMPLE", "a+secret/with=signs", "a+token/of==a session")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An authority of the tests' own, which names the server `localhost`, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "ca.pem", folder / "key.pem"
    write_certificate(certificate, key, name=HOST)
    return certificate, key


@pytest.fixture(scope="module")
def cluster(certificate: tuple[Path, Path]) -> Iterator[Aurora]:
    """With the accounts that a deployment makes, and the rights that it grants them."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*certificate)
    with mariadb() as server, new_database(server.url) as url:
        for user, rights in GRANTS.items():
            execute(server.url, f"CREATE USER {user}@'127.0.0.1'", f"GRANT {rights} ON {url.database}.* TO {user}@'127.0.0.1'")
        with aurora(url, Credentials(*KEYS), REGION, tls, HOST) as running:
            yield running


def settings(certificate: tuple[Path, Path], url: str, **changed: Any) -> Settings:
    values = {"database_tls": True, "database_iam": True, "database_ca": certificate[0]}
    values |= {"aws_region": REGION, "aws_credentials": KEYS, "database_connect_seconds": 10}
    return Settings(storage=Path("/nowhere"), database_url=url, **{**values, **changed})


def check(chosen: Settings) -> None:
    database = open_database(chosen, chosen.database_url or "", pool_size=1, clock=now)
    try:
        database.check()
    finally:
        database.dispose()


def test_the_accounts_of_a_deployment_can_do_all_that_is_asked_of_them(
    cluster: Aurora, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    admin = open_database(settings(certificate, cluster.url("image_repo_admin")), cluster.url("image_repo_admin"), 1, now)
    migrate(admin)
    admin.dispose()
    chosen: dict[str, Any] = {"database_tls": True, "database_iam": True, "database_ca": certificate[0]}
    chosen |= {"aws_region": REGION, "aws_credentials": KEYS}
    repository = repository_in(tmp_path, database_url=cluster.url("image_repo"), **chosen)
    assert take_in(repository, pictures.png(1)).status == "stored"
    repository.library.delete("local", 1)
    assert repository.sweep.run().problems == []
    with pytest.raises(UnavailableError) as refused:
        repository.database.write(lambda connection: connection.exec_driver_sql("DROP TABLE uploads"))
    assert "1142" in (refused.value.cause or "")
    repository.close()
    assert all("X-Amz-Security-Token" in token for token in cluster.tokens)


def test_a_token_of_another_secret_is_refused_and_says_whose_fault_it_is(
    cluster: Aurora, certificate: tuple[Path, Path]
) -> None:
    other = settings(certificate, cluster.url("image_repo"), aws_credentials=("ASIAEXAMPLE", "another secret", None))
    with pytest.raises(MisconfiguredError) as refused:
        check(other)
    assert "1045" in (refused.value.cause or "")


def test_a_token_is_shown_to_no_server_that_has_another_name(cluster: Aurora, certificate: tuple[Path, Path]) -> None:
    shown = len(cluster.tokens)
    with pytest.raises(UnavailableError):
        check(settings(certificate, cluster.url("image_repo", host="127.0.0.1")))
    assert len(cluster.tokens) == shown


def test_a_token_is_shown_to_no_server_that_an_unknown_authority_names(cluster: Aurora, certificate: tuple[Path, Path]) -> None:
    shown = len(cluster.tokens)
    with pytest.raises(UnavailableError):
        check(settings(certificate, cluster.url("image_repo"), database_ca=None))
    assert len(cluster.tokens) == shown
    check(settings(certificate, cluster.url("image_repo")))
    assert len(cluster.tokens) == shown + 1
