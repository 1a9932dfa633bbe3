"""Each function's policy against what the function asks for: nothing is missing, and nothing is there that nobody needs."""

import fnmatch
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, delete, select, update

from chalicelib.aws.composition import NoDeliveries
from chalicelib.backends import open_bucket, open_database
from chalicelib.catalog.database import Database
from chalicelib.catalog.tables import images, originals
from chalicelib.decoding import findings
from chalicelib.repository import Repository, assemble, now
from chalicelib.services.findings import Reader
from chalicelib.settings import Settings
from chalicelib.storage import keys
from chalicelib.storage.workspace import Workspace
from tests import pictures
from tests.deployed.client import Stack, by_form, client, fetched, post, scheduled_sweep, until
from tests.deployed.conftest import STACK, run
from tests.deployed.emulator import REGION, Emulator
from tests.deployed.resolving import Resolved
from tests.deployed.roles import TRYING, roles, session_with
from tests.repositories import LIMITS, sweep_ahead

pytestmark = pytest.mark.usefixtures("impatient_queue")

#: What is granted, and asked for by no call of ours that is judged here.
NOT_SEEN = {
    "logs:CreateLogStream": "Lambda does so before our code runs",
    "logs:PutLogEvents": "Lambda does so, with what our code prints",
    "sqs:ReceiveMessage": "Lambda does so, to call the function",
    "sqs:DeleteMessage": "Lambda does so, after the function has returned",
    "sqs:GetQueueAttributes": "Lambda does so, to see how many it must call",
    "ec2:*": "Lambda does so, to join the network",
    "rds-db:connect": "logging in to a cluster is no request that the emulator judges",
    "kms:Decrypt": "S3 does so in the name of who reads",
    "kms:GenerateDataKey": "S3 does so in the name of who writes",
    "xray:*": "Lambda does so, beside our code",
}
#: Of these what is granted is needed at moments that nothing can bring about from outside, or that are not judged here.
RARE = {
    ("APIHandler", "s3:ListBucket", ""): "where an object is missing S3 says so to who has it, else 'forbidden'",
    ("Ingest", "s3:ListBucket", ""): "the same, and the first function that runs on a new repository looks whether it is empty",
    ("Ingest", "s3:PutObject", "repository-id"): "the first function that runs on a new repository leaves its id",
    ("Sweep", "s3:PutObject", "repository-id"): "the same",
    ("Ingest", "s3:DeleteObject", "originals/*"): "what another upload made superfluous while it was written",
    ("Ingest", "s3:DeleteObject", "thumbnails/*"): "the same",
}
NOBODYS = "0" * 36
#: A ticket's day of grace, and the age at which an object may be an orphan, are over then.
LATER = timedelta(hours=25)


class Right(NamedTuple):
    function: str
    action: str
    resource: str

    def covers(self, other: "Right") -> bool:
        return self.function == other.function and all(map(fnmatch.fnmatchcase, other[1:], self[1:]))

    @property
    def key(self) -> str:
        """What is named in the bucket."""
        return self.resource.partition("/")[2]


@pytest.fixture(scope="module")
def granted(stack: Stack) -> set[Right]:
    """Every right, one action and one resource at a time, as it stands in the account."""
    assert stack.outputs
    iam, found = client("iam"), set()
    for name, role in roles().items():
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                actions, resources = map(_listed, (statement["Action"], statement["Resource"]))
                found |= {Right(name, action, resource) for action in actions for resource in resources}
    return found


@pytest.fixture(scope="module")
def chosen(template: dict[str, Any]) -> set[tuple[str, str]]:
    """What each function may do, by its action, in a stack with all that an operator can choose: the one here has little."""
    stack, found = Resolved(template, DatabaseProxy="true", KmsKeyArn="arn:key", Tracing="true"), set()
    for name in roles():
        for policy in stack.at(f"{stack.at(f'{name}.Role')['Fn::GetAtt'][0]}.Policies"):
            for statement in policy["PolicyDocument"]["Statement"]:
                found |= {(name, action) for action in _listed(statement["Action"])}
    return found


