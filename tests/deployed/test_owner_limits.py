"""What an owner may have, where the limits are a deployed function's settings; `test_parameters` shows who gives it them."""

from collections.abc import Iterator

import pytest

from tests.deployed.client import Stack, client

#: In the order in which they are looked at: each is reached by what keeps to those before.
LIMITS = {"OWNER_MAX_OPEN_UPLOADS": "3", "OWNER_MAX_IMAGES": "2", "OWNER_MAX_BYTES": "1000"}


def configure(function: str, variables: dict[str, str]) -> None:
    functions = client("lambda")
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=function)


@pytest.fixture
def limited(stack: Stack) -> Iterator[Stack]:
    """The stack as somebody sees it who has nothing yet, and may not have much."""
    function = stack.outputs["APIHandlerName"]
    before = client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    assert before.keys() >= LIMITS.keys()
    key = stack.admin(command="create-key", owner="limited", scopes=["read", "write"])["key"]
    configure(function, before | LIMITS)
    try:
        yield Stack(stack.url, key, stack.outputs)
    finally:
        configure(function, before)


def test_an_owner_gets_no_more_than_the_limits_say(limited: Stack) -> None:
    for number, size, over in ((4, 1, "uploads under way"), (3, 1, "images"), (1, 1001, "bytes")):
        files = [{"name": f"{each}.png", "size": size} for each in range(number)]
        answer = limited.request("POST", "/image/uploads", json={"files": files})
        assert answer.json()["Code"] == "QuotaExceededError", answer.text
        assert over in answer.json()["Message"]
    limited.ask(("first.png", b"1" * 500), ("second.png", b"2" * 500))
