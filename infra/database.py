"""The accounts of a new Aurora cluster: they have no passwords, only the roles that may ask for tokens."""

import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

_DATABASE = "image_repo_db"
_STATEMENTS = (
    "CREATE USER IF NOT EXISTS image_repo IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
    f"GRANT SELECT, INSERT, UPDATE, DELETE ON {_DATABASE}.* TO image_repo",
    "CREATE USER IF NOT EXISTS image_repo_admin IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
    f"GRANT ALL ON {_DATABASE}.* TO image_repo_admin",
)
_PATIENCE = 120.0


def create_users(outputs: Mapping[str, str]) -> None:
    """Create what is missing through the Data API, which reads the master's password itself: it never passes through here.

    Does nothing for a database that is not of the stack's own.
    """
    if "DatabaseArn" not in outputs:
        return
    rds, data = boto3.client("rds"), boto3.client("rds-data")
    cluster = outputs["DatabaseArn"]
    secret = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    for statement in _STATEMENTS:
        _execute(data, resourceArn=cluster, secretArn=secret, sql=statement)


def _execute(client: Any, **request: str) -> None:
    """A cluster that is waking says so, and is asked again."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            client.execute_statement(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "DatabaseResumingException" or time.monotonic() > deadline:
                raise
            time.sleep(2)
        else:
            return
