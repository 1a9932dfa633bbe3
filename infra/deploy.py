"""`make deploy`: bring the packaged stack into an account, tables before code, and say where it answers.

A list of steps, each of which may be done again, and may be the first to run after a deployment that was cut off at any point.
The first run creates the stack, any later one updates it. An update that fails is rolled back by CloudFormation; one whose
migrations fail is not begun. Either way the version before goes on serving.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import yaml

from infra import migration, proof
from infra.database import create_users
from infra.stack import DeploymentError, Stack


@dataclass(frozen=True)
class Release:
    """What is to be deployed, as it lies in the bucket."""

    template: Mapping[str, Any]
    template_url: str
    code: Mapping[str, str]


class Deployment:
    """Of one release with these parameters; `run` does the steps in their order."""

    def __init__(self, stack: Stack, release: Release, parameters: Mapping[str, str]) -> None:
        self._stack = stack
        self._release = release
        self._known = frozenset(release.template["Parameters"])
        self._parameters = dict(parameters)

    def run(self) -> dict[str, str]:
        """Returns the stack's outputs. Raises `DeploymentError`."""
        unknown = sorted(self._parameters.keys() - self._known)
        if unknown:
            raise DeploymentError(f"infra/template.yaml has no parameter {', '.join(unknown)}.")
        self._do("what was begun before", self._stack.settle)
        catalog = [("accounts", self._make_accounts), ("tables", self._migrate)]
        before = catalog if self._stack.is_there else []
        # A stack that is new, or is led to another database, has one without tables only now.
        after = catalog if not before or "DatabaseUrl" in self._parameters else []
        for name, step in [*before, ("the stack", self._change), *after]:
            self._do(name, step)
        self._do("origin and protection", self._finish)
        self._do("proof", lambda: proof.prove(self._stack.outputs))
        return self._stack.outputs

    def _do(self, name: str, step: Callable[[], None]) -> None:
        print(f"Step: {name}", flush=True)
        step()

    def _change(self) -> None:
        given = dict(self._parameters)
        if self._stack.is_there and "DatabaseProtection" not in given:
            given["DatabaseProtection"] = "true"
        if self._names_its_own_origin() and "AllowedOrigin" not in given:
            given["AllowedOrigin"] = ""
        self._stack.change(self._release.template_url, self._known, given)

    def _names_its_own_origin(self) -> bool:
        """As releases did that had one parameter for both origins: a domain that is added later would not be in it."""
        return self._stack.is_there and self._stack.parameters.get("AllowedOrigin") == _origin(
            self._stack.outputs["EndpointURL"]
        )

    def _make_accounts(self) -> None:
        create_users(self._stack.outputs)

    def _migrate(self) -> None:
        wanted = self._release.template["Resources"]["Admin"]["Properties"]
        migration.migrate(self._stack.name, self._stack.outputs["AdminFunction"], wanted, self._release.code)

    def _finish(self) -> None:
        """What cannot be said before everything stands."""
        wanted = {"PageOrigin": _origin(self._stack.outputs["Url"]), "DatabaseProtection": "true"}
        wanted |= {name: value for name, value in self._parameters.items() if name in wanted}
        if wanted.items() - self._stack.parameters.items():
            self._stack.change(self._release.template_url, self._known, wanted)


def upload(package: Path, stack: str, bucket: str) -> Release:
    """Put what `make package` left in a folder into the bucket, under names that say what is in them."""
    s3: Any = boto3.client("s3")

    def put(content: bytes, suffix: str) -> str:
        key = f"{stack}/{hashlib.sha256(content).hexdigest()}{suffix}"
        s3.put_object(Bucket=bucket, Key=key, Body=content)
        return key

    code_key = put((package / "deployment.zip").read_bytes(), ".zip")
    template = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": code_key}
    # CloudFormation reads no YAML with aliases; and it reads the bucket as whoever deploys.
    template_key = put(json.dumps(template).encode(), ".json")
    return Release(template, f"{s3.meta.endpoint_url}/{bucket}/{template_key}", {"S3Bucket": bucket, "S3Key": code_key})


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--bucket", required=True, help="a bucket in the same region, for the packaged code")
    parser.add_argument("--package", type=Path, default=Path("out"))
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters of infra/template.yaml")
    chosen = parser.parse_args(arguments)
    try:
        parameters = dict(_pair(text) for text in chosen.parameters)
        release = upload(chosen.package, chosen.stack, chosen.bucket)
        outputs = Deployment(Stack(chosen.stack), release, parameters).run()
    except DeploymentError as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, value in sorted(outputs.items()):
        print(f"{name:22} {value}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise DeploymentError(f"{text!r} is not of the form Name=value.")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
