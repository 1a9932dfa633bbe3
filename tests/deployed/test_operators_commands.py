"""What an operator has besides `make deploy`: logs, the page's address, and a way to take all of it down again."""

import subprocess
import sys
from pathlib import Path

from tests import pictures
from tests.databases import MariaDb, new_database
from tests.deployed.client import Stack, client, until
from tests.deployed.conftest import CODE_BUCKET, ROOT, STACK, run


def test_the_logs_of_all_functions_are_shown_in_the_order_of_time(stack: Stack) -> None:
    upload = stack.upload("logged.png", pictures.png(700))["upload_id"]

    def lines() -> list[str]:
        return [line for line in run("infra.logs", "--stack", STACK, "--minutes", "60").splitlines() if upload in line]

    found = until(lines, lambda seen: len({line.partition(":")[0] for line in seen} & {"decode", "ingest"}) == 2)
    groups = [line.partition(":")[0] for line in found if line.startswith(("decode: ", "ingest: "))]
    assert groups.index("decode") < groups.index("ingest")


def test_a_stack_that_is_taken_down_leaves_its_bucket_and_says_so(deployable: Path, stack: Stack, database: MariaDb) -> None:
    def teardown(*confirm: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "infra.teardown", "--stack", "passing", *confirm]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert stack.outputs
    assert "There is no stack passing" in teardown("--confirm", "passing").stderr
    with new_database(database.url) as url:
        existing = f"DatabaseUrl={url.render_as_string(hide_password=False)}"
        deployment = ("--stack", "passing", "--bucket", CODE_BUCKET, "--package", str(deployable))
        told = run("infra.deploy", *deployment, existing, "DatabaseTls=false")
        bucket = next(line.split()[1] for line in told.splitlines() if line.startswith("ImageBucket "))
        with new_database(database.url) as another:  # which has no tables yet
            told = run("infra.deploy", *deployment, f"DatabaseUrl={another.render_as_string(hide_password=False)}")
            assert told.count("Step: tables") == 2
            assert "The API's function answers" in told
        client("s3").put_object(Bucket=bucket, Key="originals/of-somebody", Body=b"kept")
        asked = teardown()
        assert (asked.returncode, "CONFIRM=passing" in asked.stderr, bucket in asked.stderr) == (1, True, True)
        assert [each["StackName"] for each in client("cloudformation").describe_stacks(StackName="passing")["Stacks"]]
        done = teardown("--confirm", "passing")
        assert (done.returncode, done.stderr) == (0, ""), done
        assert f"Kept: the bucket {bucket}" in done.stdout
    assert client("s3").get_object(Bucket=bucket, Key="originals/of-somebody")["Body"].read() == b"kept"
    names = [function["FunctionName"] for function in client("lambda").list_functions()["Functions"]]
    assert [name for name in names if name.startswith("passing")] == []
    assert [name for name in names if name.startswith(STACK)]
