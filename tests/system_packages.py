"""What tests need that pip does not bring: the package that has it, installed where that may be done, else named.

`python -m tests.system_packages` installs what is missing with Debian's apt-get, as root or with a sudo that asks nothing.
What is still missing then, and on other systems, the tests that need it are skipped, each with the line that would install it.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

#: What installs, by the program that a system has: of several the first that is there, and where none is, Debian's.
MANAGERS = {"apt-get": "sudo apt-get install", "dnf": "sudo dnf install", "brew": "brew install"}
#: Programs, and libraries by the name that the loader knows, with the package of each manager that has one.
PACKAGES: dict[str, dict[str, str]] = {
    "mariadbd": {"apt-get": "mariadb-server-core", "dnf": "mariadb-server", "brew": "mariadb"},
    "mariadb-install-db": {"apt-get": "mariadb-server-core", "dnf": "mariadb-server", "brew": "mariadb"},
    # mariadb-install-db calls it
    "my_print_defaults": {"apt-get": "mariadb-client-core", "dnf": "mariadb", "brew": "mariadb"},
    "setpriv": {"apt-get": "util-linux", "dnf": "util-linux"},
    "exiftool": {"apt-get": "libimage-exiftool-perl", "dnf": "perl-Image-ExifTool", "brew": "exiftool"},
    "chromium": {"apt-get": "chromium", "dnf": "chromium"},
    "curl": {"apt-get": "curl", "dnf": "curl", "brew": "curl"},
    "fc-list": {"apt-get": "fontconfig", "dnf": "fontconfig", "brew": "fontconfig"},
    # for the Node.js inside of playwright
    "libatomic.so.1": {"apt-get": "libatomic1", "dnf": "libatomic"},
}


class MissingPackageError(Exception):
    """A test cannot run here; the text says what to install."""


def needed(*names: str) -> str:
    """The path of the first of these, all of which are there. Raises `MissingPackageError`."""
    paths = [_found(name) for name in names]
    missing = [name for name, path in zip(names, paths, strict=True) if path is None]
    if missing:
        raise MissingPackageError(f"missing here; {how_to_install(missing)}")
    return str(paths[0])


def how_to_install(names: Sequence[str]) -> str:
    """The line that installs the packages of these programs and libraries, for the system that this is."""
    there = _manager()
    manager = there or "apt-get"
    packages = sorted({PACKAGES[name][manager] for name in names if manager in PACKAGES[name]})
    without = sorted(name for name in names if manager not in PACKAGES[name])
    line = f"{'' if there else 'on Debian: '}{MANAGERS[manager]} {' '.join(packages)}" if packages else ""
    none = f"{', '.join(without)}: {manager} has none" if without else ""
    return "; ".join(filter(None, (line, none)))


def _manager() -> str | None:
    return next((name for name in MANAGERS if shutil.which(name)), None)


def _found(name: str) -> str | None:
    if ".so" not in name:
        return shutil.which(name, path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    try:
        ctypes.CDLL(name)
    except OSError:
        return name if sys.platform != "linux" else None
    return name


def install(missing: Sequence[str]) -> bool:
    """Whether the packages were installed, without asking anybody."""
    apt = shutil.which("apt-get")
    if apt is None:
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and (shutil.which("sudo") is None or subprocess.run([*as_root, "true"], capture_output=True).returncode != 0):
        return False
    quiet = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", apt]
    commands = ([*quiet, "update", "-qq"], [*quiet, "install", "-y", "-qq", "--no-install-recommends", *missing])
    return all(subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0 for command in commands)


def main() -> int:
    missing = sorted(name for name in PACKAGES if _found(name) is None)
    packages = sorted({PACKAGES[name]["apt-get"] for name in missing})
    if missing and not install(packages):
        print(f"Tests that need {', '.join(missing)} will be skipped; {how_to_install(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
