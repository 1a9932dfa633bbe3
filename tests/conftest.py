"""Options of the whole test suite, and what makes it the same whoever starts it."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share one costly thing, such as a deployed stack, go to one worker: it is made once."""
    for item in items:
        for shared in ("deployed",):
            if f"tests/{shared}/" in item.nodeid:
                item.add_marker(pytest.mark.xdist_group(shared))
