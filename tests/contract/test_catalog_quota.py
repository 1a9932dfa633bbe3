"""What each owner has, in counters: right after whatever happens, and no limit is passed by any number who ask at once."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, event, update

from chalicelib.catalog.catalog import Catalog
from chalicelib.catalog.database import Database
from chalicelib.catalog.tables import metadata, owners
from chalicelib.errors import QuotaExceededError
from chalicelib.model.records import LeaseLost, NewUpload, Overtaken, Quota, Upload
from tests.contract.making import LATER, NOW, admission, admitted, asked, entry, leased, pending

ASKERS = 24


def at_once(work: Callable[[], object]) -> Counter[object]:
    """What so many who ask at the same time are told."""
    start = threading.Barrier(ASKERS)

    def ask() -> object:
        start.wait()
        try:
            return work() or "taken"
        except QuotaExceededError:
            return "refused"

    with ThreadPoolExecutor(ASKERS) as threads:
        return Counter(job.result() for job in [threads.submit(ask) for _ in range(ASKERS)])


@pytest.mark.parametrize("quota", [Quota(max_open_uploads=5), Quota(max_images=5), Quota(max_bytes=5 * 5 + 4)])
@pytest.mark.parametrize("newcomer", [True, False])
def test_of_many_who_ask_at_once_as_many_are_taken_as_fit(catalog: Catalog, quota: Quota, newcomer: bool) -> None:
    owner = "new" if newcomer else "old"
    if not newcomer:
        catalog.images.delete(owner, admitted(catalog, "file", owner=owner).image_id)
    assert at_once(lambda: catalog.uploads.add([asked(owner=owner)], quota)) == {"taken": 5, "refused": ASKERS - 5}
    catalog.uploads.add([asked(owner="other")], quota)
    assert catalog.inventory.violations() == []


def test_several_uploads_of_one_ask_are_taken_together_or_not_at_all(catalog: Catalog) -> None:
    quota = Quota(max_open_uploads=5)
    catalog.uploads.add([asked() for _ in range(3)], quota)
    refused = [asked() for _ in range(3)]
    with pytest.raises(QuotaExceededError, match="Your limit is 5 uploads under way: 3 are taken, and 3 more do not fit"):
        catalog.uploads.add(refused, quota)
    assert [catalog.uploads.get(upload.id) for upload in refused] == [None] * 3
    catalog.uploads.add([asked() for _ in range(2)], quota)
    assert catalog.inventory.violations() == []


def test_what_is_held_and_what_is_under_way_count_together_and_an_end_makes_room(catalog: Catalog) -> None:
    quota = Quota(max_images=3)
    image_id = admitted(catalog, "held").image_id
    upload, waiting = leased(catalog), pending(catalog)
    with pytest.raises(QuotaExceededError):
        catalog.uploads.add([asked()], quota)
    catalog.uploads.reject(upload.id, upload.attempt, "BadImageError", "It is damaged.", NOW)
    catalog.uploads.add([asked()], quota)
    catalog.images.delete("local", image_id)
    catalog.uploads.add([asked()], quota)
    catalog.inventory.expire(waiting, LATER)
    catalog.uploads.add([asked()], quota)
    with pytest.raises(QuotaExceededError):
        catalog.uploads.add([asked()], quota)
    catalog.uploads.lease(waiting, LATER, NOW)  # its bytes came after all
    with pytest.raises(QuotaExceededError):
        catalog.uploads.add([asked()], Quota(max_images=4))


def test_a_ticket_that_has_run_out_no_longer_counts(catalog: Catalog) -> None:
    quota = Quota(max_open_uploads=2, max_bytes=10)
    for _ in range(2):
        catalog.uploads.add([asked()], quota)
    just = NOW + timedelta(hours=1)
    with pytest.raises(QuotaExceededError):
        catalog.uploads.add([asked(at=just - timedelta(microseconds=1))], quota)
    for _ in range(2):
        catalog.uploads.add([asked(at=just)], quota)
    with pytest.raises(QuotaExceededError):
        catalog.uploads.add([asked(at=just)], quota)
    assert catalog.inventory.violations() == []


def test_asking_never_reads_the_library(catalog: Catalog, database: Database) -> None:
    admitted(catalog, "file")
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _k, text, *_: statements.append(text))
    catalog.uploads.add([asked()])
    catalog.uploads.add([asked()], Quota(max_images=10, max_bytes=100, max_open_uploads=10))
    verbs = [(text.split()[0], "images" in text.partition("WHERE")[2]) for text in statements if not text.startswith("BEGIN")]
    assert verbs == [("INSERT", False), ("UPDATE", False), ("INSERT", False), ("UPDATE", False), ("SELECT", False)]
    statements.clear()
    with pytest.raises(QuotaExceededError):
        catalog.uploads.add([asked()], Quota(max_images=1))
    assert not [text for text in statements if "FROM images" in text]


def test_counters_that_went_wrong_are_found_and_set_right_one_owner_at_a_time(catalog: Catalog, database: Database) -> None:
    for owner in ("ann", "bob", "cid"):
        admitted(catalog, "file", owner=owner)
        pending(catalog, owner=owner)
    database.write(lambda connection: connection.execute(update(owners).where(owners.c.owner == "ann").values(images=7)))
    database.write(lambda connection: connection.execute(delete(owners).where(owners.c.owner == "cid")))
    assert catalog.inventory.miscounted("", 1) == ["ann"]
    assert catalog.inventory.miscounted("ann", 9) == ["cid"]
    assert [text for text in catalog.inventory.violations() if text.startswith("Owners whose counters are not what")] != []
    for owner in ("ann", "cid"):
        catalog.inventory.recount(owner)
    assert catalog.inventory.violations() == []


class Lives(RuleBasedStateMachine):
    """Whatever happens to uploads and images, in any order: every counter is what the rows say."""

    catalog: Catalog
    database: Database
    uploads = Bundle("uploads")
    leases = Bundle("leases")
    images = Bundle("images")

    @initialize()
    def begin_empty(self) -> None:
        for table in reversed(metadata.sorted_tables):
            self.database.write(lambda connection, table=table: connection.execute(delete(table)))  # type: ignore[misc]

    @rule(target=uploads, owner=st.sampled_from(("ann", "bob")), size=st.integers(1, 9))
    def ask(self, owner: str, size: int) -> str:
        upload = asked(owner=owner)
        sized = NewUpload(upload.id, owner, upload.name, size, None, upload.created_at, upload.expires_at)
        self.catalog.uploads.add([sized])
        return upload.id

    @rule(owner=st.sampled_from(("ann", "bob", "eve")))
    def ask_in_vain(self, owner: str) -> None:
        with pytest.raises(QuotaExceededError):
            self.catalog.uploads.add([asked(owner=owner)], Quota(max_bytes=0))

    @rule(target=leases, upload_id=uploads, takes_over=st.booleans())
    def lease(self, upload_id: str, takes_over: bool) -> Any:
        return self.catalog.uploads.lease(upload_id, NOW, NOW + timedelta(seconds=takes_over))

    @rule(upload=leases)
    def release(self, upload: Any) -> None:
        if isinstance(upload, Upload):
            self.catalog.uploads.release(upload.id, upload.attempt)

    @rule(upload=leases)
    def reject(self, upload: Any) -> None:
        if isinstance(upload, Upload):
            self._unless_lost(lambda: self.catalog.uploads.reject(upload.id, upload.attempt, "BadImageError", "No.", NOW))

    @rule(target=images, upload=leases, file=st.integers(0, 3), size=st.integers(1, 9), writes=st.booleans())
    def admit(self, upload: Any, file: int, size: int, writes: bool) -> Any:
        if not isinstance(upload, Upload):
            return None
        picture = entry(f"picture {file // 2}")
        attempt = admission(upload, f"file {file}", picture, written=writes, byte_size=size)
        done = self._unless_lost(lambda: self.catalog.images.admit(attempt, NOW).image_id)
        return done and (upload.owner, done)

    @rule(image=images)
    def delete(self, image: Any) -> None:
        if image:
            self.catalog.images.delete(*image)

    @rule(upload_id=uploads)
    def expire(self, upload_id: str) -> None:
        self.catalog.inventory.expire(upload_id, NOW)

    @rule(upload_id=consumes(uploads))
    def recover(self, upload_id: str) -> None:
        self.catalog.uploads.recover_interrupted([upload_id])

    @rule()
    def forget(self) -> None:
        self.catalog.inventory.forget_uploads(LATER, 3, dry_run=False)

    @invariant()
    def everything_is_counted(self) -> None:
        assert self.catalog.inventory.miscounted("", 9) == []

    def teardown(self) -> None:
        assert self.catalog.inventory.violations() == []

    def _unless_lost(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (LeaseLost, Overtaken):
            return None


def test_whatever_happens_in_any_order_every_counter_is_what_the_rows_say(
    catalog: Catalog, database: Database, engine: str
) -> None:
    machine = type("LivesHere", (Lives,), {"catalog": catalog, "database": database})
    few = settings(
        max_examples=15 if engine == "sqlite" else 4,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=few)
