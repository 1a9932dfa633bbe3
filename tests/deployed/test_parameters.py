"""What each parameter of the template changes, on the template as the real SAM translator leaves it.

Where a parameter is a setting of the functions, what the setting does is tested with them: `test_owner_limits`,
`test_client_path`, `tests/http`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from tests.deployed.resolving import Resolved

OWN = "https://own.example"
ELSEWHERE = "https://elsewhere.example"
DATABASE = "mysql+pymysql://user:password@host/name"
KEY = "arn:aws:kms:eu-central-1:000000000000:key/1"
_ORIGINS = "ImageBucket.CorsConfiguration.CorsRules.0.AllowedOrigins"
_ENCRYPTION = "ImageBucket.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault"
_SCALING = "Database.ServerlessV2ScalingConfiguration"
_IN_FUNCTIONS = "APIHandler.Environment.Variables."


class Effect(NamedTuple):
    """Of a parameter's value: what stands at a place without it, and with it; those in `beside` are given in both cases."""

    parameter: str
    value: str
    place: str
    without: Any
    with_it: Any
    beside: Mapping[str, str] = MappingProxyType({})


EFFECTS = [
    Effect("PublicUrl", OWN, _IN_FUNCTIONS + "PUBLIC_URL", "", OWN),
    Effect("AllowedOrigin", ELSEWHERE, _IN_FUNCTIONS + "ALLOWED_ORIGIN", OWN, ELSEWHERE, {"PageOrigin": OWN}),
    Effect("AllowedOrigin", ELSEWHERE, _ORIGINS, [OWN], [OWN, ELSEWHERE], {"PageOrigin": OWN}),
    Effect("PageOrigin", OWN, _ORIGINS, ["https://nowhere.invalid"], [OWN]),
    Effect("RequestsPerSecond", "7", "RestAPIapiStage.MethodSettings.0.ThrottlingRateLimit", "200", "7"),
    Effect("RequestBurst", "9", "RestAPIapiStage.MethodSettings.0.ThrottlingBurstLimit", "400", "9"),
    Effect("IngestConcurrency", "3", "IngestIngestSqsEventSource.ScalingConfig.MaximumConcurrency", "10", "3"),
    Effect("IngestConcurrency", "3", "DecodeDecodeSqsEventSource.ScalingConfig.MaximumConcurrency", "10", "3"),
    Effect("OwnerMaxBytes", "5", _IN_FUNCTIONS + "OWNER_MAX_BYTES", "", "5"),
    Effect("OwnerMaxImages", "5", _IN_FUNCTIONS + "OWNER_MAX_IMAGES", "", "5"),
    Effect("OwnerMaxOpenUploads", "", _IN_FUNCTIONS + "OWNER_MAX_OPEN_UPLOADS", "10000", ""),
    Effect("DatabaseUrl", DATABASE, "Ingest.Environment.Variables.DATABASE_IAM", "true", "false"),
    Effect("DatabaseUrl", DATABASE, "Database.Engine", "aurora-mysql", None),
    Effect("DatabaseTls", "false", _IN_FUNCTIONS + "DATABASE_TLS", "true", "false", {"DatabaseUrl": DATABASE}),
    Effect("DatabaseTls", "false", _IN_FUNCTIONS + "DATABASE_TLS", "true", "true"),  # the cluster always proves itself
    Effect("SubnetIds", "subnet-1,subnet-2", "Sweep.VpcConfig.SubnetIds", None, ["subnet-1", "subnet-2"],
           {"DatabaseUrl": DATABASE, "SecurityGroupIds": "sg-1"}),
    Effect("SecurityGroupIds", "sg-1", "Sweep.VpcConfig.SecurityGroupIds", [""], ["sg-1"],
           {"DatabaseUrl": DATABASE, "SubnetIds": "subnet-1"}),
    Effect("DatabaseVersion", "8.0.mysql_aurora.3.11.0", "Database.EngineVersion", "8.0.mysql_aurora.3.10.6",
           "8.0.mysql_aurora.3.11.0"),
    Effect("DatabaseMinCapacity", "0.5", _SCALING + ".MinCapacity", "0", "0.5"),
    Effect("DatabaseMinCapacity", "0.5", _SCALING + ".SecondsUntilAutoPause", "900", None),
    Effect("DatabaseMaxCapacity", "16", _SCALING + ".MaxCapacity", "8", "16"),
    Effect("DatabaseMaxCapacity", "16", "DatabaseCapacityAlarm.Threshold", "8", "16"),
    Effect("DatabasePauseSeconds", "300", _SCALING + ".SecondsUntilAutoPause", "900", "300"),
    Effect("DatabaseProtection", "true", "Database.DeletionProtection", "false", "true"),
    Effect("DatabaseProxy", "true", "Proxy.EngineFamily", None, "MYSQL"),
    Effect("DatabaseProxy", "true", "PinnedSessionsAlarm.MetricName", None, "DatabaseConnectionsCurrentlySessionPinned"),
    Effect("DatabaseConnectionsLimit", "50", "DatabaseConnectionsAlarm.Threshold", "800", "50"),
    Effect("KmsKeyArn", KEY, _ENCRYPTION, {"SSEAlgorithm": "AES256"}, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}),
    Effect("KmsKeyArn", KEY, "Database.KmsKeyId", None, KEY),
    Effect("Tracing", "true", "RestAPIapiStage.TracingEnabled", False, True),
    Effect("Tracing", "true", "Decode.TracingConfig", {"Mode": "PassThrough"}, {"Mode": "Active"}),
    Effect("AccessLogs", "true", "AccessLogGroup.RetentionInDays", None, "30"),
    Effect("AccessLogs", "true", "RestAPIapiStage.AccessLogSetting.DestinationArn", None,
           {"Fn::GetAtt": ["AccessLogGroup", "Arn"]}),
    Effect("LogRetentionDays", "7", "IngestLogGroup.RetentionInDays", "30", "7"),
    Effect("AlarmEmail", "me@example.org", "AlarmTopic.Subscription", None,
           [{"Protocol": "email", "Endpoint": "me@example.org"}]),
    Effect("AlarmEmail", "me@example.org", "LatencyAlarm.AlarmActions", None, [{"Ref": "AlarmTopic"}]),
]  # fmt: skip


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: f"{effect.parameter} {effect.place}")
def test_a_parameter_changes_what_it_says(template: dict[str, Any], effect: Effect) -> None:
    without, with_it = (Resolved(template, **effect.beside, **given) for given in ({}, {effect.parameter: effect.value}))
    assert (without.at(effect.place), with_it.at(effect.place)) == (effect.without, effect.with_it)


