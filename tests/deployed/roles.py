"""The roles of the deployed functions, and how somebody comes to have one."""

import json
from typing import Any

import boto3

from tests.deployed.client import client

Session = Any
#: The name of who tries what a role may not do.
TRYING = "trying"


def roles() -> dict[str, str]:
    """The name of each function's role."""
    functions = client("lambda").list_functions()["Functions"]
    return {each["FunctionName"].split("-")[1]: each["Role"].rpartition("/")[2] for each in functions}


def session_with(role: str, name: str) -> Session:
    """Somebody with this role, under a name. Only Lambda may take it, until the account's owner lets somebody else."""
    iam, me = client("iam"), client("sts").get_caller_identity()["Arn"]
    found = iam.get_role(RoleName=role)["Role"]
    trust = found["AssumeRolePolicyDocument"]
    mine = {"Effect": "Allow", "Principal": {"AWS": me}, "Action": "sts:AssumeRole"}
    if mine not in trust["Statement"]:
        trust["Statement"].append(mine)
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    keys = client("sts").assume_role(RoleArn=found["Arn"], RoleSessionName=name)["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
