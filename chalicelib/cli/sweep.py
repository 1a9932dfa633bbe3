"""`sweep`: put right what faults have left behind, and check the invariants."""

import argparse
from typing import Any

from chalicelib import runtime


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    parser = commands.add_parser("sweep", help="put right what faults have left behind, and check the invariants")
    parser.add_argument("--dry-run", action="store_true", help="only report what would be done")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    current = runtime.current()
    report = current.sweep.run(dry_run=chosen.dry_run)
    current.queue.drain()
    print("Dry run, nothing was changed." if chosen.dry_run else "Swept.")
    for kind, count in sorted(report.done.items()):
        print(f"{count:8} {kind}")
    if not report.done:
        print("Nothing needed doing.")
    for problem in report.problems:
        print(f"PROBLEM: {problem}")
    print(f"{len(report.problems)} broken invariants.")
    return 1 if report.problems else 0
