"""Keys: who gets in, as whom, and how far; and the commands that make them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import pictures
from tests.access_table import CELLS, GARBAGE, KEYS, REQUESTS, Cell
from tests.http.bearers import bearing, new_key, with_key
from tests.http.client import Api, assert_refused
from tests.http.server import Server, command, running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks for keys."""
    with running(tmp_path_factory.mktemp("guarded"), {"AUTH": "keys"}) as server:
        yield server


PRIVATE = ["/image/list", "/image/1", "/image/1/details", "/image/1/thumbnail", "/image/uploads/x"]


def test_without_a_key_only_what_is_public_is_answered(guarded: Server) -> None:
    api = guarded.api
    for path in PRIVATE:
        answer = api.get(path)
        assert_refused(answer, 401, "UnauthorizedError")
        assert answer.headers["www-authenticate"] == "Bearer"
    for refused in (api.upload(pictures.png(1)), api.ask({"name": "a", "size": 1}), api.delete(1)):
        assert_refused(refused, 401, "UnauthorizedError")
    for path in ("/", "/docs", "/health", "/openapi.json"):
        assert api.get(path).status == 200


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer x", "Basic dTpw", GARBAGE.removeprefix("Bearer "), f"{GARBAGE}A", f"{GARBAGE}, {GARBAGE}",
     GARBAGE.upper(), "Bearer " + "x" * 5000, "Bearer \xe9", "null"],
)  # fmt: skip
def test_what_is_not_even_like_a_key_is_a_401(guarded: Server, authorization: str) -> None:
    sender = bearing(guarded, authorization)
    for answer in (*(sender.get(path) for path in PRIVATE), sender.upload(pictures.png(1)), sender.delete(1)):
        assert_refused(answer, 401, "UnauthorizedError")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_that_nobody_made_is_a_403(guarded: Server, scheme: str) -> None:
    for path in PRIVATE:
        assert_refused(bearing(guarded, GARBAGE.replace("Bearer", scheme)).get(path), 403, "ForbiddenError")


@pytest.fixture(scope="module")
def bearers(guarded: Server) -> dict[str, Api]:
    """The API as each bearer of the table sees it."""
    made = {name: new_key(guarded, owner, *scopes) for name, (owner, scopes) in KEYS.items()}
    assert command(guarded.folder, "keys", "revoke", made["revoked"][0]).returncode == 0
    seen = {name: bearing(guarded, f"Bearer {text}") for name, (_, text) in made.items()}
    return {**seen, "nobody": guarded.api, "garbage": bearing(guarded, GARBAGE)}


@pytest.fixture(scope="module")
def shown(bearers: dict[str, Api]) -> tuple[int, str]:
    """An image, and an upload, of the table's owner."""
    return bearers["owner"].upload(pictures.png(20)).json()["id"], bearers["owner"].ask_for(pictures.png(21))["upload_id"]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_bearer_may_do_what_the_table_says(bearers: dict[str, Api], shown: tuple[int, str], cell: Cell) -> None:
    request, (image, upload) = REQUESTS[cell.request], shown
    if cell.status == 204:
        image = bearers["owner"].upload(pictures.png(30 + CELLS.index(cell))).json()["id"]
    headers = {"Content-Type": request.content_type}
    answer = bearers[cell.key].send(request.method, cell.target(image, upload), headers, request.body)
    if cell.code:
        assert_refused(answer, cell.status, cell.code)
    else:
        assert answer.status == cell.status, answer


def test_each_scope_opens_its_routes_and_no_others(guarded: Server) -> None:
    reader, writer = with_key(guarded, "scoped", "read"), with_key(guarded, "scoped", "write")
    image = writer.upload(pictures.png(1)).json()["id"]
    ticket = writer.ask_for(pictures.png(2))
    assert writer.post_ticket(ticket, pictures.png(2)).status == 204
    assert writer.get(f"/image/uploads/{ticket['upload_id']}").status == 200
    for path in ("/image/list", f"/image/{image}", f"/image/{image}/details", f"/image/{image}/thumbnail"):
        assert reader.get(path).status in (200, 302)
        assert_refused(writer.get(path), 403, "ForbiddenError")
    for refused in (reader.upload(pictures.png(3)), reader.ask({"name": "a", "size": 1}), reader.delete(image)):
        assert_refused(refused, 403, "ForbiddenError")
    assert writer.delete(image).status == 204


