"""`make soak`: the campaigns against the promises, with more tries than `make test` gives them, until the time is up.

    python -m tests.soak [minutes]

Each round runs every campaign with seeds of its own. Ends with a table, and with an error where a try failed.
"""

import os
import random
import re
import subprocess
import sys
import time

#: What each campaign attacks with, and the tests that are it.
CAMPAIGNS = {
    "files that hide something": [
        "tests/unit/test_imaging_same.py",
        "tests/unit/test_imaging_jpeg.py",
        "tests/unit/test_imaging_png.py",
    ],
    "containers, byte by byte": [
        "tests/unit/test_imaging_gif.py",
        "tests/unit/test_imaging_webp.py",
        "tests/unit/test_imaging_tiff.py",
        "tests/unit/test_imaging_bmp.py",
        "tests/unit/test_imaging_heif.py",
    ],
    "damaged and hostile files": [
        "tests/unit/test_imaging_bombs.py",
        "tests/unit/test_imaging_files.py",
    ],
    "kills under uploads": ["tests/http/test_kills.py"],
    "kills and pauses at each step": [
        "tests/contract/test_ingest_killed.py",
        "tests/contract/test_ingest_paused.py",
    ],
    "database away": [
        "tests/contract/test_catalog_faults.py",
        "tests/contract/test_ingest_waits.py",
    ],
    "the deployed stack under load": ["tests/deployed/test_load.py"],
    "disk full": [
        "tests/contract/test_full_disk.py",
        "tests/http/test_full_disk.py",
    ],
    "another catalog": [
        "tests/contract/store/test_belonging.py",
        "tests/http/test_belonging.py",
    ],
    "two servers": ["tests/http/test_two_servers.py"],
    "decoders that attack": [
        "tests/unit/test_fence.py",
        "tests/unit/test_decoding_children.py",
        "tests/unit/test_decoding_answers.py",
        "tests/unit/test_findings.py",
    ],
    "owners who probe": [
        "tests/http/test_owners.py",
        "tests/contract/test_catalog_quota.py",
        "tests/contract/test_catalog_cursors.py",
    ],
    "strangers at the door": [
        "tests/http/test_doors.py",
        "tests/client/test_hostile_server.py",
    ],
}
_TOTALS = re.compile(r"(\d+) (passed|failed|error)")


def main() -> int:
    ends = time.monotonic() + 60 * float(sys.argv[1] if len(sys.argv) > 1 else "15")
    tries, failures = dict.fromkeys(CAMPAIGNS, 0), dict.fromkeys(CAMPAIGNS, 0)
    rounds = 0
    while not rounds or time.monotonic() < ends:
        rounds += 1
        for name, tests in CAMPAIGNS.items():
            if rounds > 1 and time.monotonic() >= ends:
                break
            passed, failed = _run(tests, random.randrange(1 << 32))  # noqa: S311 - no secret
            tries[name] += passed + failed
            failures[name] += failed
            print(f"round {rounds}: {name}: {passed + failed} tries, {failed} failed", flush=True)
    print(f"\n{'campaign':<32}{'tries':>8}{'failed':>8}")
    for name in CAMPAIGNS:
        print(f"{name:<32}{tries[name]:>8}{failures[name]:>8}")
    return int(any(failures.values()))


def _run(tests: list[str], seed: int) -> tuple[int, int]:
    """How many tries passed and failed. What pytest says of those that failed is printed."""
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "soak", "SOAK_KILLS": "20", "SOAK_SEED": str(seed)}
    program = [sys.executable, "-m", "pytest", "-q", "-n", "2", f"--hypothesis-seed={seed}", *tests]
    ended = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    counted = {word: int(count) for count, word in _TOTALS.findall(ended.stdout)}
    failed = counted.get("failed", 0) + counted.get("error", 0)
    if not failed and (ended.returncode or not counted.get("passed")):
        failed = 1  # a campaign that tries nothing says nothing
    if failed:
        print(ended.stdout[-20_000:], ended.stderr[-5_000:], flush=True)
    return counted.get("passed", 0), failed


if __name__ == "__main__":
    sys.exit(main())
