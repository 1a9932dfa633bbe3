"""What tests need that pip does not bring: Debian's package of each, installed where that may be done, else named.

`python -m tests.system_packages` installs what is missing, as root or with a sudo that asks nothing. Whatever is still missing
then, the tests that need it are skipped, each with the line that would install it.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

#: Programs, and libraries by the name that the loader knows.
PACKAGES = {
    "mariadbd": "mariadb-server-core",
    "mariadb-install-db": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",  # mariadb-install-db calls it
    "setpriv": "util-linux",
    "exiftool": "libimage-exiftool-perl",
    "chromium": "chromium",
    "curl": "curl",
    "fc-list": "fontconfig",
    "libatomic.so.1": "libatomic1",  # for the Node.js inside of playwright
}


class MissingPackageError(Exception):
    """A test cannot run here; the text says what to install."""


def needed(*names: str) -> str:
    """The path of the first of these, all of which are there. Raises `MissingPackageError`."""
    paths = [_found(name) for name in names]
    missing = sorted({PACKAGES[name] for name, path in zip(names, paths, strict=True) if path is None})
    if missing:
        raise MissingPackageError(f"missing here; on Debian: sudo apt-get install {' '.join(missing)}")
    return str(paths[0])


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
    missing = sorted({package for name, package in PACKAGES.items() if _found(name) is None})
    if missing and not install(missing):
        print(f"Tests that need {', '.join(missing)} will be skipped. On Debian: sudo apt-get install {' '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
