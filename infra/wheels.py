"""The wheels of a Lambda package: fetched for the functions' runtime by whatever Python, and checked."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag
from packaging.utils import canonicalize_name

Python = tuple[int, int]

#: What Amazon Linux 2023 runs, best first. Its C library is 2.34; only the older names of manylinux stand for the still older.
_PLATFORMS = [
    *(f"manylinux_2_{minor}_x86_64" for minor in range(34, 4, -1)),
    *(f"{name}_x86_64" for name in ("manylinux2014", "manylinux2010", "manylinux1")),
]
_PIP = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")


def unpack(requirements: Path, wheels: Path, folder: Path, python: Python) -> None:
    """Fill `folder` with what the requirements pin, from wheels for Lambda's Python of this version; nothing is compiled."""
    target = ["--implementation", "cp", "--abi", _abi(python), "--python-version", ".".join(map(str, python))]
    target += [argument for platform in _PLATFORMS for argument in ("--platform", platform)]
    command = [sys.executable, *_PIP, *target, "--dest", str(wheels), "--requirement", str(requirements)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode != 0:
        raise SystemExit(f"There are no wheels for Lambda's Python {python[0]}.{python[1]}:\n{done.stdout}{done.stderr}")
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def faults(package: Path, requirements: Path, python: Python) -> Iterator[str]:
    """What is wrong with an unpacked package for Lambda's Python of this version, each as a sentence."""
    yield from _missing(package, requirements, python)
    yield from _unfit(package, python)
    for folder in sorted(package.glob("*.data/*lib")):
        yield f"{folder.relative_to(package).as_posix()} is not where Python looks: its wheel must be installed, not unpacked."


def _missing(package: Path, requirements: Path, python: Python) -> Iterator[str]:
    """Each requirement, and each of what is in the package, that no distribution in the package meets."""
    there = {canonicalize_name(dist.name): dist for dist in distributions(path=[str(package)])}
    lines = (line.partition("#")[0].strip() for line in requirements.read_text("utf-8").splitlines())
    wanted = [("requirements.txt", Requirement(line)) for line in lines if line]
    wanted += [(dist.name, Requirement(line)) for dist in there.values() for line in dist.requires or []]
    for by, requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate(_environment(python)):
            found = there.get(canonicalize_name(requirement.name))
            if found is None or found.version not in requirement.specifier:
                yield f"{requirement.name}{requirement.specifier} is not in the package, and {by} needs it."


def _unfit(package: Path, python: Python) -> Iterator[str]:
    """Each shared library that came from no wheel, or from one for another system."""
    fitting = {*cpython_tags(python, [_abi(python)], _PLATFORMS), *compatible_tags(python, _abi(python), _PLATFORMS)}
    origin = {file: dist for dist in package.glob("*.dist-info") for file in _files(dist)}
    for path in sorted(package.rglob("*.so*")):
        file = path.relative_to(package).as_posix()
        if file not in origin:
            yield f"{file} came from no wheel."
        elif not any(tag in fitting and tag.platform != "any" for tag in _tags(origin[file])):
            yield f"{file} came from a wheel for {', '.join(map(str, _tags(origin[file])))}, which Lambda cannot run."


def _abi(python: Python) -> str:
    return f"cp{python[0]}{python[1]}"


def _environment(python: Python) -> dict[str, str]:
    """What decides there whether a requirement holds."""
    version = f"{python[0]}.{python[1]}"
    system = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"}
    interpreter = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return {**system, **interpreter, "python_version": version, "python_full_version": f"{version}.0", "extra": ""}


def _files(dist: Path) -> list[str]:
    return [line.rsplit(",", 2)[0] for line in (dist / "RECORD").read_text("utf-8").splitlines()]


def _tags(dist: Path) -> list[Tag]:
    lines = (dist / "WHEEL").read_text("utf-8").splitlines()
    return [tag for line in lines if line.startswith("Tag: ") for tag in sorted(parse_tag(line.removeprefix("Tag: ")), key=str)]
