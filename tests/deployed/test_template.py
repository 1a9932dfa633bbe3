"""The template as CloudFormation gets it from the real SAM translator: what the stack is, whatever parameters say."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.translator.transform import transform  # type: ignore[import-untyped] # it has no types

from tests.deployed.conftest import ROOT
from tests.deployed.emulator import REGION

Resources = dict[str, dict[str, Any]]


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="module")
def template(package: Path) -> dict[str, Any]:
    """Our template, translated."""
    untranslated = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))
    for resource in untranslated["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "code.zip"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        translated: dict[str, Any] = transform(untranslated, {}, _NoManagedPolicies())
    return translated


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> Resources:
    return dict(template["Resources"])


def of_type(resources: Resources, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


def test_there_is_one_stage_and_it_has_a_throttle(resources: Resources) -> None:
    (stage,) = of_type(resources, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "api"
    (settings,) = stage["MethodSettings"]
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    (deployment,) = of_type(resources, "AWS::ApiGateway::Deployment")
    assert "StageName" not in deployment, "API Gateway makes a stage of that name as well"


def test_a_new_origin_is_published_at_once(package: Path, template: dict[str, Any]) -> None:
    """A stage goes on serving what was published last: the definition as it is now needs a deployment of its own."""
    assert "PageOrigin" in json.dumps(template["Resources"]["RestAPI"])
    (deployment,) = [name for name, each in template["Resources"].items() if each["Type"] == "AWS::ApiGateway::Deployment"]
    serverless = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))["Resources"]["RestAPI"]["Properties"]
    assert serverless["AlwaysDeploy"] is True
    assert template["Resources"]["RestAPIapiStage"]["Properties"]["DeploymentId"] == {"Ref": deployment}


def test_the_translated_template_is_what_cloudformation_takes(template: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(template), "utf-8")
    lint = Path(sys.executable).with_name("cfn-lint")
    command = [str(lint), "--regions", "us-east-1", REGION, "--template", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_functions_and_the_proxy_reach_the_database(resources: Resources) -> None:
    (own,) = resources["DatabaseSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    rules = [own, *of_type(resources, "AWS::EC2::SecurityGroupIngress")]
    assert all("CidrIp" not in rule and "CidrIpv6" not in rule for rule in rules)
    sources = [rule["SourceSecurityGroupId"]["Ref"] for rule in rules]
    assert sources == ["FunctionSecurityGroup", "DatabaseSecurityGroup"]


def test_other_accounts_cannot_make_aws_act_for_us(resources: Resources) -> None:
    """Every service that may use what is ours does so for this account alone; a function's role is named by the function."""
    trusted = [resources["ProxyRole"]["Properties"]["AssumeRolePolicyDocument"]]
    trusted += [policy["PolicyDocument"] for policy in of_type(resources, "AWS::SQS::QueuePolicy")]
    for statement in [statement for document in trusted for statement in document["Statement"]]:
        assert "Service" in statement["Principal"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_a_create_that_fails_leaves_nothing_that_bars_the_next(resources: Resources) -> None:
    assert resources["ImageBucket"]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resources["ImageBucket"]["UpdateReplacePolicy"] == "Retain"
    assert resources["Database"]["Properties"]["DeletionProtection"] == {"Ref": "DatabaseProtection"}


def test_every_arn_names_the_partition_by_its_variable(package: Path) -> None:
    """China and GovCloud have others."""
    text = (package / "sam.yaml").read_text("utf-8")
    assert "arn:aws" not in text
    hosts = set(re.findall(r"[\w.-]+\.amazonaws\.com", text))
    assert hosts <= {f"{service}.amazonaws.com" for service in ("apigateway", "events", "lambda", "rds", "s3")}


def test_what_was_posted_twice_under_one_ticket_is_gone_after_a_day(resources: Resources) -> None:
    rules = resources["ImageBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "incoming/"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_every_parameter_is_used(template: dict[str, Any]) -> None:
    text = json.dumps({name: template[name] for name in ("Resources", "Conditions", "Outputs")})
    unused = [name for name in template["Parameters"] if f'"{name}"' not in text and f"${{{name}}}" not in text]
    assert unused == []
