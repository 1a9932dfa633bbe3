"""What is owed to a catalog that does not answer."""

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.services.later import Later


class Catalog:
    """One that can be away, and that remembers what was done to it."""

    def __init__(self) -> None:
        self.away = False
        self.done: list[str] = []

    def write(self, what: str) -> None:
        if self.away:
            raise UnavailableError("not now")
        self.done.append(what)


def test_what_can_be_done_is_done_at_once_and_owed_no_more() -> None:
    catalog, later = Catalog(), Later()
    later.do(lambda: catalog.write("a"))
    later.catch_up()
    assert catalog.done == ["a"]


def test_what_cannot_be_done_is_done_in_the_end_and_holds_up_what_would_fail_as_well() -> None:
    catalog, later = Catalog(), Later()
    catalog.away = True
    later.do(lambda: catalog.write("a"))
    later.owe(lambda: catalog.write("b"))
    for _ in range(3):
        with pytest.raises(UnavailableError):
            later.catch_up()
    catalog.away = False
    later.catch_up()
    later.catch_up()
    assert sorted(catalog.done) == ["a", "b"]


def test_a_deed_that_can_never_be_done_holds_up_nothing() -> None:
    catalog, later = Catalog(), Later()
    later.owe(lambda: int("no number"))
    later.owe(lambda: catalog.write("a"))
    later.catch_up()
    assert catalog.done == ["a"]
