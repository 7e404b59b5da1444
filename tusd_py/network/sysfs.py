"""What Linux says of interfaces in its files; nothing on other systems.

They are read without waiting for anything, but they are files: call these in a worker thread.
"""

from pathlib import Path
from typing import Final

from .kinds import DeviceFacts

_FOLDER: Final = Path("/sys/class/net")


def has_link(name: str, index: int) -> bool | None:
    """Whether an interface that is switched on has a link; None if it cannot be told.

    The kernel holds back the news of a link for up to a second when there was other such news
    before, in its messages and in the interface's flags. Here it shows at once.
    """
    folder = _FOLDER / name
    # In a container with the files of its host, the name may stand for another interface.
    if "/" in name or _text(folder / "ifindex") != str(index):
        return None
    # A link is dormant until its network has admitted this machine.
    return _text(folder / "carrier") == "1" and _text(folder / "dormant") == "0"


def device_facts(name: str) -> DeviceFacts | None:
    """What stands behind an interface; None if there is no such interface."""
    # An alias such as eth0:1 has no folder, and nothing else leads out of this one.
    folder = _FOLDER / name
    if "/" in name or not (folder / "type").exists():
        return None
    kind = _text(folder / "type")
    return DeviceFacts(
        type=int(kind) if kind.isascii() and kind.isdecimal() else None,
        devtype=_devtype(_text(folder / "uevent")),
        wireless=(folder / "wireless").exists() or (folder / "phy80211").exists(),
        hardware=(folder / "device").exists(),
        tunnel=(folder / "tun_flags").exists(),
    )


def _devtype(uevent: str) -> str | None:
    lines = dict(line.partition("=")[::2] for line in uevent.splitlines())
    return lines.get("DEVTYPE")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace").strip()
    except OSError:
        # The interface has gone meanwhile.
        return ""
