"""`make bench-cold`: what a function's first look at the list costs, against what its libraries alone would cost.

Both run in fresh interpreters, alternately: the read path from the unpacked package, with the bytecode that the package
brings and writing none; the yardstick from this environment, its bytecode in place, which flatters it.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from infra.package import package

_ROUNDS = 11
_AIM = 0.6

_READ_PATH = """
import sys
sys.path.insert(0, sys.argv[1])
import app
from chalicelib import runtime
from chalicelib.repository import now
current = runtime.current()
for _ in range(50):
    current.store.url('thumbnails/' + '0' * 36 + '-1/256.jpg', 'image/jpeg', 'a.jpg', 'inline')
from chalicelib.catalog.database import Database, sqlite_url
from chalicelib.catalog.catalog import Catalog
from chalicelib.model.records import Filters
import pymysql
try:
    current.library.page('ann', Filters(), '-uploaded_at', 50, None)
except Exception as error:
    assert type(error).__name__ == 'UnavailableError', error
"""
_YARDSTICK = """
import chalice.app
import boto3
boto3.client('s3', region_name='eu-central-1')
import sqlalchemy.orm
import pymysql
"""
_ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "any",
    "AUTH": "keys",
    "IMAGE_BUCKET": "bucket",
    "DATABASE_URL": "mysql+pymysql://user@127.0.0.1:9/none",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        package(Path(folder) / "out", sys.version_info[:2], "x86_64")
        unpacked = Path(folder) / "unpacked"
        with zipfile.ZipFile(Path(folder) / "out" / "deployment.zip") as archive:
            archive.extractall(unpacked)
        base = getattr(sys, "_base_executable", sys.executable)
        ours, yardstick, bare = [], [], []
        for _ in range(_ROUNDS):
            ours.append(_seconds([base, "-I", "-S", "-B", "-c", _READ_PATH, str(unpacked)]))
            yardstick.append(_seconds([sys.executable, "-B", "-c", _YARDSTICK]))
            bare.append(_seconds([base, "-I", "-S", "-B", "-c", "pass"]))
    read, libraries, empty = (statistics.median(times) * 1000 for times in (ours, yardstick, bare))
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, yardstick, strict=True))
    print(f"read path {read:.0f} ms, libraries alone {libraries:.0f} ms (an empty interpreter {empty:.0f} ms)")
    print(f"ratio {ratio:.2f}, aim at most {_AIM}")
    return 0 if ratio <= _AIM else 1


def _seconds(command: list[str]) -> float:
    environment = {**_ENVIRONMENT, "PATH": os.environ["PATH"]}
    began = time.perf_counter()
    subprocess.run(command, env=environment, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
