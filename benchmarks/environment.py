"""What the figures were measured on; without it they mean nothing."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path
from typing import Final

import psutil

from benchmarks.errors import UnavailableError
from benchmarks.pages import cost_of_idle_memory
from benchmarks.processes import output_of

_GIB: Final = 1024**3
_NOTABLE_COST: Final = 2.5
_UNKNOWN: Final = "unknown"
_VERSIONS_SCRIPT: Final = """
import importlib.metadata, json, platform, sys
found = {"Python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def python_versions(python: str, *packages: str) -> str:
    """Return the versions of an interpreter and of those `packages` that it has."""
    found: dict[str, str] = json.loads(output_of([python, "-c", _VERSIONS_SCRIPT, *packages]))
    return ", ".join(f"{name} {version}" for name, version in found.items())


def describe(folder: Path) -> dict[str, str]:
    """Return the facts about this machine and the disk that `folder` is on."""
    return {
        "CPU": _cpu(),
        "memory": f"{psutil.virtual_memory().total / _GIB:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "disk": _disk(folder),
        "idle memory": _idle_memory(folder),
        "harness": f"Python {platform.python_version()}, psutil {psutil.__version__}",
        "source": _commit(),
        "load before the run": f"{os.getloadavg()[0]:.2f} over one minute",
    }


def _cpu() -> str:
    info = _read(Path("/proc/cpuinfo"))
    fields = (line.partition(":") for line in info.splitlines())
    facts = {name.strip(): value.strip() for name, _, value in fields}
    model = facts.get("model name") or platform.processor() or _UNKNOWN
    virtual = ", virtual machine" if "hypervisor" in facts.get("flags", "").split() else ""
    governor = _read(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
    return f"{model}, {os.cpu_count()} cores{virtual}{f', governor {governor}' if governor else ''}"


def _disk(folder: Path) -> str:
    where = folder.resolve()
    mounts = [
        partition
        for partition in psutil.disk_partitions(all=True)
        if where.is_relative_to(partition.mountpoint)
    ]
    if not mounts:
        return _UNKNOWN
    mount = max(mounts, key=lambda partition: len(partition.mountpoint))
    size = psutil.disk_usage(str(where)).total / _GIB
    device = Path(mount.device).resolve().name
    kind = f"{mount.fstype}{_journal(mount.fstype, device)}"
    return f"{kind} ({mount.opts}) on {_device(device)}, {size:.0f} GiB"


def _journal(kind: str, device: str) -> str:
    if kind != "ext4" or any(Path("/proc/fs/jbd2").glob(f"{device}-*")):
        return ""
    return (
        " without a journal, where removing files makes creating others slow for minutes: "
        "servers that remove files, such as locks, pay for it"
    )


def _idle_memory(folder: Path) -> str:
    cost = cost_of_idle_memory(folder)
    if cost < _NOTABLE_COST:
        return f"costs {cost:.1f} times as much to write to as memory in use"
    return (
        f"costs {cost:.1f} times as much to write to as memory in use: the machine seems to give "
        "it back to a host, so trials of more than a second spread and favour fast servers"
    )


def _device(name: str) -> str:
    block = Path("/sys/class/block", name)
    if not block.exists():
        return name
    # A partition's queue and model stand with the disk it is a part of.
    disk = block if (block / "queue").exists() else block.resolve().parent
    model = _read(disk / "device" / "model")
    turns = _read(disk / "queue" / "rotational") == "1"
    kind = "rotational by its own account" if turns else "solid state"
    return ", ".join(part for part in (name, model, kind) if part)


def _commit() -> str:
    try:
        commit = output_of(["git", "rev-parse", "--short=12", "HEAD"]).strip()
        changed = output_of(["git", "status", "--porcelain", "--", "tusd_py", "benchmarks"])
    except UnavailableError:
        return _UNKNOWN
    return f"commit {commit}{', with changes' if changed.strip() else ''}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
