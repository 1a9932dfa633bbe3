"""Server and client are released together, under one version."""

import re

import imagerepo

from chalicelib.settings import VERSION
from tests.rules.modules import CHECKOUT


def test_server_client_and_changelog_have_one_version() -> None:
    assert imagerepo.__version__ == VERSION
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (CHECKOUT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert released[0] == VERSION