def test_every_parameter_changes_something_that_is_looked_at(template: dict[str, Any]) -> None:
    assert {effect.parameter for effect in EFFECTS if effect.without != effect.with_it} == template["Parameters"].keys()


@pytest.mark.parametrize("given", [{}, {"DatabaseUrl": DATABASE}])
def test_whichever_database_it_is_the_authorities_of_rds_are_known(template: dict[str, Any], given: dict[str, str]) -> None:
    assert Resolved(template, **given).at(_IN_FUNCTIONS + "DATABASE_CA") == "chalicelib/rds-ca.pem"


@pytest.mark.parametrize("function", ["CheckKey", "Ingest", "Sweep", "Admin"])
def test_a_setting_reaches_every_function_that_has_the_catalog(template: dict[str, Any], function: str) -> None:
    settings = [effect for effect in EFFECTS if effect.place.startswith(_IN_FUNCTIONS)]
    assert settings
    for effect in settings:
        stack = Resolved(template, **effect.beside, **{effect.parameter: effect.value})
        assert stack.at(effect.place.replace("APIHandler", function, 1)) == effect.with_it


def test_all_functions_are_traced_and_all_logs_kept_as_long(template: dict[str, Any]) -> None:
    stack = Resolved(template, Tracing="true", LogRetentionDays="7", AccessLogs="true")
    functions = [name for name, each in stack.resources.items() if each["Type"] == "AWS::Lambda::Function"]
    groups = [name for name, each in stack.resources.items() if each["Type"] == "AWS::Logs::LogGroup"]
    assert (len(functions), len(groups)) == (6, 7)
    assert {stack.at(f"{name}.TracingConfig.Mode") for name in functions} == {"Active"}
    assert {stack.at(f"{name}.RetentionInDays") for name in groups} == {"7"}


def test_the_address_that_is_put_out_is_the_one_that_clients_are_to_use(template: dict[str, Any]) -> None:
    assert Resolved(template).outputs["Url"]["Value"].startswith("https://${RestAPI}.execute-api.")
    assert Resolved(template, PublicUrl=OWN).outputs["Url"]["Value"] == OWN


@pytest.mark.parametrize(("given", "host"), [({}, "Database.Endpoint.Address"), ({"DatabaseProxy": "true"}, "Proxy.Endpoint")])
def test_functions_reach_the_cluster_or_what_stands_before_it(
    template: dict[str, Any], given: dict[str, str], host: str
) -> None:
    functions = [name for name, each in template["Resources"].items() if each["Type"] == "AWS::Lambda::Function"]
    stack = Resolved(template, **given)
    for name in functions:
        url = stack.at(f"{name}.Environment.Variables.DATABASE_URL")
        account = "image_repo_admin" if name == "Admin" else "image_repo"
        resource, _, attribute = host.partition(".")
        expected = f"mysql+pymysql://{account}@{{'Fn::GetAtt': ['{resource}', '{attribute}']}}/image_repo_db"
        assert url == (None if name == "Decode" else expected)


@pytest.mark.parametrize("function", ["APIHandler", "Ingest", "Sweep", "Admin", "CheckKey"])
def test_with_an_existing_database_no_role_may_log_in_to_a_cluster(template: dict[str, Any], function: str) -> None:
    def sids(stack: Resolved) -> set[str]:
        role = stack.at(f"{function}.Role")["Fn::GetAtt"][0]
        return {
            statement["Sid"] for policy in stack.at(f"{role}.Policies") for statement in policy["PolicyDocument"]["Statement"]
        }

    own, existing = Resolved(template), Resolved(template, DatabaseUrl=DATABASE)
    assert {"ConnectToTheCatalog", "JoinTheNetwork"} <= sids(own)
    assert sids(own) - sids(existing) == {"ConnectToTheCatalog", "JoinTheNetwork"}
    assert {"Database", "Vpc", "FunctionSecurityGroup"} <= own.resources.keys() - existing.resources.keys()


def test_each_origin_is_what_the_gateway_answers_with(template: dict[str, Any]) -> None:
    for given, origin in (({}, "https://nowhere.invalid"), ({"PageOrigin": OWN}, OWN),
                          ({"PageOrigin": OWN, "AllowedOrigin": ELSEWHERE}, ELSEWHERE)):  # fmt: skip
        stack = Resolved(template, **given)
        paths = stack.at("RestAPI.Body.paths")
        preflights = [path["options"]["x-amazon-apigateway-integration"]["responses"]["default"] for path in paths.values()]
        answered = {each["responseParameters"]["method.response.header.Access-Control-Allow-Origin"] for each in preflights}
        assert answered == {f"'{origin}'"}
        refusals = stack.at("RestAPI.Body")["x-amazon-apigateway-gateway-responses"]
        header = "gatewayresponse.header.Access-Control-Allow-Origin"
        assert {each["responseParameters"][header] for each in refusals.values()} == {f"'{origin}'"}
