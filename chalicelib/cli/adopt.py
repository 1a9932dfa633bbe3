"""`adopt`: make the store the catalog's own, where the two are refused because they do not belong together."""

import argparse
from typing import Any

from chalicelib import settings
from chalicelib.local import composition


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser("adopt", help="make the store the catalog's own, where they do not belong together")
    parser.add_argument("--yes", "--confirm", action="store_true", help="do it; without this, only say what it would mean")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    compose = composition.compose_unsettled if chosen.yes else composition.compose_unsettled_as_it_is
    belonging = compose(settings.from_env()).belonging
    if belonging.is_settled():
        print(f"Nothing to do: {belonging.sides} belong together already.")
    elif chosen.yes:
        belonging.adopt()
        print(f"From now on {belonging.sides} belong together.")
    else:
        print(belonging.prospect())
        print("Nothing was changed. `python -m chalicelib.cli adopt --yes` does it.")
    return 0
