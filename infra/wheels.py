"""Whether what is in a Lambda package will run there: chalice compiles what has no fitting wheel, or leaves it out silently."""

import re
from collections.abc import Iterator
from pathlib import Path

#: The C library of each runtime; later Pythons have the last one.
_GLIBC = {(3, 11): (2, 26), (3, 12): (2, 34)}
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MACHINE = "x86_64"
_SHARED_OBJECT = re.compile(r"\.so(\.[0-9.]+)?$")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)")
_MANYLINUX = re.compile(rf"manylinux_([0-9]+)_([0-9]+)_{_MACHINE}")


def faults(package: Path, requirements: Path, python: tuple[int, int]) -> Iterator[str]:
    """What is wrong with an unpacked package for a runtime with this Python, each as a sentence."""
    installed = {path.name.removesuffix(".dist-info").lower().replace("-", "_") for path in package.glob("*.dist-info")}
    for name, version in _pins(requirements, python):
        wanted = f"{name.lower().replace('-', '_').replace('.', '_')}_{version}"
        if wanted not in installed:
            yield f"{name} {version} is not in the package: no wheel of it fits the runtime."
    glibc = _GLIBC.get(python, max(_GLIBC.values()))
    origin = {file: dist for dist in package.glob("*.dist-info") for file in _files(dist)}
    for path in sorted(package.rglob("*.so*")):
        file = path.relative_to(package).as_posix()
        if not _SHARED_OBJECT.search(file):
            continue
        if file not in origin:
            yield f"{file} came from no wheel."
        elif not any(_fits(tag, python, glibc) for tag in _tags(origin[file])):
            yield f"{file} came from a wheel for {', '.join(_tags(origin[file]))}, which a C library {glibc} cannot run."


def _pins(requirements: Path, python: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """The pins that hold for this Python; the only markers in use compare its version."""
    for line in requirements.read_text("utf-8").splitlines():
        pin = _PIN.match(line)
        marker = re.search(r'; python_version (<|>=) "([0-9]+)\.([0-9]+)"', line)
        if pin and (marker is None or (python < (int(marker[2]), int(marker[3]))) == (marker[1] == "<")):
            yield pin[1], pin[2]


def _files(dist: Path) -> list[str]:
    return [line.rsplit(",", 2)[0] for line in (dist / "RECORD").read_text("utf-8").splitlines()]


def _tags(dist: Path) -> list[str]:
    lines = (dist / "WHEEL").read_text("utf-8").splitlines()
    return [line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")]


def _fits(tag: str, python: tuple[int, int], glibc: tuple[int, int]) -> bool:
    interpreter, abi, platform = tag.split("-")
    version = re.fullmatch(r"cp3([0-9]+)", interpreter)
    if version is None or not (abi == interpreter == f"cp3{python[1]}" or (abi == "abi3" and int(version[1]) <= python[1])):
        return False
    legacy, _, machine = platform.partition("_")
    modern = _MANYLINUX.fullmatch(platform)
    if modern:
        return (int(modern[1]), int(modern[2])) <= glibc
    return machine == _MACHINE and legacy in _LEGACY and _LEGACY[legacy] <= glibc
