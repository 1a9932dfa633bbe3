"""The packaged stack, deployed as an operator would: once for all tests of this folder, and gone before any other test."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.translator.transform import transform  # type: ignore[import-untyped] # it has no types

from tests.databases import MariaDb, mariadb, new_database
from tests.deployed.account import account
from tests.deployed.client import QUEUES, Stack, client
from tests.deployed.domain import Domain, domain
from tests.deployed.emulator import REGION, Emulator, emulator
from tests.system_packages import MissingPackageError

ROOT = Path(__file__).parent.parent.parent
STACK, CODE_BUCKET = "images", "code"
CONCURRENCY = 4


@pytest.fixture(scope="package")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make package` makes, for this machine's Python: the emulator runs functions with that, whatever their runtime."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise MissingPackageError("what is packaged runs on Linux on x86_64 alone")
    if not (ROOT / "node_modules" / "esbuild").is_dir():
        raise MissingPackageError("esbuild is missing here: make javascript")
    out = tmp_path_factory.mktemp("package")
    run("infra.package", "--this-python", str(out))
    return out


@pytest.fixture(scope="package")
def deployable(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for the emulator, which has no TLS, on which the bucket insists."""
    copy = tmp_path_factory.mktemp("deployable") / "package"
    shutil.copytree(package, copy)
    template = yaml.safe_load((copy / "sam.yaml").read_text("utf-8"))
    del template["Resources"]["ImageBucketPolicy"]
    (copy / "sam.yaml").write_text(yaml.safe_dump(template), "utf-8")
    return copy


@pytest.fixture(scope="package")
def aws() -> Iterator[Emulator]:
    """The account, which boto3 and the operator's commands find in the environment."""
    with emulator() as running, account(running.environment):
        client("s3").create_bucket(Bucket=CODE_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield running


@pytest.fixture(scope="package")
def database() -> Iterator[MariaDb]:
    with mariadb() as server:
        yield server


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="package")
def template(package: Path) -> dict[str, Any]:
    """Our template, as CloudFormation gets it from the real SAM translator."""
    untranslated = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))
    for resource in untranslated["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "code.zip"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        translated: dict[str, Any] = transform(untranslated, {}, _NoManagedPolicies())
    return translated


@pytest.fixture(scope="package")
def own(aws: Emulator) -> Iterator[Domain]:
    """The operator's domain, mapped to the stack's API."""
    with domain(lambda: f"{aws.url}/restapis/{outputs()['RestAPIId']}/api/_user_request_") as running:
        yield running


@pytest.fixture(scope="package")
def stack(own: Domain, database: MariaDb, deployable: Path) -> Iterator[Stack]:
    """Deployed under that domain, and a key made."""
    with new_database(database.url) as url:
        existing = f"DatabaseUrl={url.render_as_string(hide_password=False)}"
        rest = ("DatabaseTls=false", f"IngestConcurrency={CONCURRENCY}", f"PublicUrl={own.url}")
        deploy(deployable, existing, *rest)
        made = Stack(own.url, "", outputs())
        yield Stack(own.url, made.admin(command="create-key", owner="ann", scopes=["read", "write"])["key"], outputs())


@pytest.fixture(scope="module")
def impatient_queue(stack: Stack) -> Iterator[None]:
    """The queues deliver again after seconds, where the template has them wait until a dead function's lease is stale."""
    sqs, urls = client("sqs"), [stack.outputs[queue] for queue in QUEUES]
    before = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"] for url in urls]
    for url in urls:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    yield
    for url, attributes in zip(urls, before, strict=True):
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def run(module: str, *arguments: str) -> str:
    """One of the operator's commands; what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "client" / "src")}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deploy(package: Path, *parameters: str) -> None:
    run("infra.deploy", "--stack", STACK, "--bucket", CODE_BUCKET, "--package", str(package), *parameters)
    _do_what_the_emulator_leaves_out(package)


def outputs() -> dict[str, str]:
    [description] = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {item["OutputKey"]: item["OutputValue"] for item in description["Outputs"]}


def _do_what_the_emulator_leaves_out(package: Path) -> None:
    """It takes a number in a parameter for text, passes over what an API's definition says of the gateway's answers, and ends
    functions at work when it updates them: events in hand, which here are S3's test events, would stay hidden for minutes.
    """
    functions: Any = client("lambda")
    for source in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=source["UUID"], ScalingConfig={"MaximumConcurrency": CONCURRENCY})
    api: Any = client("apigateway")
    rest_api = outputs()["RestAPIId"]
    template = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))
    for kind, answer in template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"].items():
        headers = answer["ResponseParameters"]["Headers"]
        values = {f"gatewayresponse.header.{name}": value for name, value in headers.items() if isinstance(value, str)}
        api.put_gateway_response(
            restApiId=rest_api,
            responseType=kind,
            statusCode=answer["StatusCode"],
            responseParameters=values,
            responseTemplates=answer["ResponseTemplates"],
        )
    api.create_deployment(restApiId=rest_api, stageName="api")
    for queue in QUEUES:
        client("sqs").purge_queue(QueueUrl=outputs()[queue])
