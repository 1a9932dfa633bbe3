"""The container's files, as far as they can be judged without Docker: what they name is there, and they agree."""

import json
import re
import subprocess
from dataclasses import fields
from fnmatch import fnmatch
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from chalicelib.settings import Settings, from_env
from tests.rules.modules import CHECKOUT

#: A line that is continued is one.
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "compose.yaml").read_text("utf-8"))
SERVER, DATABASE = COMPOSE["services"]["server"], COMPOSE["services"]["database"]
#: What the settings read under another name than their own.
_OTHERWISE = {"storage": "FILE_STORAGE_LOCATION"}
_NAMES = {_OTHERWISE.get(field.name, field.name.upper()) for field in fields(Settings)}
#: What is Python's and pip's, not ours.
_OF_THE_TOOLS = re.compile(r"PYTHON\w+|PIP_\w+")
#: Three numbers: a tag that moves makes another image tomorrow.
_PINNED = re.compile(r"[a-z]+:\d+\.\d+\.\d+(-[a-z-]+)?")


def instructions(name: str) -> list[str]:
    """What stands behind each such instruction."""
    return re.findall(rf"^{name} (.+)$", DOCKERFILE, re.MULTILINE)


def variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for line in instructions("ENV") for pair in line.split())


def command() -> list[str]:
    [given] = instructions("CMD")
    words: list[str] = json.loads(given)
    return words


def environment() -> dict[str, str]:
    """What the server is started with, a password having been chosen."""
    chosen = {**variables(), **SERVER["environment"]}
    return {name: re.sub(r"\$\{(\w+):[?-]([^}]*)\}", _chosen, value) for name, value in chosen.items()}


def _chosen(variable: re.Match[str]) -> str:
    return variable[2] if ":-" in variable[0] else "chosen"


def test_what_is_copied_is_in_the_checkout_and_let_through() -> None:
    sources = [source for line in instructions("COPY") for source in line.split()[:-1]]
    assert sources
    through = [line[1:] for line in (CHECKOUT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]
    for source in sources:
        tracked = subprocess.run(["git", "ls-files", source], cwd=CHECKOUT, capture_output=True, text=True, check=False).stdout
        assert tracked or (CHECKOUT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in through), source
    assert set(through) == set(sources)


def test_every_port_is_the_servers() -> None:
    port = command()[command().index("--port") + 1]
    assert instructions("EXPOSE") == [port]
    [published] = SERVER["ports"]
    host, outside, inside = published.split(":")
    assert (host, inside) == ("127.0.0.1", port)
    public = environment()["PUBLIC_URL"]
    assert urlsplit(public).port == int(outside)


@pytest.mark.parametrize("name", sorted({*variables(), *SERVER["environment"]}))
def test_every_variable_is_a_setting(name: str) -> None:
    assert name in _NAMES or _OF_THE_TOOLS.fullmatch(name)


def test_the_settings_can_be_used_and_ask_for_keys() -> None:
    settings = from_env(environment())
    assert settings.auth == "keys"
    assert str(settings.storage) in instructions("VOLUME")
    assert f"pictures:{settings.storage}" in SERVER["volumes"]
    url = urlsplit(settings.database_url or "")
    assert url.hostname in COMPOSE["services"]
    made = {name: value for name, value in DATABASE["environment"].items() if isinstance(value, str)}
    assert (url.username, url.path) == (made["MYSQL_USER"], f"/{made['MYSQL_DATABASE']}")
    assert "${MYSQL_PASSWORD:?" in made["MYSQL_PASSWORD"], "there is no password that everybody knows"


def test_the_server_waits_for_a_database_that_is_well() -> None:
    assert SERVER["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "mysqladmin ping" in DATABASE["healthcheck"]["test"][1]
    assert {volume.split(":")[0] for service in (SERVER, DATABASE) for volume in service["volumes"]} == set(COMPOSE["volumes"])


def test_it_runs_as_a_user_without_rights_what_the_requirements_bring() -> None:
    [user] = instructions("USER")
    assert f"useradd --create-home --uid 10001 {user}" in DOCKERFILE
    assert command()[:2] == ["chalice", "local"]
    assert "requirements-local.txt" in instructions("RUN")[0]
    assert re.search(r"^chalice==", (CHECKOUT / "requirements-local.txt").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("image", [*instructions("FROM"), DATABASE["image"]])
def test_an_image_is_pinned(image: str) -> None:
    assert _PINNED.fullmatch(image)


def test_the_workflow_runs_make_test_on_every_python_that_is_promised() -> None:
    workflow = yaml.safe_load((CHECKOUT / ".github" / "workflows" / "test.yml").read_text("utf-8"))
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[-1].split()[:2] == ["make", "test"]
    assert re.search(r"^test:", (CHECKOUT / "Makefile").read_text("utf-8"), re.MULTILINE)
