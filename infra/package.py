"""`make package`: the functions' code and the stack's template in one folder, refused unless the code will run on Lambda."""

import argparse
import compileall
import os
import py_compile
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from infra.wheels import faults

_ROOT = Path(__file__).parent.parent
_PYTHON = sys.version_info[:2]
#: Every file of the same package has the same time, so that equal code makes an equal package.
_TIME = (1980, 1, 1, 0, 0, 0)


def package(out: Path) -> list[str]:
    """Fill `out` with `deployment.zip` and `sam.yaml`; returns what is wrong with them, each as a sentence."""
    _run_chalice(out)
    code = out / "deployment.zip"
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder)
        with zipfile.ZipFile(code) as archive:
            archive.extractall(unpacked)
        _compile(unpacked)
        _pack(unpacked, code)
        return list(faults(unpacked, _ROOT / "requirements.txt", _PYTHON))


def _run_chalice(out: Path) -> None:
    chalice = Path(sys.executable).with_name("chalice")
    command = [str(chalice), "package", "--stage", "prod", "--merge-template", "infra/template.yaml", str(out)]
    # The region only has to be set; the template holds for any.
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    done = subprocess.run(command, cwd=_ROOT, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode != 0:
        raise SystemExit(f"chalice package failed:\n{done.stdout}{done.stderr}")


def _compile(folder: Path) -> None:
    """Add bytecode: a function's folder cannot be written, so it would compile every module at every cold start.

    The files' times say nothing in a package; the bytecode is taken without looking at them.
    """
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(folder, quiet=2, stripdir=str(folder), invalidation_mode=unchecked)


def _pack(folder: Path, code: Path) -> None:
    with zipfile.ZipFile(code, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
                entry.external_attr = 0o755 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.package")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args(arguments).out.absolute()
    wrong = package(out)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{out / 'deployment.zip'}: {(out / 'deployment.zip').stat().st_size / 1e6:.1f} MB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
