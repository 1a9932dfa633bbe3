"""Batch tickets, and what becomes of the uploads they are for."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib import runtime
from chalicelib.errors import UnavailableError
from chalicelib.model.facts import Facts
from chalicelib.model.pictures import Picture
from chalicelib.repository import Decoder, Repository
from tests import pictures
from tests.http.client import Api
from tests.http.conftest import PUBLIC_URL, MakeRuntime, in_process_api
from tests.http.waiting import Gate


def test_a_ticket_says_all_that_a_client_needs(api: Api) -> None:
    before = datetime.now(UTC)
    ticket = api.ask_for(pictures.png(1), "first.png")
    assert ticket.keys() == {
        "action",
        "name",
        "upload_id",
        "method",
        "url",
        "fields",
        "file_field",
        "expires_at",
        "status_url",
    }
    assert (ticket["action"], ticket["name"], ticket["method"], ticket["file_field"]) == ("upload", "first.png", "POST", "file")
    assert ticket["url"] == f"{PUBLIC_URL}/store"
    assert ticket["fields"]["key"] == f"incoming/{ticket['upload_id']}"
    assert ticket["fields"].keys() >= {"key", "policy"}
    assert ticket["status_url"] == f"{PUBLIC_URL}/image/uploads/{ticket['upload_id']}"
    assert ticket["expires_at"].endswith("Z")
    expires_at = datetime.fromisoformat(ticket["expires_at"])
    assert before + timedelta(hours=1) <= expires_at <= datetime.now(UTC) + timedelta(hours=1)


def test_a_posted_ticket_is_answered_with_204_and_becomes_an_image(api: Api, repository: Repository) -> None:
    ticket = api.ask_for(pictures.png(1), "first.png")
    answer = api.post_ticket(ticket, pictures.png(1))
    assert (answer.status, answer.body) == (204, b"")
    repository.queue.drain()
    state = api.fetch(ticket["status_url"]).json()
    assert state.keys() == {"upload_id", "name", "status", "created_at", "expires_at", "image_id"}
    assert (state["status"], state["upload_id"]) == ("stored", ticket["upload_id"])
    assert state["expires_at"] == ticket["expires_at"]
    assert api.details(state["image_id"])["name"] == "first.png"


def test_a_batch_is_answered_in_order_each_file_by_its_own_answer(make_runtime: MakeRuntime) -> None:
    make_runtime(max_bytes=1000)
    api = in_process_api()
    held = api.upload(pictures.png(1), "held.png").json()
    offers = [
        {"name": "new.png", "size": 999},
        {"name": "held again.png", "size": len(pictures.png(1)), "sha256": hashlib.sha256(pictures.png(1)).hexdigest()},
        {"name": "large.png", "size": 1001},
        {"name": "empty.png", "size": 0},
        {"name": "new.png", "size": 1000, "sha256": "0" * 64},
        {"name": "bad\u0007name", "size": 5},
        {"name": "n" * 10_000, "size": 5},
        {"name": "", "size": 5},
        {"name": "/etc/passwd", "size": 5},
        {"name": "shout.png", "size": len(pictures.png(1)), "sha256": hashlib.sha256(pictures.png(1)).hexdigest().upper()},
    ]
    answer = api.ask(*offers)
    assert answer.status == 201, answer
    answers = answer.json()["uploads"]
    assert [one["action"] for one in answers] == [
        "upload",
        "exists",
        "reject",
        "reject",
        "upload",
        "reject",
        "reject",
        "reject",
        "upload",
        "exists",
    ]
    assert answers[1] == {"action": "exists", "name": "held again.png", "image_id": held["id"]}
    assert [one["error"]["Code"] for one in answers if one["action"] == "reject"] == [
        "PayloadTooLargeError",
        "BadImageError",
        "BadRequestError",
        "BadRequestError",
        "BadRequestError",
    ]
    assert all(one.keys() == {"action", "name", "error"} for one in answers if one["action"] == "reject")
    assert answers[2]["name"] == "large.png"
    assert answers[8]["name"] == "passwd"
    assert len({one["upload_id"] for one in answers if one["action"] == "upload"}) == 3


def test_a_hundred_files_are_taken_in_one_batch(api: Api) -> None:
    answer = api.ask(*({"name": f"{n}.png", "size": n + 1} for n in range(100)))
    assert answer.status == 201, answer
    assert [one["name"] for one in answer.json()["uploads"]] == [f"{n}.png" for n in range(100)]


def test_exists_is_answered_for_pixel_duplicates_sent_before_and_no_longer_after_the_delete(api: Api) -> None:
    held = api.upload(pictures.png(1)).json()["id"]
    other_file = pictures.encoded(pictures.image(1), "BMP")
    assert api.ask_for(other_file, digest=True)["action"] == "upload"
    assert api.upload(other_file).json()["match"] == "pixels"
    assert api.ask_for(other_file, digest=True) == {"action": "exists", "name": "photo.jpg", "image_id": held}
    api.delete(held)
    assert api.ask_for(other_file, digest=True)["action"] == "upload"


def test_a_file_that_was_only_announced_does_not_exist(api: Api) -> None:
    api.ask_for(pictures.png(1), digest=True)
    assert api.ask_for(pictures.png(1), digest=True)["action"] == "upload"


def sent(api: Api, repository: Repository, content: bytes, declared: dict[str, Any] | None = None) -> Any:
    """The state of an upload by ticket, once it has been taken in."""
    offer = {"name": "photo.jpg", "size": len(content), **(declared or {})}
    ticket = api.ask(offer).json()["uploads"][0]
    assert api.post_ticket(ticket, content).status == 204
    repository.queue.drain()
    return api.status(ticket["upload_id"])


def test_an_upload_is_pending_until_its_bytes_have_come(api: Api) -> None:
    ticket = api.ask_for(pictures.png(1), "first.png")
    state = api.status(ticket["upload_id"])
    assert state == {
        "upload_id": ticket["upload_id"],
        "name": "first.png",
        "status": "pending",
        "created_at": state["created_at"],
        "expires_at": ticket["expires_at"],
    }
    assert state["created_at"].endswith("Z")


def test_a_duplicate_says_of_what_and_how_it_was_known(api: Api, repository: Repository) -> None:
    held = api.upload(pictures.png(1)).json()["id"]
    state = sent(api, repository, pictures.encoded(pictures.image(1), "TIFF"))
    assert (state["status"], state["image_id"], state["match"], state["differs"]) == ("duplicate", held, "pixels", [])
    state = sent(api, repository, pictures.png(1))
    assert (state["status"], state["image_id"], state["match"], state["differs"]) == ("duplicate", held, "file", [])


def test_a_refused_file_says_why(api: Api, repository: Repository) -> None:
    state = sent(api, repository, b"no image at all")
    assert state.keys() == {"upload_id", "name", "status", "created_at", "expires_at", "error"}
    assert (state["status"], state["error"]["Code"]) == ("rejected", "UnsupportedImageError")
    assert len(state["error"]["Message"].split()) >= 4


def test_bytes_that_are_not_those_declared_are_refused(api: Api, repository: Repository) -> None:
    state = sent(api, repository, pictures.png(1), {"sha256": hashlib.sha256(pictures.png(2)).hexdigest()})
    assert (state["status"], state["error"]["Code"]) == ("rejected", "BadDigestError")
    state = sent(api, repository, pictures.png(1), {"sha256": hashlib.sha256(pictures.png(1)).hexdigest()})
    assert state["status"] == "stored"


def test_an_upload_whose_bytes_never_came_ends_expired(api: Api, repository: Repository) -> None:
    ticket = api.ask_for(pictures.png(1), "first.png")
    later = replace(repository.sweep, clock=lambda: datetime.now(UTC) + timedelta(hours=26))
    later.run()
    state = api.status(ticket["upload_id"])
    assert state.keys() == {"upload_id", "name", "status", "created_at", "expires_at"}
    assert state["status"] == "expired"


def with_facts(decoder: Decoder, facts: dict[bytes, Facts]) -> Decoder:
    """A decoder that says of a file with this beginning of its digest what the test wants it to."""

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        return replace(decoder.examine(path, sha256, owner), facts=facts[sha256])

    return replace(decoder, examine=examine)


def test_a_duplicate_fills_what_is_unknown_and_names_what_differs(make_runtime: MakeRuntime, decoder: Decoder) -> None:
    first, second = pictures.png(1), pictures.encoded(pictures.image(1), "BMP")
    facts = {
        hashlib.sha256(first).digest(): Facts(camera_make="NIKON", camera_model="P6000", exif={"Make": "NIKON"}),
        hashlib.sha256(second).digest(): Facts(camera_make="Canon", latitude=43.5, longitude=11.9, exif={"Make": "Canon"}),
    }
    repository = make_runtime(decoder=with_facts(decoder, facts))
    api = in_process_api()
    held = api.upload(first).json()
    assert (held["camera"], held["location"]) == ({"make": "NIKON", "model": "P6000", "lens": None}, None)
    state = sent(api, repository, second)
    assert (state["status"], state["match"], state["differs"]) == ("duplicate", "pixels", ["camera", "exif"])
    assert api.details(held["id"]) == {
        **{name: value for name, value in held.items() if name != "duplicate"},
        "location": {"latitude": 43.5, "longitude": 11.9, "altitude": None},
    }


def test_the_image_of_an_upload_may_have_been_deleted_since(api: Api, repository: Repository) -> None:
    state = sent(api, repository, pictures.png(1))
    api.delete(state["image_id"])
    ended = api.status(state["upload_id"])
    assert (ended["status"], ended["image_id"]) == ("stored", state["image_id"])
    assert api.get(f"/image/{ended['image_id']}/details").status == 404


def test_an_upload_is_processing_while_a_decoder_works_on_it(make_runtime: MakeRuntime, decoder: Decoder) -> None:
    gate = Gate()

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        gate.pass_through()
        return decoder.examine(path, sha256, owner)

    repository = make_runtime(decoder=replace(decoder, examine=examine))
    api = in_process_api()
    ticket = api.ask_for(pictures.png(1))
    api.post_ticket(ticket, pictures.png(1))
    gate.wait_for_someone()
    state = api.status(ticket["upload_id"])
    gate.open()
    assert state.keys() == {"upload_id", "name", "status", "created_at", "expires_at"}
    assert state["status"] == "processing"
    repository.queue.drain()
    assert api.status(ticket["upload_id"])["status"] == "stored"


def test_a_fault_that_passes_costs_an_upload_nothing_but_time(make_runtime: MakeRuntime, decoder: Decoder) -> None:
    faults = [UnavailableError("The disk is away for a moment."), RuntimeError("a fault of ours")]

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        if faults:
            raise faults.pop()
        return decoder.examine(path, sha256, owner)

    repository = make_runtime(decoder=replace(decoder, examine=examine))
    assert sent(in_process_api(), repository, pictures.png(1))["status"] == "stored"
    assert faults == []


@pytest.mark.parametrize(
    "upload_id", ["0", "-1", "x", "0" * 36, "v" * 36, "0" * 10_000, "%00", "..%2f", "a b".replace(" ", "%20"), "é"]
)
def test_an_unknown_upload_is_a_404(api: Api, upload_id: str) -> None:
    answer = api.get(f"/image/uploads/{upload_id}")
    assert (answer.status, answer.json()["Code"]) == (404, "NotFoundError")


def test_another_owners_upload_looks_like_an_absent_one(api: Api, repository: Repository) -> None:
    upload = replace(repository.uploads, patience=0.0).receive("someone else", "a.png", pictures.png(1))
    absent = api.get("/image/uploads/" + "0" * 36)
    theirs = api.get(f"/image/uploads/{upload.id}")
    assert (theirs.status, theirs.body) == (absent.status, absent.body)
    repository.queue.drain()
    runtime.use(repository)
    assert api.list()["images"] == []
    assert api.ask_for(pictures.png(1), digest=True)["action"] == "upload"
