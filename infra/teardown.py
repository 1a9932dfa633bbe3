"""`make teardown`: delete a stack, and say what is kept.

The cluster's protection is switched off first; CloudFormation takes a final snapshot of it, and keeps the bucket.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import boto3

from infra import migration
from infra.stack import DeploymentError, Stack


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.teardown")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--confirm", default="", help="the stack's name once more")
    chosen = parser.parse_args(arguments)
    try:
        teardown(Stack(chosen.stack), confirmed=chosen.confirm == chosen.stack)
    except DeploymentError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def teardown(stack: Stack, *, confirmed: bool) -> None:
    """Raises `DeploymentError`, also where there is no such stack or nobody has confirmed; then nothing was changed."""
    outputs = stack.outputs
    if "ImageBucket" not in outputs:
        raise DeploymentError(f"There is no stack {stack.name} with a repository in it.")
    kept = f"Kept: the bucket {outputs['ImageBucket']}, with every picture, and what it keeps of old versions"
    kept += ", and a final snapshot of the cluster." if "DatabaseArn" in outputs else "; the database is yours."
    if not confirmed:
        raise DeploymentError(f"This would delete the stack {stack.name}.\n{kept}\nTo do it: CONFIRM={stack.name}")
    migration.remove(_client("lambda"), stack.name)
    if "DatabaseArn" in outputs:
        cluster = outputs["DatabaseArn"].rpartition(":")[2]
        _client("rds").modify_db_cluster(DBClusterIdentifier=cluster, DeletionProtection=False, ApplyImmediately=True)
    stack.remove()
    print(kept)
    print(
        "To have them again: docs/operations.md, Restore. To be rid of them: empty and delete the bucket, delete the snapshot."
    )


def _client(service: str) -> Any:
    make: Any = boto3.client  # only the stubs of S3 are installed
    return make(service)


if __name__ == "__main__":
    sys.exit(main())
