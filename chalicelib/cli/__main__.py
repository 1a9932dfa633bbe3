"""`python -m chalicelib.cli COMMAND`: what an operator runs by hand."""

import argparse
import logging
import sys
from collections.abc import Sequence

from chalicelib.cli import adopt, keys, migrate, sweep
from chalicelib.errors import RepositoryError
from chalicelib.settings import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 for success, 1 for a fault or a broken invariant, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m chalicelib.cli", description="Commands for operators.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (adopt, keys, migrate, sweep):
        command.add_to(commands)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        status: int = chosen.run(chosen)
    except (SettingsError, RepositoryError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
