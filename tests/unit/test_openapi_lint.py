"""The OpenAPI description as redocly and spectral judge it, by the rules that each recommends.

They run in pip's Node.js. Where `make javascript` has not brought them, these tests are skipped.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.api import openapi
from tests.system_packages import MissingPackageError

BIN = Path(__file__).parents[2] / "node_modules" / ".bin"
#: `/image/uploads/{upload_id}` and `/image/{image_id}/details` look alike to redocly. They are told apart: what is written out
#: comes before what stands for anything, by OpenAPI, by chalice and by API Gateway.
REDOCLY = "extends: [recommended]\nrules: {no-ambiguous-paths: off}\n"
SPECTRAL = "extends: ['spectral:oas']\n"
#: Neither is to tell anybody that it was run, or to ask whether there is a newer one.
SILENT = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "SCARF_ANALYTICS": "false"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With the description in it, and what it is judged by."""
    (tmp_path / "openapi.json").write_text(json.dumps(openapi.describe("http://127.0.0.1:8000"), indent=1), "utf-8")
    (tmp_path / "redocly.yaml").write_text(REDOCLY)
    (tmp_path / ".spectral.yaml").write_text(SPECTRAL)
    return tmp_path


def told(folder: Path, tool: str, *arguments: str) -> list[dict[str, object]]:
    """What the tool has to say of the description, as its JSON."""
    program = BIN / tool
    if not program.exists():
        raise MissingPackageError(f"{tool} is missing here: make javascript")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # in which the program looks for node
    environment = {"PATH": path, "HOME": str(folder), **SILENT}
    command = [str(program), "lint", "openapi.json", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    problems: list[dict[str, object]] = found["problems"] if isinstance(found, dict) else found
    return problems


def test_redocly_has_nothing_to_say(folder: Path) -> None:
    assert told(folder, "redocly", "--format", "json") == []


def test_spectral_has_nothing_to_say(folder: Path) -> None:
    assert told(folder, "spectral", "--format", "json", "--quiet") == []


def test_they_would_say_something(folder: Path) -> None:
    """So that an empty answer means what it seems to."""
    (folder / "openapi.json").write_text('{"openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {}}')
    assert told(folder, "redocly", "--format", "json")
    assert told(folder, "spectral", "--format", "json", "--quiet")
