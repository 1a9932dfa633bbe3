"""The life of a stack: cut off at any step of its deployment, led to another database, and taken down."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import URL

from infra.migration import name_for
from tests.databases import MariaDb, new_database
from tests.deployed.client import client, invoke
from tests.deployed.conftest import CODE_BUCKET, ROOT
from tests.deployed.emulator import Emulator

STACK = "interrupted"
#: The line at which each deployment is killed, in turn; each begins where the one before was cut off.
CUTS = (
    "Step: what was begun before",
    "Step: the stack",
    "CREATE_IN_PROGRESS",
    "Step: tables",
    "migrates.",
    "UPDATE_IN_PROGRESS",
    "Step: proof",
)


@pytest.fixture
def url(aws: Emulator, database: MariaDb) -> Iterator[URL]:
    assert aws.url
    with new_database(database.url) as empty:
        yield empty


def deployment(package: Path, url: URL) -> "subprocess.Popen[str]":
    parameters = [f"DatabaseUrl={url.render_as_string(hide_password=False)}", "DatabaseTls=false"]
    parameters.append("PublicUrl=https://pictures.example.org/of/ours")
    command = [sys.executable, "-m", "infra.deploy", "--stack", STACK, "--bucket", CODE_BUCKET, "--package", str(package)]
    pipe = subprocess.PIPE
    return subprocess.Popen([*command, *parameters], cwd=ROOT, env=os.environ, stdout=pipe, stderr=pipe, text=True)


def to_its_end(package: Path, url: URL) -> tuple[int, str, str]:
    with deployment(package, url) as process:
        told, problem = process.communicate()
        return process.returncode, told, problem


def cut_off(package: Path, url: URL, at: str) -> None:
    with deployment(package, url) as process:
        assert process.stdout
        for line in process.stdout:
            if at in line:
                process.kill()
                return
        raise AssertionError(f"no line says {at!r}: {process.stderr and process.stderr.read()}")


def broken(package: Path, folder: Path) -> Path:
    """The package with a resource that cannot be made, which turns out after some seconds."""
    copy = folder / "package"
    shutil.copytree(package, copy)
    template = yaml.safe_load((copy / "sam.yaml").read_text("utf-8"))
    template["Resources"]["Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    properties = {"Handle": {"Ref": "Handle"}, "Timeout": "3"}
    never = {"Type": "AWS::CloudFormation::WaitCondition", "DependsOn": "APIHandler", "Properties": properties}
    template["Resources"]["Never"] = never
    (copy / "sam.yaml").write_text(yaml.safe_dump(template), "utf-8")
    return copy


def described() -> dict[str, Any]:
    (found,) = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    parameters = {item["ParameterKey"]: item["ParameterValue"] for item in found["Parameters"]}
    return {"status": found["StackStatus"], "parameters": parameters}


def test_whatever_cuts_it_off_the_same_command_ends_it_until_it_is_taken_down(
    deployable: Path, url: URL, database: MariaDb, tmp_path: Path
) -> None:
    status, told, problem = to_its_end(broken(deployable, tmp_path), url)
    assert (status, "The stack was rolled back" in problem, "Never" in problem) == (1, True, True), told + problem
    cut_off(tmp_path / "package", url, "CREATE_IN_PROGRESS")  # what is left is being rolled back while the next one begins
    for line in CUTS:
        cut_off(deployable, url, line)
    status, told, problem = to_its_end(deployable, url)
    assert (status, problem) == (0, ""), told + problem
    stack = described()
    assert stack["status"] == "UPDATE_COMPLETE"
    outputs = dict(line.split(maxsplit=1) for line in told.splitlines() if line.startswith(("Url ", "Admin")))
    assert stack["parameters"]["PageOrigin"] == "https://pictures.example.org"
    assert stack["parameters"]["DatabaseProtection"] == "true"
    functions = {function["FunctionName"] for function in client("lambda").list_functions()["Functions"]}
    assert name_for(STACK) not in functions
    key = invoke(outputs["AdminFunction"].strip(), {"command": "create-key", "owner": "ann", "scopes": ["read"]})
    assert key["key"].startswith("imr_")
    ready = next(line for line in told.splitlines() if line.startswith("The API's function answers: "))
    assert json.loads(ready.partition(": ")[2])["status"] == "ok"
    with new_database(database.url) as another:  # which has no tables yet
        status, told, problem = to_its_end(deployable, another)
        assert (status, problem, told.count("Step: tables")) == (0, "", 2), told + problem
        assert "The API's function answers: " in told
    assert_taken_down(next(line.split()[1] for line in told.splitlines() if line.startswith("ImageBucket ")))


def assert_taken_down(bucket: str) -> None:
    """Nothing is done without being confirmed; what is kept is said, and kept."""

    def teardown(*confirm: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "infra.teardown", "--stack", STACK, *confirm]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    client("s3").put_object(Bucket=bucket, Key="originals/of-somebody", Body=b"kept")
    asked = teardown()
    assert (asked.returncode, f"CONFIRM={STACK}" in asked.stderr, bucket in asked.stderr) == (1, True, True)
    assert described()["status"] == "UPDATE_COMPLETE"
    done = teardown("--confirm", STACK)
    assert (done.returncode, done.stderr) == (0, ""), done
    assert f"Kept: the bucket {bucket}" in done.stdout
    assert client("s3").get_object(Bucket=bucket, Key="originals/of-somebody")["Body"].read() == b"kept"
    names = [function["FunctionName"] for function in client("lambda").list_functions()["Functions"]]
    assert [name for name in names if name.startswith(STACK)] == []
