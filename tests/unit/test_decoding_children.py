"""Workers that hang, abort and burst, for real, and what the child that forked them and everybody else notice of it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from chalicelib.decoding.pool import Pool
from chalicelib.decoding.warm import DecoderDied, OutOfMemory, OutOfTime, PoolClosed, WarmChild
from chalicelib.errors import UnavailableError
from tests.http.waiting import is_running, wait_until
from tests.unit.hostile import MEMORY, MODULE, PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Iterator[BinaryIO]:
    path = tmp_path / "file"
    path.write_bytes(b"what the owner sent")
    with path.open("rb") as file:
        yield file


class Runner:
    """A pool, and a file to give to its workers."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.pool = Pool(MODULE)

    def run(self, task: str, seconds: float = PATIENCE) -> str:
        with open(self.file.name, "rb") as file:  # each job has its own place in the file, as in use
            return self.pool.run(file.fileno(), task.encode(), MEMORY, seconds).decode()


@pytest.fixture
def runner(file: BinaryIO) -> Iterator[Runner]:
    runner = Runner(file)
    yield runner
    runner.pool.close()


def children(pid: int) -> set[int]:
    """The processes that this one has forked and that are still there."""
    found = set()
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        found |= {int(child) for child in listed.read_text().split()}
    return found


def test_each_job_has_a_process_of_its_own_from_one_child(runner: Runner) -> None:
    before = children(os.getpid())
    workers = [int(runner.run("say who you are")) for _ in range(3)]
    assert len({os.getpid(), *workers}) == 4
    (child,) = children(os.getpid()) - before
    assert children(child) == set()


def test_a_worker_has_the_file(runner: Runner) -> None:
    assert runner.run("read") == "what the owner sent"


@pytest.mark.parametrize(
    ("task", "kind", "cause"),
    [
        ("abort", DecoderDied, "died of SIGABRT"),
        ("exit", DecoderDied, "ended with exit code 3"),
        ("leave", DecoderDied, "ended with exit code 5"),
        ("fail", DecoderDied, "ended with exit code 1"),
        ("eat memory", OutOfMemory, "more memory than it may have"),
        ("eat memory bit by bit", OutOfMemory, "more memory than it may have"),
        ("answer too much", DecoderDied, "answered more than"),
        ("start many threads", DecoderDied, "more threads than any picture needs"),
    ],
)
def test_a_worker_that_dies_is_reported_and_the_next_is_not_concerned(
    runner: Runner, task: str, kind: type[DecoderDied], cause: str
) -> None:
    with pytest.raises(kind, match=cause):
        runner.run(task)
    assert runner.run("read") == "what the owner sent"


@pytest.mark.parametrize(
    ("task", "cause"),
    [
        ("spin", "more than 1 seconds of processor time"),
        ("spin in C", "more than 1 seconds of processor time"),
        ("spin in threads", "more than 1 seconds of processor time"),
        ("wait", "did nothing for 1 seconds"),
        ("close everything and wait", "for 1 seconds|more than 1 seconds to answer"),  # to close is to begin to answer
        ("dribble", "for 1 seconds|more than 1 seconds to answer"),
    ],
)
def test_a_worker_that_hangs_is_ended(runner: Runner, task: str, cause: str) -> None:
    before = children(os.getpid())
    with pytest.raises(OutOfTime, match=cause):
        runner.run(task, seconds=1.0)
    assert not any(children(child) for child in children(os.getpid()) - before)


def test_time_that_a_worker_waits_for_a_processor_does_not_count(runner: Runner) -> None:
    """Here it is the time in which it waits for its turn on a processor that others keep busy."""
    processor = {min(os.sched_getaffinity(0))}
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        for hog in hogs:
            os.sched_setaffinity(hog.pid, processor)
        with ThreadPoolExecutor(1) as threads:
            job = threads.submit(runner.run, "spin", 1.0)
            wait_until(lambda: bool(workers_of_ours()))
            for worker in workers_of_ours():
                os.sched_setaffinity(worker, processor)
            with pytest.raises(OutOfTime, match="processor time"):
                job.result(PATIENCE)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def workers_of_ours() -> set[int]:
    """Of warm children alone: other tests of this process may keep servers running, which have children too."""
    warm = {child for child in children(os.getpid()) if MODULE.encode() in Path(f"/proc/{child}/cmdline").read_bytes()}
    return {worker for child in warm for worker in children(child)}


