"""Options of the whole test suite, and what makes it the same whoever starts it."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # it has no types

from chalicelib import runtime
from tests.system_packages import MissingPackageError

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# `make soak` tries more.
settings.register_profile("soak", settings.get_profile("untimed"), max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))


if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As `nohup` and a shell's `&` leave it, to us and to every process that a test starts, and then interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.umask(0o022)
# No test may meet the folder in which its user keeps pictures.
os.environ["FILE_STORAGE_LOCATION"] = os.devnull


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--corpus", type=Path, default=None, help="a folder of image files for the tests that can take more than their own"
    )


@pytest.fixture(autouse=True)
def _no_runtime_is_left_behind() -> Iterator[None]:
    """Whatever a test has this process serve is gone after it; what its module had, is back."""
    before = runtime.use(None)
    runtime.use(before)
    yield
    runtime.use(before)


@contextmanager
def _skipping() -> Iterator[None]:
    try:
        yield
    except MissingPackageError as missing:
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """A test whose fixtures need what this machine lacks is skipped, and says what."""
    with _skipping():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    with _skipping():
        yield


class _OneWorkerForTheStack(LoadScopeScheduling):  # type: ignore[misc] # of which nothing is known then
    """Tests of the deployed stack go to one worker, which makes it once; all others to whichever is free.

    Our own instead of `--dist loadgroup`, whose groups xdist 3.8 writes where pytest 9.2 does not look for them.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "deployed" if nodeid.startswith("tests/deployed/") else nodeid


@pytest.hookimpl(optionalhook=True)  # there is none without xdist
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests wait for servers and for the disk, too."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _OneWorkerForTheStack(config, log)
