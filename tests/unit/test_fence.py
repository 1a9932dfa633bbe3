"""The fence, attacked from inside: by root where the tests run as root, and by an ordinary user.

Each attack is tried without the fence as well, so that what is denied is denied by the fence.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.decoding.syscalls import seccomp_filter
from tests.unit.attacks import ATTACKS

ROOT = Path(__file__).parents[2]
#: What an ordinary user may not do anyway, or what containers deny.
ANYWAY_DENIED = {"user namespace", "io_uring", "trace", "read memory", "descriptor of a process"} | {
    "/proc mem",
    "thread in a namespace",
}
WHO = ["myself", *(["nobody"] if os.geteuid() == 0 else [])]


def tried(how: str, who: str) -> dict[str, str]:
    program = [sys.executable, "-m", "tests.unit.fence_trial", how, who]
    ran = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, str] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("who", WHO)
def test_behind_the_fence_every_attack_is_denied(who: str) -> None:
    found = tried("fenced", who)
    assert found.keys() == ATTACKS.keys()
    assert {name: outcome for name, outcome in found.items() if not outcome.startswith("denied")} == {}


@pytest.mark.parametrize("who", WHO)
def test_without_the_fence_the_attacks_succeed(who: str) -> None:
    found = tried("unfenced", who)
    assert {name for name, outcome in found.items() if not outcome.startswith("done")} <= ANYWAY_DENIED


def test_a_machine_whose_calls_are_not_known_has_no_filter() -> None:
    """It is then said to be missing, and the other layers hold."""
    assert seccomp_filter("riscv64", 1) is None
    assert seccomp_filter("aarch64", 1)
    assert seccomp_filter("x86_64", 1)


def test_what_the_system_does_not_grant_is_said_once_and_files_are_decoded_all_the_same() -> None:
    program = [sys.executable, "-m", "tests.unit.fence_missing"]
    ran = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    said = "the fence around the decoders lacks what this system does not grant: Landlock, seccomp\n"
    assert (ran.stdout, ran.returncode) == (said + "decoded all the same\n", 0), ran.stderr