def test_two_owners_share_nothing_that_either_can_see(guarded: Server) -> None:
    one, other = (with_key(guarded, owner, "read", "write") for owner in ("one", "other"))
    content = pictures.png(5)
    mine, theirs = one.upload(content, "mine.png").json(), other.upload(content, "theirs.png").json()
    assert (mine["duplicate"], theirs["duplicate"]) == (False, False)
    assert (mine["owner"], theirs["owner"]) == ("one", "other")
    assert_refused(one.get(f"/image/{theirs['id']}/details"), 404, "NotFoundError")
    assert_refused(one.delete(theirs["id"]), 404, "NotFoundError")
    assert [image["id"] for image in one.list()["images"]] == [mine["id"]]
    assert one.delete(mine["id"]).status == 204
    assert other.follow(other.get(f"/image/{theirs['id']}")).body == content
    cursor = other.upload(pictures.png(6)).json() and other.list([("limit", 1)])["next_cursor"]
    assert_refused(one.get("/image/list", {"limit": 1, "cursor": cursor}), 400, "BadRequestError")


def test_only_an_admin_key_names_an_owner(guarded: Server) -> None:
    owner, admin = with_key(guarded, "watched", "read", "write"), with_key(guarded, "boss", "admin")
    image = owner.upload(pictures.png(7)).json()["id"]
    assert [one["id"] for one in admin.list([("owner", "watched")])["images"]] == [image]
    for path in (f"/image/{image}", f"/image/{image}/details", f"/image/{image}/thumbnail"):
        assert admin.get(path, {"owner": "watched"}).status in (200, 302)
        assert_refused(owner.get(path, {"owner": "watched"}), 403, "ForbiddenError")
    assert_refused(admin.upload(pictures.png(8)), 403, "ForbiddenError")
    assert admin.send("DELETE", f"/image/{image}?owner=watched", {}, b"").status == 204


def test_a_revoked_key_is_refused_and_the_list_says_so(guarded: Server) -> None:
    key_id, text = new_key(guarded, "leaving", "read")
    client = bearing(guarded, f"Bearer {text}")
    assert client.get("/image/list").status == 200
    revoked = command(guarded.folder, "keys", "revoke", key_id)
    assert (revoked.returncode, revoked.stdout) == (0, f"Key {key_id} is revoked.\n")
    assert_refused(client.get("/image/list"), 403, "ForbiddenError")
    (line,) = (line for line in command(guarded.folder, "keys", "list").stdout.splitlines() if line.startswith(key_id))
    assert "leaving" in line
    assert "revoked" in line
    assert text not in command(guarded.folder, "keys", "list").stdout


@pytest.mark.parametrize("arguments", [["revoke", "0123456789abcdef"], ["create", "--owner", "no owner!", "--scope", "read"]])
def test_a_key_that_cannot_be_made_or_revoked_is_a_line_on_standard_error(tmp_path: Path, arguments: list[str]) -> None:
    ran = command(tmp_path, "keys", *arguments)
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)


def test_a_limit_that_is_reached_is_a_403_and_stays_so_until_there_is_room(tmp_path: Path) -> None:
    with running(tmp_path, {"OWNER_MAX_IMAGES": "1"}) as server:
        image = server.api.upload(pictures.png(1)).json()["id"]
        assert_refused(server.api.upload(pictures.png(2)), 403, "QuotaExceededError")
        assert_refused(server.api.ask({"name": "a", "size": 1}), 403, "QuotaExceededError")
        server.api.delete(image)
        assert server.api.upload(pictures.png(2)).status == 201
