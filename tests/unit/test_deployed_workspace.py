"""Functions that are ended while they work: what they wrote does not fill the place that the next start finds."""

import os
import subprocess
import sys
from pathlib import Path

FUNCTION = """
import os, signal
from pathlib import Path
from chalicelib.aws.composition import compose
from chalicelib.settings import Settings

settings = Settings(Path("/"), database_url="mysql+pymysql://a@b/c", image_bucket="pictures", on_lambda=True)
started = compose(settings)
assert started.ingest.scratch() == started.sweep.scratch() == started.workspace.folder
(started.workspace.folder / "copy").write_bytes(bytes(1000))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_every_start_of_a_function_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    for _ in range(3):
        ended = subprocess.run([sys.executable, "-c", FUNCTION], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
        assert ended.returncode == -9
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) == 1000
