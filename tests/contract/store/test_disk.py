"""What only the store on disk promises: its events, its privacy, and that it survives what happens to laptops."""

import json
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.storage import keys
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.disk_presign import StoreError
from chalicelib.storage.files import shared_secret
from tests.contract.store.conftest import read

ROOT = Path(__file__).parents[3]
UPLOAD = "0" * 36
INCOMING = keys.incoming(UPLOAD)
STORED = "0" * 32
ORIGINAL = keys.original(STORED)
THUMBNAIL = keys.thumbnail(STORED, 256, "jpg")


def now() -> datetime:
    return datetime.now(UTC)


def open_store(
    root: Path, on_incoming: Callable[[dict[str, Any]], None] | None = None, clock: Callable[[], datetime] = now
) -> DiskStore:
    return DiskStore(root, "http://127.0.0.1:8000/store", clock, on_incoming)


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_whatever_lands_in_incoming_is_told_of_as_s3_would(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    store = open_store(tmp_path, told.append)
    store.put(INCOMING, b"12345", "image/jpeg")
    store.post(store.ticket(INCOMING, 3, now() + timedelta(hours=1)).fields.items(), [b"123"])
    store.raise_event(INCOMING)
    with store.open(INCOMING) as reading:
        store.copy(INCOMING, reading.etag, ORIGINAL, "image/jpeg")
        etag = reading.etag
    store.put(THUMBNAIL, b"1", "image/jpeg")
    records = [record for event in json.loads(json.dumps(told)) for record in event["Records"]]
    assert [record["eventName"] for record in records] == ["ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy"]
    assert {record["eventSource"] for record in records} == {"aws:s3"}
    assert {unquote_plus(record["s3"]["object"]["key"]) for record in records} == {INCOMING}
    assert [record["s3"]["object"]["size"] for record in records] == [5, 3, 3]
    assert records[2]["s3"]["object"]["eTag"] == etag
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert sequencers == sorted(set(sequencers))


def test_the_event_comes_when_the_bytes_can_be_read(tmp_path: Path) -> None:
    seen: list[bytes] = []

    def look(event: dict[str, Any]) -> None:
        with store.open(unquote_plus(event["Records"][0]["s3"]["object"]["key"])) as reading:
            seen.append(read(reading))

    store = open_store(tmp_path, look)
    store.put(INCOMING, b"12345", "image/jpeg")
    assert seen == [b"12345"]


def test_a_refused_post_raises_no_event(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    store = open_store(tmp_path, told.append)
    with pytest.raises(StoreError):
        store.post(store.ticket(INCOMING, 3, now() + timedelta(hours=1)).fields.items(), [b"1234"])
    assert told == []


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o007])
def test_nobody_else_can_read_what_is_made(tmp_path: Path, umask: int) -> None:
    root = tmp_path / "some" / "new"
    before = os.umask(umask)
    try:
        store = open_store(root)
        store.put(ORIGINAL, b"x", "image/jpeg")
        store.put(THUMBNAIL, b"x", "image/jpeg")
        store.set_aside([THUMBNAIL], now())
    finally:
        os.umask(before)
    assert [path for path in files_in(root) if path.startswith("aside/") and path.endswith("/256.jpg")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*")) if path.is_dir()} == {0o700}
    assert {stat.S_IMODE((root / file).stat().st_mode) for file in files_in(root)} == {0o600}


def test_the_mode_of_a_folder_that_was_there_is_left_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "shared"
    root.mkdir()
    root.chmod(0o2775)
    open_store(root).put(ORIGINAL, b"x", "image/jpeg")
    assert stat.S_IMODE(root.stat().st_mode) == 0o2775
    assert {stat.S_IMODE(section.stat().st_mode) & 0o777 for section in root.iterdir() if section.is_dir()} == {0o700}


def test_deleting_leaves_neither_files_nor_folders(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.check_writing()  # by which it has its folder for files that are being worked on
    before = sorted(tmp_path.rglob("*"))
    store.put(ORIGINAL, b"x", "image/jpeg")
    store.put(THUMBNAIL, b"x", "image/jpeg")
    store.delete([THUMBNAIL, ORIGINAL])
    assert sorted(tmp_path.rglob("*")) == before


def test_a_copy_takes_no_room_and_tells_when_it_was_made(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put(INCOMING, b"x", "image/jpeg")
    os.utime(tmp_path / INCOMING, (0, 0))
    with store.open(INCOMING) as reading:
        for _ in range(2):
            store.copy(INCOMING, reading.etag, ORIGINAL, "image/jpeg")
    [copied] = store.list("originals/")
    assert now() - copied.modified < timedelta(hours=1), "a copy made just now would be swept as an old one"
    assert os.path.samefile(tmp_path / INCOMING, next(tmp_path.rglob(STORED)))
    assert len(files_in(tmp_path)) == 3


def test_where_a_file_can_have_no_more_names_its_bytes_are_copied(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.put(INCOMING, b"content", "image/jpeg")
    names = tmp_path / "names"
    names.mkdir()
    try:
        for number in range(70_000):
            os.link(tmp_path / "store" / INCOMING, names / str(number))
    except OSError:
        with store.open(INCOMING) as reading:
            store.copy(INCOMING, reading.etag, ORIGINAL, "image/jpeg")
        with store.open(ORIGINAL) as reading:
            assert read(reading) == b"content"
        assert len(files_in(tmp_path / "store")) == 3
    else:
        pytest.skip("this file system knows no limit")
    finally:
        shutil.rmtree(names)


def test_the_secret_is_agreed_on_by_all_who_come_first(tmp_path: Path) -> None:
    everyone = threading.Barrier(8)

    def come(path: Path) -> bytes:
        everyone.wait()
        return shared_secret(path)

    with ThreadPoolExecutor(8) as threads:
        for number in range(150):
            secrets = set(threads.map(come, [tmp_path / str(number)] * 8))
            assert len(secrets) == 1
            assert len(secrets.pop()) == 32


def test_the_secret_outlives_the_process_and_is_finished_if_its_maker_was_not(tmp_path: Path) -> None:
    (tmp_path / "signing-key").write_bytes(b"short")
    fields = open_store(tmp_path).ticket(INCOMING, 1, now() + timedelta(hours=1)).fields
    assert open_store(tmp_path).presigner.check_post(fields.items(), 1) == INCOMING
    assert len((tmp_path / "signing-key").read_bytes()) == 32


def test_strangers_in_the_folder_are_not_objects(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put(ORIGINAL, b"x", "image/jpeg")
    for stranger in (
        "incoming/.DS_Store",
        "originals/file",
        f"originals/{UPLOAD}-9",
        f"originals/{STORED}",
        "originals/00/notes.txt",
    ):
        (tmp_path / stranger).write_bytes(b"?")
    (tmp_path / "thumbnails/00").mkdir(parents=True)
    (tmp_path / f"thumbnails/00/{STORED}").write_bytes(b"a file where a folder should be")
    assert list(store.list("incoming/")) == []
    assert [found.key for found in store.list("originals/")] == [ORIGINAL]
    assert list(store.list("thumbnails/")) == []


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.files import shared_secret
store = DiskStore(Path(sys.argv[1]), "", lambda: datetime.now(UTC), None)
for number in range(1_000_000):
    for key in sys.argv[2:]:
        store.put(key, bytes([number % 256]) * 300_000, "")
    print(number, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_whole_objects_only(tmp_path: Path) -> None:
    for rounds in range(1, 8):
        arguments = [sys.executable, "-c", WRITER, str(tmp_path), INCOMING, THUMBNAIL]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, cwd=ROOT, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(rounds):
                last = int(writer.stdout.readline())
            writer.kill()
        store = open_store(tmp_path)
        for key in (INCOMING, THUMBNAIL):
            with store.open(key) as reading:
                content = read(reading)
            assert len(content) == 300_000
            assert len(set(content)) == 1
            assert content[0] >= last, "what was acknowledged is gone"
        assert len(files_in(tmp_path)) <= 3 + rounds


CRAMPED = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from chalicelib.errors import UnavailableError
from chalicelib.storage.disk import DiskStore
from chalicelib.storage.files import shared_secret
store = DiskStore(Path(sys.argv[1]), "", lambda: datetime.now(UTC), None)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    store.put(sys.argv[2], bytes(5000), "")
except UnavailableError as error:
    print(error)
"""


def test_a_file_that_the_system_will_not_take_whole_is_not_taken_at_all(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", CRAMPED, str(tmp_path), INCOMING]
    done = subprocess.run(arguments, capture_output=True, cwd=ROOT, text=True, check=True)
    assert "File too large" in done.stdout
    assert files_in(tmp_path) == ["signing-key"]


def test_a_folder_that_has_gone_is_a_store_that_is_down_not_an_empty_one(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    store.put(INCOMING, b"x", "image/jpeg")
    (tmp_path / "store").rename(tmp_path / "elsewhere")
    acts: list[Callable[[], object]] = [
        store.check,
        lambda: store.put(INCOMING, b"x", "image/jpeg"),
        lambda: store.head(INCOMING),
        lambda: store.open(INCOMING).__enter__(),
        lambda: store.copy(INCOMING, "", ORIGINAL, "image/jpeg"),
        lambda: store.raise_event(INCOMING),
        lambda: list(store.list("incoming/")),
    ]
    for act in acts:
        with pytest.raises(UnavailableError):
            act()
    assert not (tmp_path / "store").exists()


def test_a_place_that_cannot_be_a_store_is_one_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnavailableError):
        open_store(tmp_path / "file")


def test_running_out_of_descriptors_is_a_store_that_is_down(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put(INCOMING, b"x", "image/jpeg")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, before[1]))
    try:
        with pytest.raises(UnavailableError), store.open(INCOMING):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_readers_see_one_version_while_writers_replace_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put(INCOMING, bytes(500_000), "image/jpeg")

    def write(number: int) -> None:
        for _ in range(15):
            store.put(INCOMING, bytes([number]) * 500_000, "image/jpeg")

    def look() -> None:
        for _ in range(60):
            with store.open(INCOMING) as reading:
                content = read(reading)
            assert len(content) == 500_000
            assert len(set(content)) == 1

    with ThreadPoolExecutor(8) as threads:
        for job in [*(threads.submit(write, number) for number in range(4)), *(threads.submit(look) for _ in range(4))]:
            job.result()


def test_folders_that_come_and_go_lose_no_writer_its_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    sizes = range(256, 264)

    def come_and_go(size: int) -> None:
        key = keys.thumbnail(STORED, size, "jpg")
        for _ in range(60):
            store.put(key, b"content", "image/jpeg")
            with store.open(key) as reading:
                assert read(reading) == b"content"
            store.delete([key])
            list(store.list("thumbnails/"))

    with ThreadPoolExecutor(len(sizes)) as threads:
        for job in [threads.submit(come_and_go, size) for size in sizes]:
            job.result()
    assert files_in(tmp_path) == ["signing-key"]
