"""The wheels of a Lambda package: fetched for the functions' runtime by whatever Python, and checked."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag
from packaging.utils import canonicalize_name

Python = tuple[int, int]


@dataclass(frozen=True)
class Target:
    """What a package is for: a Python, and a machine by the name that Linux has for it."""

    python: Python
    machine: str

    @property
    def abi(self) -> str:
        return f"cp{self.python[0]}{self.python[1]}"

    @property
    def platforms(self) -> list[str]:
        """What Amazon Linux 2023 runs, best first. Its C library is 2.34; for the oldest there are names alone."""
        newer = [f"manylinux_2_{minor}" for minor in range(34, 4, -1)]
        return [f"{name}_{self.machine}" for name in (*newer, "manylinux2014", "manylinux2010", "manylinux1")]


#: `e_machine` of an ELF file, by Linux's name. (System V ABI; its supplements for AMD64 and AArch64)
_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}
#: What of a package is our own: chalice puts the app, its library and its configuration there.
OURS = ("app.py", "chalicelib", "chalice", ".chalice")
_PIP = ("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")


def unpack(requirements: Path, wheels: Path, folder: Path, target: Target) -> None:
    """Fill `folder` with what the requirements pin, from wheels for Lambda's Python on this machine; nothing is compiled."""
    wanted = ["--implementation", "cp", "--abi", target.abi, "--python-version", ".".join(map(str, target.python))]
    wanted += [argument for platform in target.platforms for argument in ("--platform", platform)]
    command = [sys.executable, *_PIP, *wanted, "--dest", str(wheels), "--requirement", str(requirements)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own
    if done.returncode != 0:
        raise SystemExit(f"There are no wheels for Lambda's {target.abi} on {target.machine}:\n{done.stdout}{done.stderr}")
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)


def faults(package: Path, requirements: Path, target: Target) -> Iterator[str]:
    """What is wrong with an unpacked package for Lambda's Python on this machine, each as a sentence."""
    yield from _missing(package, requirements, target)
    yield from _unfit(package, target)
    yield from _strange(package)
    for folder in sorted(package.glob("*.data/*lib")):
        yield f"{folder.relative_to(package).as_posix()} is not where Python looks: its wheel must be installed, not unpacked."


def _missing(package: Path, requirements: Path, target: Target) -> Iterator[str]:
    """Each requirement, and each of what is in the package, that no distribution in the package meets."""
    there = {canonicalize_name(dist.name): dist for dist in distributions(path=[str(package)])}
    lines = (line.partition("#")[0].strip() for line in requirements.read_text("utf-8").splitlines())
    wanted = [("requirements.txt", Requirement(line)) for line in lines if line]
    wanted += [(dist.name, Requirement(line)) for dist in there.values() for line in dist.requires or []]
    for by, requirement in wanted:
        if requirement.marker is None or requirement.marker.evaluate(_environment(target)):
            found = there.get(canonicalize_name(requirement.name))
            if found is None or found.version not in requirement.specifier:
                yield f"{requirement.name}{requirement.specifier} is not in the package, and {by} needs it."


def _unfit(package: Path, target: Target) -> Iterator[str]:
    """Each shared library that came from no wheel, or from one for another system, or that is itself for another machine."""
    tags = {*cpython_tags(target.python, [target.abi], target.platforms)}
    fitting = {*tags, *compatible_tags(target.python, target.abi, target.platforms)}
    origin = {file: dist for dist in package.glob("*.dist-info") for file in _files(dist)}
    for path in sorted(package.rglob("*.so*")):
        file = path.relative_to(package).as_posix()
        if file not in origin:
            yield f"{file} came from no wheel."
        elif not any(tag in fitting and tag.platform != "any" for tag in _tags(origin[file])):
            yield f"{file} came from a wheel for {', '.join(map(str, _tags(origin[file])))}, which Lambda cannot run."
        elif _elf_machine(path) != _ELF_MACHINES[target.machine]:
            yield f"{file} is no library for {target.machine}, whatever its wheel says."


def _strange(package: Path) -> Iterator[str]:
    """Each file that is neither of a wheel, nor ours, nor bytecode of a module beside it."""
    known = {file for dist in package.glob("*.dist-info") for file in _files(dist)}
    for path in sorted(each for each in package.rglob("*") if each.is_file()):
        file = path.relative_to(package)
        of_ours = file.parts[0] in OURS or (file.parts[0] == "__pycache__" and file.name.startswith("app."))
        if not (of_ours or file.as_posix() in known or _is_bytecode(file, known)):
            yield f"{file.as_posix()} is neither ours nor of a wheel."


def _is_bytecode(file: Path, known: set[str]) -> bool:
    source = file.parent.parent / f"{file.name.partition('.')[0]}.py"
    return file.suffix == ".pyc" and file.parent.name == "__pycache__" and source.as_posix() in known


def _elf_machine(path: Path) -> int | None:
    """What the file says it is for; `None` where it is no library of Linux's."""
    head = path.read_bytes()[:20]
    return int.from_bytes(head[18:20], "little") if head.startswith(b"\x7fELF") else None


def _environment(target: Target) -> dict[str, str]:
    """What decides there whether a requirement holds."""
    version = f"{target.python[0]}.{target.python[1]}"
    system = {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": target.machine}
    interpreter = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    return {**system, **interpreter, "python_version": version, "python_full_version": f"{version}.0", "extra": ""}


def _files(dist: Path) -> list[str]:
    return [line.rsplit(",", 2)[0] for line in (dist / "RECORD").read_text("utf-8").splitlines()]


def _tags(dist: Path) -> list[Tag]:
    lines = (dist / "WHEEL").read_text("utf-8").splitlines()
    return [tag for line in lines if line.startswith("Tag: ") for tag in sorted(parse_tag(line.removeprefix("Tag: ")), key=str)]
