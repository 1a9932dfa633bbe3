"""`sweep`: put right what faults have left behind, and check the invariants."""

import argparse
from typing import Any

from chalicelib import runtime, settings
from chalicelib.local import composition


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser("sweep", help="put right what faults have left behind, and check the invariants")
    parser.add_argument("--dry-run", action="store_true", help="only report what would be done; changes nothing at all")
    parser.add_argument("--all", action="store_true", help="set orphans aside even if they are most of the store")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    current = composition.compose_as_it_is(settings.from_env()) if chosen.dry_run else runtime.current()
    report = current.sweep.run(dry_run=chosen.dry_run, remove_all=chosen.all)
    current.queue.drain()
    print("Dry run, nothing was changed." if chosen.dry_run else "Swept.")
    for kind, count in sorted(report.done.items()):
        print(f"{count:8} {kind}")
    if not report.done:
        print("Nothing needed doing.")
    for problem in report.problems:
        print(f"PROBLEM: {problem}")
    if report.fault:
        print(f"BROKEN OFF: {report.fault}")
    print(f"{report.broken} broken invariants.")
    return 1 if report.problems or report.fault else 0
