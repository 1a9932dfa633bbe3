"""The accounts of the stack's own Aurora cluster: they have no passwords, only the roles that may ask for tokens."""

import time
from collections.abc import Mapping
from itertools import chain, repeat
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from infra.stack import DeploymentError

_DATABASE = "image_repo_db"
#: What each account may do with the database.
GRANTS: Mapping[str, str] = {"image_repo": "SELECT, INSERT, UPDATE, DELETE", "image_repo_admin": "ALL"}
#: Each may be said again: what is there stays as it is.
_STATEMENTS = tuple(
    statement
    for user, rights in GRANTS.items()
    for statement in (
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
        f"GRANT {rights} ON {_DATABASE}.* TO {user}",
    )
)
#: What passes by itself, of all that the Data API is documented to answer: a cluster that wakes, fails over or is busy, an
#: endpoint that was switched on a moment ago. (RDS Data Service API Reference, ExecuteStatement, Errors)
_PASSES = frozenset(
    {
        "DatabaseResumingException",
        "DatabaseUnavailableException",
        "HttpEndpointNotEnabledException",
        "InternalServerErrorException",
        "InvalidResourceStateException",
        "ServiceUnavailableError",
        "StatementTimeoutException",
        "ThrottlingException",
    }
)
#: Aurora's own words, under the name of an error of SQL, for a connection to the instance that was lost or is not there yet.
_PASSES_BY_MESSAGE = "Communications link failure"
_PATIENCE_SECONDS = 300.0


def create_users(outputs: Mapping[str, str], patience: float = _PATIENCE_SECONDS) -> None:
    """Create what is missing through the Data API, which reads the master's password itself: it never passes through here.

    Does nothing for a database that is not of the stack's own. Raises `DeploymentError` for an error that does not pass, and
    for one that lasts longer than `patience`, in seconds.
    """
    if "DatabaseArn" not in outputs:
        return
    rds, data = (_client(service) for service in ("rds", "rds-data"))
    cluster = outputs["DatabaseArn"]
    secret = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    deadline = time.monotonic() + patience
    for statement in _STATEMENTS:
        _execute(data, deadline, resourceArn=cluster, secretArn=secret, sql=statement)


def _execute(client: Any, deadline: float, **request: str) -> None:
    told: set[str] = set()
    pauses = chain((0.1, 0.3, 1.0), repeat(3.0))
    while True:
        try:
            client.execute_statement(**request)
        except (BotoCoreError, ClientError) as error:
            reason = _reason(error)
            if not _passes(error) or time.monotonic() > deadline:
                raise DeploymentError(f"The database's accounts cannot be made: {reason}") from error
            if reason not in told:
                print(f"The database does not take statements yet: {reason}", flush=True)
                told.add(reason)
            time.sleep(next(pauses))
        else:
            return


def _passes(error: BotoCoreError | ClientError) -> bool:
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in _PASSES or _PASSES_BY_MESSAGE in error.response["Error"].get("Message", "")
    return isinstance(error, HTTPClientError)  # it did not get through, or got no answer


def _reason(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        return f"{error.response['Error']['Code']}: {error.response['Error'].get('Message', '')}"
    return str(error)


def _client(service: str) -> Any:
    make: Any = boto3.client  # only the stubs of S3 are installed
    return make(service)
