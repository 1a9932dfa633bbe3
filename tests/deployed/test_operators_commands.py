"""What an operator has besides `make deploy`: logs, the page's address, and a way to take all of it down again."""

import subprocess
import sys

from tests import pictures
from tests.deployed.client import Stack, until
from tests.deployed.conftest import ROOT, STACK, run


def test_the_logs_of_all_functions_are_shown_in_the_order_of_time(stack: Stack) -> None:
    upload = stack.upload("logged.png", pictures.png(700))["upload_id"]

    def lines() -> list[str]:
        return [line for line in run("infra.logs", "--stack", STACK, "--minutes", "60").splitlines() if upload in line]

    found = until(lines, lambda seen: len({line.partition(":")[0] for line in seen} & {"decode", "ingest"}) == 2)
    groups = [line.partition(":")[0] for line in found if line.startswith(("decode: ", "ingest: "))]
    assert groups.index("decode") < groups.index("ingest")


def test_what_is_not_there_cannot_be_taken_down(stack: Stack) -> None:
    assert stack.outputs
    command = [sys.executable, "-m", "infra.teardown", "--stack", "unheard-of", "--confirm", "unheard-of"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no stack unheard-of" in done.stderr
