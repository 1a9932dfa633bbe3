"""Keys at the deployed stack: its gateway, its authorizer and its views answer as the table says.

As on AWS the gateway keeps the authorizer's answer for a minute, so that one answer has to serve all of a key's requests. For
the same reason the revoked key was never used before: a key that was would work for a minute more.
"""

from dataclasses import replace

import pytest

from tests import pictures
from tests.access_table import CELLS, GARBAGE, KEYS, REQUESTS, Cell
from tests.deployed.client import Stack


@pytest.fixture(scope="module")
def keys(stack: Stack) -> dict[str, str]:
    """What each bearer of the table sends as its authorization."""
    made = {name: stack.admin(command="create-key", owner=owner, scopes=scopes) for name, (owner, scopes) in KEYS.items()}
    stack.admin(command="revoke-key", id=made["revoked"]["id"])
    return {"garbage": GARBAGE, **{name: f"Bearer {key['key']}" for name, key in made.items()}}


@pytest.fixture(scope="module")
def owner(stack: Stack, keys: dict[str, str]) -> Stack:
    """The stack as the table's owner sees it."""
    return replace(stack, key=keys["owner"].removeprefix("Bearer "))


@pytest.fixture(scope="module")
def shown(owner: Stack) -> tuple[int, str]:
    """An image, and an upload, of the table's owner."""
    [ticket] = owner.ask(("asked.png", b"to come"))
    return owner.upload("shown.png", pictures.png(500))["image_id"], ticket["upload_id"]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_every_bearer_may_do_what_the_table_says(
    owner: Stack, keys: dict[str, str], shown: tuple[int, str], cell: Cell
) -> None:
    request, (image, upload) = REQUESTS[cell.request], shown
    if cell.status == 204:
        image = owner.upload("to delete.png", pictures.png(510 + CELLS.index(cell)))["image_id"]
    headers = {"Content-Type": request.content_type, "Authorization": keys.get(cell.key, "")}
    answer = owner.request(request.method, cell.target(image, upload), headers=headers, content=request.body)
    assert answer.status_code == cell.status, answer.text
    if cell.code:
        assert answer.json().keys() == {"Code", "Message"}
        assert answer.json()["Code"] == cell.code


@pytest.mark.parametrize("bearer", ["nobody", "reader", "writer", "admin", "owner"])
def test_a_key_opens_for_head_what_it_opens_for_get(
    owner: Stack, keys: dict[str, str], shown: tuple[int, str], bearer: str
) -> None:
    image, upload = shown
    headers = {"Authorization": keys.get(bearer, "")}
    for path in ("/image/list", f"/image/{image}", f"/image/{image}/details", f"/image/uploads/{upload}", "/health"):
        head, get = (owner.request(method, path, headers=headers) for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (get.status_code, b""), path