def test_ctrl_c_is_none_of_a_childs_business(file: BinaryIO) -> None:
    child = WarmChild(MODULE)
    os.kill(child.pid, signal.SIGINT)
    assert child.run(file.fileno(), b"read", MEMORY, PATIENCE) == b"what the owner sent"
    child.close()


def test_a_large_answer_passes(runner: Runner) -> None:
    assert len(runner.run("answer much")) == 8_000_000


def test_a_child_that_is_gone_is_not_the_files_fault_and_is_replaced(runner: Runner) -> None:
    before = children(os.getpid())
    assert runner.run("read")
    (child,) = children(os.getpid()) - before
    os.kill(child, signal.SIGKILL)
    with pytest.raises(UnavailableError):
        runner.run("read")
    assert runner.run("read")


def test_other_jobs_notice_nothing_of_one_that_dies(runner: Runner) -> None:
    def die() -> None:
        with pytest.raises(DecoderDied):
            runner.run("abort")

    def live() -> None:
        for _ in range(50):
            assert runner.run("read") == "what the owner sent"

    with ThreadPoolExecutor(3) as threads:
        for job in [threads.submit(act) for act in (die, live, die, live, die, live, die)]:
            job.result(PATIENCE)


class Interrupted(Exception):
    pass


def test_a_caller_that_is_interrupted_leaves_no_answer_for_the_next(runner: Runner) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    def interrupt_once_under_way() -> None:
        wait_until(lambda: bool(workers_of_ours()))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    assert runner.run("read")
    previous = signal.signal(signal.SIGUSR1, interrupt)
    bystander = threading.Thread(target=interrupt_once_under_way)
    bystander.start()
    with pytest.raises(Interrupted):
        runner.run("wait")
    bystander.join()
    signal.signal(signal.SIGUSR1, previous)
    assert runner.run("read") == "what the owner sent"


def test_closing_ends_the_jobs_under_way_without_blaming_them(runner: Runner) -> None:
    with ThreadPoolExecutor(1) as threads:
        job = threads.submit(runner.run, "wait")
        wait_until(lambda: len(workers_of_ours()) == 1)
        (worker,) = workers_of_ours()
        runner.pool.close()
        with pytest.raises(PoolClosed):
            job.result(PATIENCE)
    wait_until(lambda: not Path(f"/proc/{worker}").exists())
    with pytest.raises(PoolClosed):
        runner.run("read")
    runner.pool.close()


def test_a_child_that_cannot_start_is_not_the_files_fault(file: BinaryIO) -> None:
    pool = Pool("tests.unit.unloadable")
    for _ in range(2):
        with pytest.raises(UnavailableError):
            pool.run(file.fileno(), b"", MEMORY, PATIENCE)
    pool.close()


def _program(folder: Path, kind: str) -> list[str]:
    """A program as people start this one; `chalice` is a script without a suffix."""
    body = "import sys\nfrom tests.unit.hostile import main\nif __name__ == '__main__':\n    sys.exit(main(*sys.argv[1:]))\n"
    script = folder / "chalice"
    package = folder / "package" / "cli"
    package.mkdir(parents=True)
    for path in (script, package / "__main__.py"):
        path.write_text(body)
    return [sys.executable, *({"script": [str(script)], "module": ["-m", "package.cli"]}[kind])]


def _start(folder: Path, kind: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)])}
    return subprocess.Popen([*_program(folder, kind), *arguments], env=environment, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kind", ["script", "module"])
def test_it_works_however_the_program_was_started(tmp_path: Path, kind: str) -> None:
    with _start(tmp_path, kind, "say who you are") as program:
        output, _ = program.communicate(timeout=PATIENCE)
    assert output.strip().isdigit()
    assert program.returncode == 0


@pytest.mark.parametrize("task", ["wait", "spin", "spin in C"])
def test_a_program_killed_outright_leaves_no_child_behind(tmp_path: Path, task: str) -> None:
    with _start(tmp_path, "script", task) as program:
        wait_until(lambda: any(children(child) for child in children(program.pid)))
        left = {program.pid, *children(program.pid)} | {one for child in children(program.pid) for one in children(child)}
        program.kill()
    wait_until(lambda: not any(is_running(pid) for pid in left))
