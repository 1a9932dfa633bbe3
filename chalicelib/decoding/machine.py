"""What this machine has, or the control group that this process is held to."""

import os
from pathlib import Path

_MEMINFO = Path("/proc/meminfo")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
#: Of all memory: what all decodings together take unless they are told otherwise, and what one that runs alone may take.
_BUDGET_SHARE, _CEILING_SHARE = 0.5, 0.75
#: How much memory each process that decodes large pictures should find, and how many there are at most.
_MEMORY_EACH, _MOST_PROCESSES = 4_000_000_000, 4


def usual_budget() -> int:
    """What all decodings together may take."""
    return int(_BUDGET_SHARE * total())


def usual_processes() -> int:
    """How many processes decode large pictures."""
    return max(1, min(_MOST_PROCESSES, os.cpu_count() or 1, round(total() / _MEMORY_EACH)))


def ceiling() -> int:
    """What one that runs alone may take now."""
    return min(int(_CEILING_SHARE * total()), _meminfo("MemAvailable") or total())


def total() -> int:
    """All memory there is for this process, in bytes."""
    machine = _meminfo("MemTotal") or os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits_of_control_groups()])


def _limits_of_control_groups() -> list[int]:
    """Those of this process's group and all around it, of either version."""
    found = []
    try:
        lines = Path("/proc/self/cgroup").read_text("ascii", "replace").splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, name = _CONTROL_GROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = _CONTROL_GROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = root / path.lstrip("/")
        # Inside a container the path may be that of the host, and the group itself the root that is seen.
        for folder in [group, *group.parents]:
            if folder.is_relative_to(root):
                found += _number(folder / name)
    return found


def _number(file: Path) -> list[int]:
    try:
        text = file.read_text("ascii").strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []


def _meminfo(name: str) -> int | None:
    try:
        lines = _MEMINFO.read_text("ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)
