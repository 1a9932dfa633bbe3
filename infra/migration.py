"""The migrations, run by a function that exists for as long as they take.

It has the new release's code and runtime, and everything else from the function Admin: its role, its network, its database. So
nothing that serves has new code before the tables are there, and a migration that fails leaves nothing changed but tables,
which the release before can use.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import boto3
from botocore.config import Config

from infra.stack import DeploymentError

#: A function may run for a quarter of an hour.
_PATIENT = Config(read_timeout=960, retries={"total_max_attempts": 1})
_TIMEOUT_SECONDS = 900
#: One that was cut short is taken up again where it was: so many quarters of an hour in all. See docs/operations.md for more.
_TRIES = 4
_CUT_SHORT = "Task timed out"
_TAKEN_OVER = ("Role", "MemorySize", "LoggingConfig")
_OF_THE_RELEASE = ("Handler", "Runtime", "Architectures")


def migrate(stack: str, admin: str, wanted: Mapping[str, Any], code: Mapping[str, str]) -> None:
    """Bring the catalog behind the function `admin` to the tables of the release whose `code` lies in a bucket.

    `wanted` are the properties that this function has in the release's template. Raises `DeploymentError`.
    """
    functions: Any = boto3.client("lambda", config=_PATIENT)
    known = functions.get_function_configuration(FunctionName=admin)
    settings = {name: known[name] for name in _TAKEN_OVER if name in known}
    settings |= {name: wanted[name] for name in _OF_THE_RELEASE}
    settings |= {"Timeout": _TIMEOUT_SECONDS, "Code": dict(code)}
    settings["Environment"] = {"Variables": known.get("Environment", {}).get("Variables", {})}
    if known.get("VpcConfig", {}).get("SubnetIds"):
        settings["VpcConfig"] = {name: known["VpcConfig"][name] for name in ("SubnetIds", "SecurityGroupIds")}
    with _function(functions, stack, settings) as name:
        print(f"The function {name} migrates.", flush=True)
        for _ in range(_TRIES):
            answer = functions.invoke(FunctionName=name, Payload=json.dumps({"command": "migrate"}).encode())
            said = answer["Payload"].read().decode()
            if "FunctionError" not in answer:
                return
            if _CUT_SHORT not in said:
                break
            print("The migrations need more than a quarter of an hour: they go on.", flush=True)
        raise DeploymentError(f"The migrations failed: {said}")


def name_for(stack: str) -> str:
    """What the function is called: of a long stack's name there is room for the beginning only."""
    return f"{stack[:40]}-migrate-{hashlib.sha256(stack.encode()).hexdigest()[:8]}"


def remove(functions: Any, stack: str) -> None:
    """Remove one that is there, such as that of a deployment which was killed."""
    with suppress(functions.exceptions.ResourceNotFoundException):
        functions.delete_function(FunctionName=name_for(stack))


@contextmanager
def _function(functions: Any, stack: str, settings: Mapping[str, Any]) -> Iterator[str]:
    remove(functions, stack)
    name = name_for(stack)
    try:
        functions.create_function(FunctionName=name, Description="Migrates the catalog; goes by itself.", **settings)
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        yield name
    finally:
        remove(functions, stack)
