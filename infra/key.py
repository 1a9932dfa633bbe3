"""`make key`: a key for an owner of a deployed stack, made by its admin function and shown this once."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import boto3


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.key")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--owner", required=True)
    parser.add_argument("scopes", nargs="+", choices=("read", "write", "admin"))
    chosen = parser.parse_args(arguments)
    stacks: Any = boto3.client("cloudformation")
    (stack,) = stacks.describe_stacks(StackName=chosen.stack)["Stacks"]
    function = next(item["OutputValue"] for item in stack["Outputs"] if item["OutputKey"] == "AdminFunction")
    command = {"command": "create-key", "owner": chosen.owner, "scopes": chosen.scopes}
    functions: Any = boto3.client("lambda")
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(command).encode())
    made = json.load(answer["Payload"])
    if "FunctionError" in answer:
        print(f"No key was made: {made.get('errorMessage', 'the admin function failed')}", file=sys.stderr)
        return 1
    print(made["key"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