@pytest.fixture(scope="module")
def asked(aws: Emulator, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[Right, bool]:
    """What each function has asked for while all of them did all that they do, and whether each time it was allowed."""
    other = Stack(stack.url, run("infra.key", "--stack", STACK, "--owner", "bob", "read", "write").strip(), stack.outputs)
    _use(stack)
    _adopt(stack)
    for seed, function in enumerate(("Sweep", "Admin")):
        repository = _repository_of(function, stack, aws, tmp_path_factory.mktemp(function))
        image_id = stack.upload("lacks a thumbnail.png", pictures.png(710 + seed))["image_id"]
        _share(stack, other, repository.database, pictures.png(720 + seed))
        with _nothing_taken_in("DecodeQueueUrl", "IngestQueueUrl"):
            _leave_behind(stack, repository, image_id, pictures.png(730 + seed))
            repository.belonging.settle_once()
            report = sweep_ahead(repository, LATER).run()
            assert (report.problems, report.fault) == ([], None)
        repository.close()
        _nothing_is_on_its_way(stack)
    for report in (scheduled_sweep(), stack.admin(command="sweep")):
        assert (report["problems"], report["fault"]) == ([], None)
    named = {role: name for name, role in roles().items()}
    found: dict[Right, bool] = {}
    for judgement in aws.judgements():
        role, _, session = judgement["principal"].partition(":assumed-role/")[2].partition("/")
        if role in named and session != TRYING:
            right = Right(named[role], judgement["action"], judgement["resource"])
            # A bucket's policy is asked as well, and allows nothing: either suffices.
            found[right] = found.get(right, False) or judgement["allowed"]
    return found


def _listed(one_or_more: str | list[str]) -> list[str]:
    return [one_or_more] if isinstance(one_or_more, str) else one_or_more


@contextmanager
def _nothing_taken_in(*queues: str) -> Iterator[None]:
    """What comes waits in these queues until this is over."""
    functions, stack = client("lambda"), client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    names = {item["OutputValue"].rpartition("/")[2] for item in stack["Outputs"] if item["OutputKey"] in queues}
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    paused = [each["UUID"] for each in mappings if each["EventSourceArn"].rpartition(":")[2] in names]
    assert len(paused) == len(queues)
    for mapping in paused:
        functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        yield
    finally:
        for mapping in paused:
            functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def _use(stack: Stack) -> None:
    """What clients and operators do."""
    image = stack.get(f"/image/{by_form(stack, 'by form.png', pictures.png(700))}/details")
    fetched([image["original_url"], *image["thumbnails"].values()])
    [ticket] = stack.ask(("often.png", pictures.png(701)))
    assert post(ticket, pictures.png(701)).status_code == 204
    assert stack.ended(ticket["upload_id"])["status"] == "stored"
    _nothing_is_on_its_way(stack)
    # Three versions lie there before one of them is forgotten: the emulator judges the first that a request deletes as if the
    # request named no version.
    with _nothing_taken_in("DecodeQueueUrl"):
        for _ in range(3):
            assert post(ticket, pictures.png(701)).status_code == 204
    _nothing_is_on_its_way(stack)
    assert stack.request("DELETE", f"/image/{image['id']}").status_code == 204
    assert stack.get("/health/ready")["status"] == "ok"
    stack.admin(command="migrate")
    with _nothing_taken_in("DecodeQueueUrl"):  # so Ingest is told of a finding that is lost, and has to ask for it again
        [ticket] = stack.ask(("lost.png", pictures.png(702)))
        assert post(ticket, pictures.png(702)).status_code == 204
        record = {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": keys.decoded(ticket["upload_id"])}}}
        client("sqs").send_message(QueueUrl=stack.outputs["IngestQueueUrl"], MessageBody=json.dumps({"Records": [record]}))
        until(lambda: stack.waiting("IngestQueueUrl"), lambda count: count == 0)
    assert stack.ended(ticket["upload_id"])["status"] == "stored"


def _nothing_is_on_its_way(stack: Stack) -> None:
    until(stack.waiting, lambda count: count == 0)
    until(lambda: stack.objects("incoming/") + stack.objects("decoded/"), lambda found: not found)


def _adopt(stack: Stack) -> None:
    """What an operator does whose bucket has lost its id."""
    client("s3").delete_object(Bucket=stack.outputs["ImageBucket"], Key=keys.REPOSITORY_ID)
    assert "belong together" in stack.admin(command="adopt", confirm=True)["done"]


def _share(stack: Stack, other: Stack, database: Database, content: bytes) -> None:
    """An image of two owners that is stored once, as the release before had it."""
    ids = [each.upload("shared.png", content)["image_id"] for each in (stack, other)]

    def share(connection: Connection) -> None:
        first, second = connection.execute(
            select(images.c.original_id).where(images.c.id.in_(ids)).order_by(images.c.id)
        ).scalars()
        connection.execute(update(images).where(images.c.id.in_(ids)).values(original_id=first))
        connection.execute(delete(originals).where(originals.c.id == second))
        connection.execute(update(originals).where(originals.c.id == first).values(owner=""))

    database.write(share)


def _leave_behind(stack: Stack, repository: Repository, image_id: int, content: bytes) -> None:
    """What faults leave: an upload whose event is lost, objects that no row names, an image without a thumbnail."""
    [ticket] = stack.ask(("not taken in.png", content))
    assert post(ticket, content).status_code == 204
    image = repository.catalog.images.get("ann", image_id)
    assert image
    s3, bucket = client("s3"), stack.outputs["ImageBucket"]
    s3.delete_object(Bucket=bucket, Key=keys.thumbnail(image.file.storage_id, 256, image.file.thumbnail_extension))
    nobodys = keys.new_storage_id()
    for key in (keys.incoming(NOBODYS), keys.decoded(NOBODYS), keys.original(nobodys), keys.thumbnail(nobodys, 256, "jpg")):
        s3.put_object(Bucket=bucket, Key=key, Body=b"nobody's")


def _repository_of(function: str, stack: Stack, aws: Emulator, folder: Path) -> Repository:
    """The repository as the function has it, with its role, so that it can be a day later there."""
    role = session_with(roles()[function], "running").get_credentials().get_frozen_credentials()
    configuration = client("lambda").get_function_configuration(FunctionName=stack.outputs["AdminFunction"])
    url, bucket = configuration["Environment"]["Variables"]["DATABASE_URL"], stack.outputs["ImageBucket"]
    credentials = (role.access_key, role.secret_key, role.token)
    settings = Settings(storage=folder, aws_endpoint_url=aws.url, aws_region=REGION, aws_credentials=credentials)
    reader = Reader(lambda data, path, sha256: findings.picture_in(data, path, sha256, LIMITS), findings.thumbnails_in)
    workspace = Workspace(folder / "work")
    workspace.prepare()
    store, database = open_bucket(settings, bucket, now), open_database(settings, url, 2, now)
    return assemble(settings, stack.url, database, store, NoDeliveries(), reader, workspace)


def test_nothing_is_missing(asked: dict[Right, bool]) -> None:
    assert asked
    assert {right for right, allowed in asked.items() if not allowed} == set()


def test_nothing_is_granted_in_vain(granted: set[Right], asked: dict[Right, bool]) -> None:
    seen = [right for right, allowed in asked.items() if allowed]
    idle = {right for right in granted if not any(right.covers(each) for each in seen)}
    unexplained = {right for right in idle if not any(fnmatch.fnmatchcase(right.action, action) for action in NOT_SEEN)}
    assert {right for right in unexplained if (right.function, right.action, right.key) not in RARE} == set()


def test_what_is_granted_by_a_choice_of_the_operators_alone_is_not_seen_here(
    granted: set[Right], chosen: set[tuple[str, str]]
) -> None:
    more = chosen - {(right.function, right.action) for right in granted}
    assert more
    assert [right for right in more if not any(fnmatch.fnmatchcase(right[1], action) for action in NOT_SEEN)] == []


def test_what_is_said_to_be_rare_or_not_seen_is_granted(granted: set[Right], chosen: set[tuple[str, str]]) -> None:
    assert RARE.keys() <= {(right.function, right.action, right.key) for right in granted}
    assert all(fnmatch.filter([action for _, action in chosen], action) for action in NOT_SEEN)


def test_what_lambda_does_for_a_function_concerns_that_function_alone(granted: set[Right]) -> None:
    """Its own logs, and the queues whose messages it is called with."""
    functions, own = client("lambda"), set()
    for function in functions.list_functions()["Functions"]:
        name = function["FunctionName"].split("-")[1]
        sources = functions.list_event_source_mappings(FunctionName=function["FunctionName"])["EventSourceMappings"]
        own |= {(name, source["EventSourceArn"]) for source in sources}
        own.add((name, f"{function['LoggingConfig']['LogGroup']}:*"))
    by_lambda = [right for right in granted if right.action.startswith(("logs:", "sqs:"))]
    assert {(right.function, right.resource.rpartition(":log-group:")[2]) for right in by_lambda} == own
