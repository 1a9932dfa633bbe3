"""What a client does with the deployed stack, over plain HTTP: the contract, end to end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from chalicelib.sigv4 import Credentials
from chalicelib.storage.s3_presign import S3Presigner
from tests import pictures
from tests.access_table import GARBAGE
from tests.deployed.client import Stack, by_form, client, fetched, post
from tests.deployed.conftest import STACK, deploy, run
from tests.deployed.emulator import REGION, Emulator


def test_a_batch_of_tickets_is_asked_for_posted_and_taken_in(stack: Stack) -> None:
    files = [(f"batch {number}.png", pictures.png(100 + number)) for number in range(3)]
    tickets = stack.ask(*files)
    assert [ticket["action"] for ticket in tickets] == ["upload"] * 3
    for ticket, (_, content) in zip(tickets, files, strict=True):
        assert ticket["status_url"] == f"{stack.url}/image/uploads/{ticket['upload_id']}"
        assert post(ticket, content).status_code == 204
    states = [stack.ended(ticket["upload_id"]) for ticket in tickets]
    assert [state["status"] for state in states] == ["stored"] * 3
    for state, (name, content) in zip(states, files, strict=True):
        details = stack.get(f"/image/{state['image_id']}/details")
        assert (details["name"], details["owner"], details["byte_size"]) == (name, "ann", len(content))
        assert fetched([details["original_url"]]) == [content]
    assert not stack.objects("incoming/")


def test_redirects_lead_to_the_exact_bytes_under_their_name_and_type(stack: Stack) -> None:
    content = pictures.photo(7, 400, 300)
    image = stack.upload("Käse 漢.jpg", content)["image_id"]
    redirect = stack.request("GET", f"/image/{image}?disposition=attachment")
    assert redirect.status_code == 302
    served = httpx.get(redirect.headers["location"])
    assert (served.content, served.headers["content-type"]) == (content, "image/jpeg")
    assert "attachment" in served.headers["content-disposition"]
    assert "K%C3%A4se%20%E6%BC%A2.jpg" in served.headers["content-disposition"]
    small = stack.request("GET", f"/image/{image}/thumbnail?size=256")
    assert (small.status_code, httpx.get(small.headers["location"]).headers["content-type"]) == (302, "image/jpeg")
    [item] = [item for item in stack.get("/image/list?limit=200")["images"] if item["id"] == image]
    assert fetched([item["thumbnail_url"]]) == fetched([small.headers["location"]])
    details = stack.get(f"/image/{image}/details")
    assert (details["taken_at"], details["camera"]["make"]) == ("2008-10-22T16:28:39", "NIKON")


def test_an_image_sent_again_is_a_duplicate_and_is_kept_once(stack: Stack) -> None:
    first = stack.upload("first.png", pictures.png(8))
    assert first["status"] == "stored"
    again = stack.upload("again.png", pictures.png(8))
    assert (again["status"], again["match"], again["image_id"]) == ("duplicate", "file", first["image_id"])
    other_file = pictures.encoded(pictures.image(8), compress_level=1)
    same_pixels = stack.upload("other.png", other_file)
    assert (same_pixels["status"], same_pixels["match"], same_pixels["image_id"]) == ("duplicate", "pixels", first["image_id"])


def test_what_is_deleted_is_gone_with_its_objects(stack: Stack) -> None:
    image = stack.upload("to delete.png", pictures.png(9))["image_id"]
    url = stack.get(f"/image/{image}/details")["original_url"]
    storage_id = url.partition("/originals/")[2].partition("?")[0]
    assert len([key for key in stack.objects() if storage_id in key]) == 4
    assert stack.request("DELETE", f"/image/{image}").status_code == 204
    assert not [key for key in stack.objects() if storage_id in key]
    assert httpx.get(url).status_code == 404
    assert stack.request("GET", f"/image/{image}/details").json()["Code"] == "NotFoundError"
    assert stack.request("DELETE", f"/image/{image}").status_code == 404


def test_the_store_refuses_what_a_ticket_does_not_permit(stack: Stack) -> None:
    content = pictures.png(10)
    [ticket, other] = stack.ask(("a.png", content), ("b.png", content))
    assert post(ticket, content + b"\0").status_code == 400
    assert post(ticket, content, key=other["fields"]["key"]).status_code == 403
    assert post(ticket, content, key="originals/mine").status_code == 403
    assert post(ticket, content, **{"x-amz-signature": "0" * 64}).status_code == 403
    assert stack.status(ticket["upload_id"])["status"] == "pending"
    assert post(ticket, content).status_code == 204
    assert stack.ended(ticket["upload_id"])["status"] == "stored"


def test_the_store_refuses_a_ticket_whose_time_has_passed(stack: Stack, aws: Emulator) -> None:
    owner = Credentials(aws.environment["AWS_ACCESS_KEY_ID"], aws.environment["AWS_SECRET_ACCESS_KEY"])
    for hours, status in ((0, 204), (2, 403)):
        then = datetime.now(UTC) - timedelta(hours=hours)
        signer = S3Presigner(stack.outputs["ImageBucket"], REGION, aws.url, lambda: owner, clock_at(then))
        ticket = signer.ticket("incoming/" + "2" * 36, 1, then + timedelta(hours=1))
        assert post({"url": ticket.url, "fields": ticket.fields, "file_field": "file"}, b"x").status_code == status
    client("s3").delete_object(Bucket=stack.outputs["ImageBucket"], Key="incoming/" + "2" * 36)


def clock_at(moment: datetime) -> Callable[[], datetime]:
    return lambda: moment


def test_what_is_no_image_ends_rejected_with_its_reason(stack: Stack) -> None:
    rejected = stack.upload("letter.png", b"Dear Sir or Madam")
    assert (rejected["status"], rejected["error"]["Code"]) == ("rejected", "UnsupportedImageError")
    cut = stack.upload("cut.png", pictures.png(11, 300, 200)[:-60])
    assert (cut["status"], cut["error"]["Code"]) == ("rejected", "BadImageError")
    assert not stack.objects("incoming/")


def test_thirty_uploads_at_once_all_end_each_image_once(stack: Stack) -> None:
    files = [(f"burst {number}.png", pictures.png(200 + number % 20)) for number in range(30)]
    tickets = stack.ask(*files)
    with ThreadPoolExecutor(10) as pool:
        posted = pool.map(post, tickets, [content for _, content in files])
        assert {answer.status_code for answer in posted} == {204}
    states = [stack.ended(ticket["upload_id"]) for ticket in tickets]
    assert [state["status"] for state in states].count("stored") == 20
    assert [state["status"] for state in states].count("duplicate") == 10
    assert len({state["image_id"] for state in states}) == 20
    listed = [item["name"] for item in stack.get("/image/list?limit=200&name=burst")["images"]]
    assert len(listed) == 20


def test_one_request_brings_a_small_file_in(stack: Stack) -> None:
    image = by_form(stack, "small.png", pictures.png(12))
    assert stack.get(f"/image/{image}/details")["name"] == "small.png"


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "code"),
    [
        ("GET", "/image/list", {"Authorization": ""}, 401, "UnauthorizedError"),
        ("GET", "/image/list", {"Authorization": "Bearer imr_nonsense"}, 401, "UnauthorizedError"),
        ("GET", "/image/list", {"Authorization": GARBAGE}, 403, "ForbiddenError"),
        ("GET", "/nothing/here", {}, 404, "NotFoundError"),
        ("GET", "/store", {}, 404, "NotFoundError"),
        ("GET", "/image/list?colour=red", {}, 400, "BadRequestError"),
    ],
)
def test_every_refusal_has_the_contracts_shape(
    stack: Stack, method: str, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = stack.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["Code"]) == (status, code), answer.text
    assert answer.json().keys() == {"Code", "Message"}
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


def test_health_and_the_description_need_no_key(stack: Stack) -> None:
    assert httpx.get(f"{stack.url}/health", timeout=60).json()["status"] == "ok"
    assert httpx.get(f"{stack.url}/openapi.json", timeout=60).json()["servers"] == [{"url": stack.url}]


def test_a_key_that_may_only_read_cannot_delete(stack: Stack) -> None:
    image = stack.upload("kept.png", pictures.png(13))["image_id"]
    reader = Stack(stack.url, run("infra.key", "--stack", STACK, "--owner", "ann", "read").strip(), stack.outputs)
    assert reader.request("DELETE", f"/image/{image}").json()["Code"] == "ForbiddenError"
    assert reader.get(f"/image/{image}/details")["name"] == "kept.png"
    stranger = Stack(stack.url, stack.admin(command="create-key", owner="bob", scopes=["read"])["key"], stack.outputs)
    assert stranger.request("GET", f"/image/{image}/details").json()["Code"] == "NotFoundError"


def test_the_page_that_the_api_serves_may_use_it_and_one_that_the_operator_names(stack: Stack, deployable: Path) -> None:
    """The page's origin is that of the address which the stack got when it was there already."""
    own, other = "{0.scheme}://{0.netloc}".format(urlsplit(stack.url)), "https://gallery.example.org"
    assert allowed(stack) == (own, [own])
    try:
        deploy(deployable, f"AllowedOrigin={other}")
        assert allowed(stack) == (other, [own, other])
    finally:
        deploy(deployable, "AllowedOrigin=")
    assert allowed(stack) == (own, [own])


def allowed(stack: Stack) -> tuple[str, list[str]]:
    """The origin that may read the API's answers, and those that may post to the bucket."""
    (rule,) = client("s3").get_bucket_cors(Bucket=stack.outputs["ImageBucket"])["CORSRules"]
    return stack.request("GET", "/image/list").headers["access-control-allow-origin"], rule["AllowedOrigins"]
