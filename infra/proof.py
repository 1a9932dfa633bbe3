"""The last step of a deployment: the deployed functions say that they reach the catalog and the store."""

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3

from infra.stack import DeploymentError

#: A cluster that sleeps wakes meanwhile.
_PATIENCE_SECONDS = 120.0
#: `GET /health/ready` as the gateway hands it on, from somebody with a key: the domain may lead elsewhere yet.
_QUESTION: Mapping[str, Any] = {
    "resource": "/health/ready",
    "path": "/health/ready",
    "httpMethod": "GET",
    "headers": {},
    "multiValueHeaders": {},
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "requestContext": {
        "resourcePath": "/health/ready",
        "httpMethod": "GET",
        "path": "/api/health/ready",
        "requestId": "deployment",
        "authorizer": {"owner": "deployment", "scopes": "read"},
    },
    "body": None,
    "isBase64Encoded": False,
}


def prove(outputs: Mapping[str, str]) -> None:
    """Ask the API's function whether catalog and store answer and can be written. Raises `DeploymentError`."""
    functions: Any = boto3.client("lambda")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        answer = functions.invoke(FunctionName=outputs["APIHandlerName"], Payload=json.dumps(_QUESTION).encode())
        said = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise DeploymentError(f"The API's function does not start: {said}")
        found = json.loads(said)
        if found["statusCode"] == 200:
            print(f"The API's function answers: {found['body']}", flush=True)
            return
        if time.monotonic() > deadline:
            raise DeploymentError(f"The API's function answers, but is not ready: {found['statusCode']} {found['body']}")
        time.sleep(3)
