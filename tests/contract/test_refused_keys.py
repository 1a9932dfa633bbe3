"""A client that goes on sending a key that is refused does not wake the database with it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.migrate import migrate
from chalicelib.errors import UnavailableError
from chalicelib.services.access import Access
from tests.access_table import GARBAGE
from tests.contract.making import NOW
from tests.databases import MariaDb, mariadb, new_database


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    """One that is stopped and started again, as a cluster that pauses."""
    with mariadb() as running:
        yield running


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def asleep(server: MariaDb) -> Iterator[tuple[Access, str, str, Clock]]:
    """Keys over a database that has gone to sleep: one that is good, and one that was revoked and asked about since."""
    with new_database(server.url) as url:
        database, clock = Database(url), Clock()
        migrate(database)
        access = Access(Catalog(database), clock)
        _, good = access.create("ann", ["read"])
        revoked, bad = access.create("ann", ["read"])
        access.revoke(revoked.id)
        assert access.bearer(f"Bearer {good}")
        assert access.bearer(f"Bearer {bad}") is None
        assert access.bearer(GARBAGE) is None
        server.kill()
        try:
            yield access, f"Bearer {good}", f"Bearer {bad}", clock
        finally:
            server.start()
            database.dispose()


def test_what_was_refused_is_refused_for_an_hour_without_a_word_to_the_catalog(asleep: tuple[Access, str, str, Clock]) -> None:
    access, good, revoked, clock = asleep
    for _ in range(3):
        assert access.bearer(revoked) is None
        assert access.bearer(GARBAGE) is None
    for malformed in ("", "null", "Basic dTpw", GARBAGE + "A"):
        assert access.bearer(malformed) is None
    clock.now += timedelta(hours=1)
    for key in (revoked, GARBAGE, good):
        with pytest.raises(UnavailableError):
            access.bearer(key)


def test_a_refusal_says_nothing_of_the_same_key_with_another_secret(asleep: tuple[Access, str, str, Clock]) -> None:
    access, good, _, _ = asleep
    with pytest.raises(UnavailableError):
        access.bearer(good[:-43] + "A" * 43)


def test_no_number_of_false_keys_shuts_out_a_good_one_or_fills_the_memory(server: MariaDb) -> None:
    with new_database(server.url) as url:
        database = Database(url)
        migrate(database)
        access = Access(Catalog(database), Clock())
        _, good = access.create("ann", ["read"])
        for number in range(5000):
            assert access.bearer(f"Bearer imr_{number:016x}_{'A' * 43}") is None
        assert access.bearer(f"Bearer {good}")
        server.kill()
        try:
            assert access.bearer(f"Bearer imr_{4999:016x}_{'A' * 43}") is None
            with pytest.raises(UnavailableError):
                access.bearer(f"Bearer imr_{0:016x}_{'A' * 43}")
        finally:
            server.start()
            database.dispose()
