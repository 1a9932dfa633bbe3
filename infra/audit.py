"""`make audit`: no decoder with a published hole, and no package that is not pinned."""

import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pillow_heif
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from PIL import _avif, features

_ROOT = Path(__file__).parent.parent
_TABLE = Path(__file__).with_name("decoders.toml")
#: In this order, from what runs everywhere to what only tests need; the last names the rest.
_FILES = ("requirements.txt", "requirements-local.txt", "requirements-dev.txt", "constraints.txt")
#: Where Pillow says which release of a library it has; the number of a shared library's file is another.
_FEATURES = {
    "jpeg": "libjpeg_turbo",
    "tiff": "libtiff",
    "webp": "webp",
    "avif": "avif",
    "lcms2": "littlecms2",
    "zlib-ng": "zlib_ng",
}
_BUNDLED = re.compile(r"(?:\.libs|\.dylibs)/lib([A-Za-z0-9]+)-[0-9a-f]+\.so\.([0-9.]+)$")


def libraries() -> dict[str, str]:
    """Every library that the decoders bring along or say they use, and its version."""
    files = [str(file) for name in ("pillow", "pillow-heif") for file in distribution(name).files or []]
    found = {match[1]: match[2] for file in files if (match := _BUNDLED.search(file))}
    found |= {name: str(features.version(feature)) for name, feature in _FEATURES.items() if features.check(feature)}
    # Such as `dav1d [dec]:1.5.3-0-gb546257, aom [enc]:3.14.1`; one that could decode would be a name of its own.
    for name, job, version in re.findall(r"(\w+) \[([a-z/]+)\]:v?([0-9.]+)", _avif.codec_versions()):
        found[name if job in ("dec", "enc") else f"{name} {job}"] = version
    heif = pillow_heif.libheif_info()
    found["heif"] = heif["libheif"]
    for name, told in heif["decoders"].items():
        version = re.search(r"version ([0-9.]+)", told)
        found[name.removeprefix("lib")] = version[1] if version else "0"
    return found


def holes(found: Mapping[str, str], table: Mapping[str, Any]) -> Iterator[str]:
    """What must not decode: the libraries that are too old, unknown, or of an unknown age, each as a sentence."""
    for name, least in table["at-least"].items():
        if name not in found and not least.get("by-file"):
            yield f"{name}: nothing says which release is installed."
        elif name in found and Version(found[name]) < Version(least["version"]):
            yield f"{name} {found[name]} is older than {least['version']}: {least['holes']}."
    for name in sorted(found.keys() - table["at-least"].keys() - table["not-reached"].keys()):
        yield f"{name} {found[name]} is brought along, and infra/decoders.toml does not say whether it may be."


def unpinned(folder: Path) -> Iterator[str]:
    """Requirements in this folder that are not pinned, and what they need in their turn and is not, each as a sentence."""
    asked: list[Requirement] = []
    pins: dict[str, str] = {}
    for file in _FILES:
        for line in (folder / file).read_text("utf-8").splitlines():
            text = line.partition("#")[0].strip()
            if text and not text.startswith("-"):
                requirement = Requirement(text)
                exact = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
                if exact is None:
                    yield f"{file}: {text} is not one release."
                pins[canonicalize_name(requirement.name)] = exact[1] if exact else ""
                if file != "constraints.txt":
                    asked.append(requirement)
    yield from _unpinned_needs(asked, pins)


def _unpinned_needs(asked: list[Requirement], pins: Mapping[str, str]) -> Iterator[str]:
    looked_at = set()
    while asked:
        requirement = asked.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in looked_at or name == "pip":  # Python brings it
            continue
        looked_at.add((name, extras))
        try:
            there = distribution(name)
        except PackageNotFoundError:
            yield f"{name} is not installed."
            continue
        if pins.get(name) != there.version:
            yield f"{name} {there.version} is installed; pinned is {pins.get(name) or 'no release of it'}."
        for need in map(Requirement, there.requires or []):
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                asked.append(need)


def main() -> int:
    wrong = [*holes(libraries(), tomllib.loads(_TABLE.read_text("utf-8"))), *unpinned(_ROOT)]
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
