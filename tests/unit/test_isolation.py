"""Children that hang, abort and burst, for real."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path

import pytest

from chalicelib.errors import BadImageError, UnavailableError
from chalicelib.imaging.isolation import DecoderDied, DecoderPool, PoolClosed
from tests.unit.hostile import MEMORY, PATIENCE, announced, echo, work

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pool() -> Iterator[DecoderPool[[str], object]]:
    pool = DecoderPool(work, processes=1, seconds=PATIENCE, memory=MEMORY)
    yield pool
    pool.close()


@pytest.fixture
def announcing() -> Iterator[DecoderPool[[str, str], object]]:
    pool = DecoderPool(announced, processes=1, seconds=PATIENCE, memory=MEMORY)
    yield pool
    pool.close()


@pytest.fixture
def fifo(tmp_path: Path) -> str:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return str(path)


def test_a_child_is_used_again(pool: DecoderPool[[str], object]) -> None:
    first = pool.run("say who you are")
    assert first != os.getpid()
    assert pool.run("say who you are") == first


@pytest.mark.parametrize(
    ("task", "cause"),
    [
        ("abort", "died of SIGABRT"),
        ("exit", "ended with exit code 3"),
        ("leave", "ended with exit code 5"),
        ("eat memory", "more memory than it may have"),
    ],
)
def test_a_child_that_dies_is_reported_and_replaced(pool: DecoderPool[[str], object], task: str, cause: str) -> None:
    before = pool.run("say who you are")
    with pytest.raises(DecoderDied, match=cause):
        pool.run(task)
    assert pool.run("say who you are") not in (before, os.getpid())


@pytest.mark.parametrize("task", ["sleep", "spin", "spin in C"])
def test_a_child_that_hangs_is_killed(task: str) -> None:
    others = set(active_children())
    pool = DecoderPool(work, processes=1, seconds=0.3, memory=MEMORY)
    with pytest.raises(DecoderDied, match=r"longer than 0\.3 seconds"):
        pool.run(task)
    assert set(active_children()) <= others
    pool.close()


def test_an_error_comes_back_as_itself_and_costs_no_child(pool: DecoderPool[[str], object]) -> None:
    before = pool.run("say who you are")
    with pytest.raises(BadImageError) as caught:
        pool.run("refuse")
    assert caught.value.message == "The file is damaged."
    assert "_raise(BadImageError" in caught.value.__notes__[0], "where it happened is not told"
    with pytest.raises(KeyError, match="what"):
        pool.run("fail")
    with pytest.raises(RuntimeError, match="Unreadable: not to be read"):
        pool.run("fail unreadably")
    with pytest.raises(TypeError, match="pickle"):
        pool.run("answer unreadably")
    assert pool.run("say who you are") == before


def test_ctrl_c_is_none_of_a_childs_business(pool: DecoderPool[[str], object]) -> None:
    assert pool.run("be interrupted") == "unimpressed"


def test_large_values_pass_both_ways() -> None:
    pool = DecoderPool(echo, processes=1, seconds=PATIENCE, memory=MEMORY)
    content = os.urandom(20_000_000)
    assert pool.run(content) == content
    pool.close()


def test_no_more_children_run_than_there_may_be() -> None:
    pool = DecoderPool(work, processes=2, seconds=PATIENCE, memory=MEMORY)
    with ThreadPoolExecutor(8) as threads:
        children = set(threads.map(pool.run, ["say who you are"] * 200))
    assert 1 <= len(children) <= 2
    pool.close()


def test_other_jobs_notice_nothing_of_one_that_dies() -> None:
    pool = DecoderPool(work, processes=3, seconds=PATIENCE, memory=MEMORY)

    def die() -> None:
        with pytest.raises(DecoderDied):
            pool.run("abort")

    def live() -> None:
        for _ in range(100):
            assert isinstance(pool.run("say who you are"), int)

    with ThreadPoolExecutor(8) as threads:
        for job in [threads.submit(act) for act in (die, live, die, live, die, live, die)]:
            job.result(PATIENCE)
    pool.close()


class Interrupted(Exception):
    pass


def test_a_caller_that_is_interrupted_leaves_no_answer_for_the_next(
    announcing: DecoderPool[[str, str], object], fifo: str
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted

    def interrupt_once_under_way() -> None:
        Path(fifo).read_text()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    previous = signal.signal(signal.SIGUSR1, interrupt)
    bystander = threading.Thread(target=interrupt_once_under_way)
    bystander.start()
    with pytest.raises(Interrupted):
        announcing.run("sleep", fifo)
    bystander.join()
    signal.signal(signal.SIGUSR1, previous)
    assert announcing.run("be interrupted", os.devnull) == "unimpressed"


def test_closing_ends_the_jobs_under_way_without_blaming_them(announcing: DecoderPool[[str, str], object], fifo: str) -> None:
    with ThreadPoolExecutor(2) as threads:
        job = threads.submit(announcing.run, "sleep", fifo)
        child = int(Path(fifo).read_text())
        waiting = threads.submit(announcing.run, "say who you are", os.devnull)
        announcing.close()
        for one in (job, waiting):
            with pytest.raises(PoolClosed):
                one.result(PATIENCE)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    with pytest.raises(PoolClosed):
        announcing.run("say who you are", os.devnull)
    announcing.close()


class FatalToLoad:
    """Stands in for a decoder whose library cannot be loaded."""

    def __call__(self) -> None: ...

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (7,)


def test_a_child_that_cannot_start_is_not_the_files_fault() -> None:
    pool = DecoderPool(FatalToLoad(), processes=1, seconds=PATIENCE, memory=MEMORY)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            pool.run()
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
    with _start(tmp_path, kind, "be interrupted") as program:
        output, _ = program.communicate(timeout=PATIENCE)
    assert output == "unimpressed\n"
    assert program.returncode == 0


@pytest.mark.parametrize("task", ["sleep", "spin", "spin in C"])
def test_a_program_killed_outright_leaves_no_child_behind(tmp_path: Path, task: str) -> None:
    with _start(tmp_path, "script", task, "orphaned") as program:
        # The child holds the same standard output, so its end comes only when the child has gone too.
        output, _ = program.communicate(timeout=PATIENCE)
    assert output == ""
    assert program.returncode == -signal.SIGKILL
