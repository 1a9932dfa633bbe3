"""`chalice local` with its pictures in a bucket: nothing tells it of new objects, and it takes them in all the same."""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests import pictures
from tests.deployed.client import fetched, post
from tests.deployed.emulator import REGION, Emulator, emulator
from tests.http.client import Api
from tests.http.server import running
from tests.http.waiting import wait_until


@pytest.fixture(scope="module")
def s3() -> Iterator[Emulator]:
    """A server that speaks S3's protocol and checks every signature."""
    with emulator() as server:
        yield server


@pytest.fixture
def bucket(s3: Emulator) -> str:
    """A new one, for a catalog of its own."""
    name = f"pictures-{secrets.token_hex(4)}"
    objects(s3).create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def objects(server: Emulator) -> Any:
    """Another client of the bucket than the program's own."""
    account = server.environment
    session = boto3.Session(account["AWS_ACCESS_KEY_ID"], account["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    return session.client("s3", endpoint_url=server.url)


def in_bucket(server: Emulator, bucket: str, prefix: str) -> list[str]:
    return [found["Key"] for found in objects(server).list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]


def settings(server: Emulator, bucket: str) -> Mapping[str, str]:
    return {**server.environment, "IMAGE_BUCKET": bucket}


def ended(api: Api, upload_id: str) -> Any:
    return wait_until(lambda: (state := api.status(upload_id))["status"] in ("stored", "duplicate", "rejected") and state)


def test_uploads_by_either_road_end_stored_in_the_bucket(s3: Emulator, bucket: str, tmp_path: Path) -> None:
    with running(tmp_path, settings(s3, bucket)) as server:
        whole = server.api.upload(pictures.png(1), "whole.png")
        assert whole.status == 201, whole
        ticket = server.api.ask_for(pictures.png(2))
        assert ticket["url"].startswith(s3.url)
        assert post(ticket, pictures.png(2)).status_code == 204
        state = ended(server.api, ticket["upload_id"])
        assert state["status"] == "stored"
        urls = [server.api.details(image)["original_url"] for image in (whole.json()["id"], state["image_id"])]
        assert fetched(urls) == [pictures.png(1), pictures.png(2)]
        again = server.api.upload(pictures.png(1), "again.png")
        assert (again.status, again.json()["id"]) == (200, whole.json()["id"])
        wait_until(lambda: not in_bucket(s3, bucket, "incoming/"))
        assert server.api.delete(state["image_id"]).status == 204
        assert len(in_bucket(s3, bucket, "")) == 4 + len(["repository-id"])
    assert not list(tmp_path.rglob("*.jpg"))


def test_what_arrives_while_no_server_runs_is_taken_in_by_the_next(s3: Emulator, bucket: str, tmp_path: Path) -> None:
    content = pictures.png(3)
    with running(tmp_path, settings(s3, bucket)) as server:
        ticket = server.api.ask_for(content)
        server.kill()
        assert post(ticket, content).status_code == 204
    with running(tmp_path, settings(s3, bucket)) as server:
        assert ended(server.api, ticket["upload_id"])["status"] == "stored"


def test_a_bucket_of_another_catalog_is_refused(s3: Emulator, bucket: str, tmp_path: Path) -> None:
    with running(tmp_path / "mine", settings(s3, bucket)) as server:
        assert server.api.upload(pictures.png(1), "mine.png").status == 201
    before = in_bucket(s3, bucket, "")
    with (
        pytest.raises(AssertionError, match=f"the store in the bucket {bucket} at {s3.url} do not belong together"),
        running(tmp_path / "another", settings(s3, bucket)),
    ):
        pass
    assert in_bucket(s3, bucket, "") == before


def test_a_second_server_watches_the_bucket_when_the_first_has_ended(s3: Emulator, bucket: str, tmp_path: Path) -> None:
    content = pictures.png(4)
    with running(tmp_path, settings(s3, bucket)) as first, running(tmp_path, settings(s3, bucket)) as second:
        first.kill()
        ticket = second.api.ask_for(content)
        assert post(ticket, content).status_code == 204
        assert ended(second.api, ticket["upload_id"])["status"] == "stored"


def test_the_catalog_and_what_is_worked_on_are_private_beside_a_bucket_too(s3: Emulator, bucket: str, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with running(folder, settings(s3, bucket)) as server:
        assert server.api.upload(pictures.png(5)).status in (200, 201)
        assert {path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077} == set()
