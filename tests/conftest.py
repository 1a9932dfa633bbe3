"""Options of the whole test suite."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--corpus", type=Path, default=None, help="a folder of image files for the tests that can take more than their own"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share one costly thing, such as a deployed stack, go to one worker: it is made once."""
    for item in items:
        for shared in ("deployed",):
            if f"tests/{shared}/" in item.nodeid:
                item.add_marker(pytest.mark.xdist_group(shared))
