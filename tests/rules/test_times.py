"""The times that must outlast each other, wherever each is set: a worker's end, its lease, and the event's return."""

import json
from typing import Any

import yaml

from chalicelib.settings import Settings, from_env
from tests.rules.modules import CHECKOUT

CONFIG: dict[str, Any] = json.loads((CHECKOUT / ".chalice" / "config.json").read_text("utf-8"))
FUNCTIONS = CONFIG["stages"]["prod"]["lambda_functions"]


class _Tags(yaml.SafeLoader):
    """CloudFormation's own tags are let be."""


_Tags.add_multi_constructor("!", lambda _loader, suffix, _node: suffix)
TEMPLATE: dict[str, Any] = yaml.load((CHECKOUT / "infra" / "template.yaml").read_text("utf-8"), _Tags)  # noqa: S506 - safe


def lease_seconds(function: str) -> int:
    return from_env(FUNCTIONS[function]["environment_variables"]).stale_seconds


def test_a_function_has_ended_before_its_lease_is_stale_and_that_before_the_event_returns() -> None:
    queue = TEMPLATE["Resources"]["IngestQueue"]["Properties"]
    ingest = FUNCTIONS["ingest"]
    assert ingest["lambda_timeout"] < lease_seconds("ingest") < queue["VisibilityTimeout"]


def test_whoever_judges_leases_judges_them_alike() -> None:
    assert lease_seconds("ingest") == lease_seconds("sweep") == lease_seconds("admin")


def test_a_decoder_is_given_up_before_its_function_ends() -> None:
    assert Settings.decode_seconds < FUNCTIONS["ingest"]["lambda_timeout"]
    assert Settings.decode_seconds < Settings.stale_seconds


def test_a_connection_is_given_up_before_its_function_ends() -> None:
    for function in ("ingest", "sweep", "admin"):
        environment = from_env(FUNCTIONS[function]["environment_variables"])
        assert environment.database_connect_seconds < FUNCTIONS[function]["lambda_timeout"]
    assert Settings.database_connect_seconds < FUNCTIONS["api_handler"]["lambda_timeout"] < 30
