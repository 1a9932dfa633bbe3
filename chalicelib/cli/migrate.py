"""`migrate`: bring the catalog to this version's tables."""

import argparse
from typing import Any

from chalicelib import runtime


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser("migrate", help="bring the catalog to this version's tables")
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    runtime.current()  # whatever is built from the environment has its catalog migrated
    print("The catalog is up to date.")
    return 0
