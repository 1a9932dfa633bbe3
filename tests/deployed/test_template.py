"""The template as CloudFormation gets it from the real SAM translator: what the stack is, whatever parameters say."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from chalicelib.services.access import BEARER
from tests.deployed.conftest import ROOT
from tests.deployed.emulator import REGION
from tests.deployed.resolving import Resolved

Resources = dict[str, dict[str, Any]]


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


def test_the_gateway_knows_a_key_by_the_expression_that_the_functions_have(resources: Resources) -> None:
    (authorizer,) = resources["RestAPI"]["Properties"]["Body"]["securityDefinitions"].values()
    assert authorizer["x-amazon-apigateway-authorizer"]["identityValidationExpression"] == BEARER


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


def test_the_bucket_refuses_requests_without_tls(resources: Resources) -> None:
    policy = resources["ImageBucketPolicy"]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert "Condition" not in policy
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


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


@pytest.mark.parametrize("with_database", [True, False])
def test_the_dashboard_is_json_whether_or_not_there_is_a_cluster(resources: Resources, with_database: bool) -> None:
    text, more = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    _, with_cluster, without = more["OfTheDatabase"]["Fn::If"]
    body = text.replace("${OfTheDatabase}", with_cluster["Fn::Sub"] if with_database else without)
    widgets = json.loads(body)["widgets"]
    titles = {widget["properties"]["title"] for widget in widgets}
    assert len(titles) == len(widgets)
    assert ("Database: connections" in titles) == with_database
    referred = {name.partition(".")[0] for name in re.findall(r"\$\{([\w.]+)\}", body)}
    assert referred <= resources.keys(), "they are all resources, besides AWS::Region and AWS::StackName"


def test_the_costs_count_the_alarms_that_a_stack_has_by_itself(template: dict[str, Any]) -> None:
    alarms = [each for each in Resolved(template).resources.values() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert f"{len(alarms)} alarms" in (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_every_alarm_says_what_it_means_and_tells_whom_the_operator_named(resources: Resources) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm")
    assert len(alarms) >= 13
    for alarm in alarms:
        assert alarm["AlarmDescription"].endswith(".")
        assert alarm["AlarmActions"] == {"Fn::If": ["TellSomebody", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]}
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_operations_page_names_every_alarm_log_group_and_parameter(template: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    kinds = {name: resource["Type"] for name, resource in template["Resources"].items()}
    alarms = [name.removesuffix("Alarm") for name, kind in kinds.items() if kind == "AWS::CloudWatch::Alarm"]
    assert [name for name in alarms if not re.search(rf"\b{name}\b", page)] == []
    groups = [resource["Properties"]["LogGroupName"]["Fn::Sub"] for resource in template["Resources"].values()
              if resource["Type"] == "AWS::Logs::LogGroup"]  # fmt: skip
    assert [name for name in groups if f"`{name.rpartition('/')[2]}`" not in page and f"<stack>{name[17:]}" not in page] == []


@pytest.mark.parametrize("function", ["APIHandler", "Decode", "Ingest", "Sweep", "Admin"])
def test_a_key_of_the_operators_encrypts_and_the_functions_may_use_it(package: Path, function: str) -> None:
    resources = yaml.safe_load((package / "sam.yaml").read_text("utf-8"))["Resources"]
    (rule,) = resources["ImageBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    given = rule["ServerSideEncryptionByDefault"]
    assert given["KMSMasterKeyID"] == {"Fn::If": ["GivenKey", {"Ref": "KmsKeyArn"}, {"Ref": "AWS::NoValue"}]}
    role = resources[resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]]
    statements = [statement for policy in role["Properties"]["Policies"] for statement in policy["PolicyDocument"]["Statement"]]
    (allowed,) = [each["Fn::If"][1] for each in statements if each.get("Fn::If", [""])[0] == "GivenKey"]
    assert allowed["Resource"] == {"Ref": "KmsKeyArn"}
    assert set(allowed["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_only_decode_is_outside_the_network_and_knows_no_database(resources: Resources) -> None:
    functions = {name: each["Properties"] for name, each in resources.items() if each["Type"] == "AWS::Lambda::Function"}
    outside = {name for name, properties in functions.items() if "VpcConfig" not in properties}
    ignorant = {name for name, properties in functions.items() if "DATABASE_URL" not in properties["Environment"]["Variables"]}
    assert outside == ignorant == {"Decode"}
