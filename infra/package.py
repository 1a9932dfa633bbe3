"""`make package`: the functions' code and the stack's template in one folder, refused unless the code will run on Lambda.

The functions have one runtime. Their wheels are fetched for it, and the template names it, whatever Python does the packaging.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from infra import page
from infra.wheels import Python, Target, faults, unpack

#: The functions' runtime: one that Lambda keeps until 2029, and the Python of Debian 13, where tests run this very package.
PYTHON: Python = (3, 13)

#: The machines that Lambda has, and what Linux calls them.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}

_ROOT = Path(__file__).parent.parent
_REQUIREMENTS = _ROOT / "requirements.txt"
#: Every file of the same package has the same time, so that equal code makes an equal package.
_TIME = (1980, 1, 1, 0, 0, 0)


def package(out: Path, python: Python, architecture: str) -> list[str]:
    """Fill `out` with `deployment.zip` and `sam.yaml`; returns what is wrong with them, each as a sentence."""
    target = Target(python, MACHINES[architecture])
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "unpacked"
        _run_chalice(_copy_of_the_app(Path(folder) / "app"), out)
        _name_the_runtime(out / "sam.yaml", python, architecture)
        with zipfile.ZipFile(out / "deployment.zip") as archive:
            archive.extractall(unpacked)
        unpack(_REQUIREMENTS, Path(folder) / "wheels", unpacked, target)
        _compile(unpacked, python)
        _pack(unpacked, out / "deployment.zip")
        return list(faults(unpacked, _REQUIREMENTS, target))


def _copy_of_the_app(folder: Path) -> Path:
    """The app with its page put together, and without its requirements: chalice would fetch them for the Python that runs it,
    and keep what it packed.
    """
    ignored = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(_ROOT / name, folder / name, ignore=ignored)
    shutil.copy(_ROOT / "app.py", folder)
    page.put_together(folder / "chalicelib" / "web")
    return folder


def _run_chalice(app: Path, out: Path) -> None:
    chalice = Path(sys.executable).with_name("chalice")
    template = _ROOT / "infra" / "template.yaml"
    command = [str(chalice), "package", "--stage", "prod", "--merge-template", str(template), str(out)]
    # The region only has to be set; the template holds for any.
    environment = {"AWS_DEFAULT_REGION": "us-east-1", **os.environ}
    done = subprocess.run(command, cwd=app, env=environment, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode != 0:
        raise SystemExit(f"chalice package failed:\n{done.stdout}{done.stderr}")


def _name_the_runtime(template: Path, python: Python, architecture: str) -> None:
    stack = yaml.safe_load(template.read_text("utf-8"))
    for resource in stack["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"] |= {"Runtime": f"python{python[0]}.{python[1]}", "Architectures": [architecture]}
    template.write_text(yaml.safe_dump(stack, sort_keys=False), "utf-8")


def _compile(folder: Path, python: Python) -> None:
    """Add bytecode: a function's folder cannot be written, so it would compile every module at every cold start.

    The files' times say nothing in a package; the bytecode is taken without looking at them.
    """
    interpreter = _interpreter(python)
    if interpreter is None:
        name = f"python{python[0]}.{python[1]}"
        print(
            f"No {name} here: the package goes without bytecode, and starts more slowly. See docs/operations.md.",
            file=sys.stderr,
        )
        return
    compileall = ["-I", "-m", "compileall", "-qq", "-s", str(folder), "--invalidation-mode", "unchecked-hash"]
    subprocess.run([interpreter, *compileall, str(folder)], check=True)  # noqa: S603 - our own


def _interpreter(python: Python) -> str | None:
    """A Python of this version on this machine. One that is found may still not start, such as the shim of a manager."""
    if python == sys.version_info[:2]:
        return sys.executable
    found = shutil.which(f"python{python[0]}.{python[1]}")
    if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:  # noqa: S603 - found by name
        return found
    return None


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
    parser.add_argument("--this-python", action="store_true", help="for the Python that runs this, to try the package here")
    parser.add_argument("--architecture", choices=MACHINES, default="x86_64", help="which of Lambda's machines it is for")
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args(arguments)
    out: Path = chosen.out.absolute()
    wrong = package(out, sys.version_info[:2] if chosen.this_python else PYTHON, chosen.architecture)
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    print(f"{out / 'deployment.zip'}: {(out / 'deployment.zip').stat().st_size / 1e6:.1f} MB")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
