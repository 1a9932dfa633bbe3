"""`make deploy`: bring the packaged stack into an account, tables before code, and say where it answers.

The first run creates the stack, any later one updates it. An update that fails is rolled back by CloudFormation; one whose
migrations fail is not begun. Either way the version before goes on serving.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError, WaiterError

from infra.database import create_users

#: The admin function may run for a quarter of an hour.
_PATIENT = Config(read_timeout=960, retries={"total_max_attempts": 1})
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class DeploymentError(Exception):
    """What went wrong, as a sentence."""


class Deployment:
    """One stack in the account and region that boto3 finds."""

    def __init__(self, stack: str, bucket: str) -> None:
        self._stack = stack
        self._bucket = bucket
        self._cloudformation: Any = boto3.client("cloudformation")
        self._s3: Any = boto3.client("s3")

    def run(self, package: Path, parameters: Mapping[str, str]) -> dict[str, str]:
        """Deploy what `chalice package` left in a folder; returns the stack's outputs. Raises `DeploymentError`."""
        code_key = self._upload(package / "deployment.zip")
        template_url = self._upload_template(package / "sam.yaml", code_key)
        before = self._description()
        if before is not None:
            self._give_admin(_outputs(before)["AdminFunction"], code_key, _runtime(package / "sam.yaml"))
            self._migrate(_outputs(before))
        self._change(template_url, parameters, before)
        outputs = _outputs(self._description())
        if before is None:
            create_users(outputs)
            self._migrate(outputs)
            if "AllowedOrigin" not in parameters:
                # The page that the API serves posts to the bucket, which cannot name the API: each would need the other.
                own = urlsplit(parameters.get("PublicUrl") or outputs["EndpointURL"])
                self._change(template_url, {"AllowedOrigin": f"{own.scheme}://{own.netloc}"}, self._description())
        return outputs

    def _upload(self, file: Path) -> str:
        """The key that the file has in the bucket, which is named by its content."""
        content = file.read_bytes()
        key = f"{self._stack}/{hashlib.sha256(content).hexdigest()}{file.suffix}"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        return key

    def _upload_template(self, file: Path, code_key: str) -> str:
        template = yaml.safe_load(file.read_text("utf-8"))
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": self._bucket, "Key": code_key}
        merged = file.with_name("deployed.json")  # CloudFormation reads no YAML with aliases
        merged.write_text(json.dumps(template), "utf-8")
        location: str = self._s3.generate_presigned_url(
            "get_object", {"Bucket": self._bucket, "Key": self._upload(merged)}, ExpiresIn=3600
        )
        return location

    def _description(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._cloudformation.describe_stacks(StackName=self._stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        # A change set that was never carried out leaves the mere name of a stack.
        return None if found["StackStatus"] == "REVIEW_IN_PROGRESS" else found

    def _change(self, template_url: str, parameters: Mapping[str, str], before: Mapping[str, Any] | None) -> None:
        kind = "CREATE" if before is None else "UPDATE"
        keep = {item["ParameterKey"] for item in (before or {}).get("Parameters", [])} - parameters.keys()
        change = self._cloudformation.create_change_set(
            StackName=self._stack,
            ChangeSetName=f"deploy-{time.time_ns()}",
            ChangeSetType=kind,
            TemplateURL=template_url,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                *({"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()),
                *({"ParameterKey": name, "UsePreviousValue": True} for name in sorted(keep)),
            ],
        )["Id"]
        try:
            self._cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change)
        except WaiterError as error:
            reason = str(error.last_response.get("StatusReason"))
            if any(text in reason for text in _NOTHING_TO_DO):
                return
            raise DeploymentError(f"The change cannot be made: {reason}") from error
        self._cloudformation.execute_change_set(ChangeSetName=change)
        self._wait(f"stack_{kind.lower()}_complete")

    def _wait(self, waiter: str) -> None:
        try:
            self._cloudformation.get_waiter(waiter).wait(StackName=self._stack, WaiterConfig={"Delay": 2, "MaxAttempts": 1800})
        except WaiterError as error:
            events = self._cloudformation.describe_stack_events(StackName=self._stack)["StackEvents"]
            failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")][:10]
            reasons = "\n".join(f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)
            raise DeploymentError(f"The stack was rolled back:\n{reasons}") from error

    def _give_admin(self, function: str, code_key: str, runtime: str) -> None:
        """The new code to the admin function alone, on its runtime; CloudFormation sets it again, to the same or to the old."""
        functions: Any = boto3.client("lambda")
        functions.update_function_configuration(FunctionName=function, Runtime=runtime)
        functions.get_waiter("function_updated_v2").wait(FunctionName=function)
        functions.update_function_code(FunctionName=function, S3Bucket=self._bucket, S3Key=code_key)
        functions.get_waiter("function_updated_v2").wait(FunctionName=function)

    def _migrate(self, outputs: Mapping[str, str]) -> None:
        functions: Any = boto3.client("lambda", config=_PATIENT)
        answer = functions.invoke(FunctionName=outputs["AdminFunction"], Payload=json.dumps({"command": "migrate"}).encode())
        if "FunctionError" in answer:
            raise DeploymentError(f"The migrations failed: {answer['Payload'].read().decode()}")


def _runtime(template: Path) -> str:
    runtime: str = yaml.safe_load(template.read_text("utf-8"))["Resources"]["Admin"]["Properties"]["Runtime"]
    return runtime


def _outputs(description: Mapping[str, Any] | None) -> dict[str, str]:
    return {item["OutputKey"]: item["OutputValue"] for item in (description or {}).get("Outputs", [])}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--bucket", required=True, help="a bucket in the same region, for the packaged code")
    parser.add_argument("--package", type=Path, default=Path("out"))
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="parameters of infra/template.yaml")
    chosen = parser.parse_args(arguments)
    try:
        outputs = Deployment(chosen.stack, chosen.bucket).run(chosen.package, dict(p.split("=", 1) for p in chosen.parameters))
    except DeploymentError as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, value in sorted(outputs.items()):
        print(f"{name:22} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
