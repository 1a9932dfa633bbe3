"""An update that fails leaves the version before serving, whether its tables, its code or its stack cannot be had."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from infra.migration import name_for
from tests import pictures
from tests.deployed.client import Stack, client
from tests.deployed.conftest import CODE_BUCKET, ROOT, STACK, deploy
from tests.deployed.emulator import Emulator


@pytest.fixture
def broken(stack: Stack, deployable: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the deployed package, to be broken; afterwards the good one is deployed again, and repairs all of it."""
    shutil.copytree(deployable, tmp_path / "package")
    yield tmp_path / "package"
    deploy(deployable)
    assert "keys" in stack.admin(command="list-keys")


def refusal(package: Path) -> str:
    """What the operator is told of a deployment that fails."""
    arguments = ["--stack", STACK, "--bucket", CODE_BUCKET, "--package", str(package)]
    done = subprocess.run(
        [sys.executable, "-m", "infra.deploy", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done
    return done.stderr


def updates_of(resource: str) -> int:
    """How often CloudFormation has changed the resource."""
    pages = client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=STACK)
    events = [event for page in pages for event in page["StackEvents"] if event["LogicalResourceId"] == resource]
    return [event["ResourceStatus"] for event in events].count("UPDATE_COMPLETE")


def assert_serving(stack: Stack, number: int) -> None:
    """The API answers, and an upload goes its whole way."""
    state = stack.upload(f"after failure {number}.png", pictures.png(number))
    assert state["status"] == "stored"
    assert stack.get(f"/image/{state['image_id']}/details")["byte_size"] == len(pictures.png(number))


def configuration(function: str) -> tuple[str, str]:
    found = client("lambda").get_function_configuration(FunctionName=function)
    return found["CodeSha256"], found["Runtime"]


def function_names() -> set[str]:
    return {function["FunctionName"] for function in client("lambda").list_functions()["Functions"]}


def test_code_that_does_not_start_reaches_no_function_that_serves_nor_the_operators(stack: Stack, broken: Path) -> None:
    names, admin = function_names(), configuration(stack.outputs["AdminFunction"])
    with zipfile.ZipFile(broken / "deployment.zip", "w") as archive:
        archive.writestr("chalicelib/__init__.py", "")
        archive.writestr("chalicelib/functions.py", "raise RuntimeError('this release is broken')")
    told = refusal(broken)
    assert told.startswith("The migrations failed: ")
    assert "this release is broken" in told
    assert_serving(stack, 600)
    assert configuration(stack.outputs["AdminFunction"]) == admin
    assert function_names() == names
    key = stack.admin(command="create-key", owner="ann", scopes=["read"])
    assert stack.admin(command="revoke-key", id=key["id"]) == {"done": "The key is revoked."}


def test_the_new_code_migrates_on_the_runtime_that_it_was_packaged_for(aws: Emulator, stack: Stack, broken: Path) -> None:
    """Its wheels are for that one alone; the release before has another."""
    template = yaml.safe_load((broken / "sam.yaml").read_text("utf-8"))
    template["Resources"]["Admin"]["Properties"]["Runtime"] = "python3.14"
    (broken / "sam.yaml").write_text(yaml.safe_dump(template), "utf-8")
    deploy(broken)
    assert f"spawned for {name_for(STACK)} (python3.14," in aws.log()
    assert configuration(stack.outputs["AdminFunction"])[1] == "python3.14"


def test_a_stack_that_cannot_be_changed_is_rolled_back(stack: Stack, broken: Path) -> None:
    """By the time that it fails, the functions have got a setting with which they cannot start."""
    template = yaml.safe_load((broken / "sam.yaml").read_text("utf-8"))
    template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]["AUTH"] = "nonsense"
    template["Resources"]["Handle"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    template["Resources"]["Never"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": "APIHandler",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"},
    }
    (broken / "sam.yaml").write_text(yaml.safe_dump(template), "utf-8")
    before = updates_of("APIHandler")
    told = refusal(broken)
    assert updates_of("APIHandler") > before
    assert told.startswith("The stack was rolled back (UPDATE_ROLLBACK_COMPLETE):")
    assert "Never" in told
    assert_serving(stack, 601)
