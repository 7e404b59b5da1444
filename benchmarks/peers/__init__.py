"""The servers that ours is measured beside.

Every peer runs in its best honest configuration: for production, logging off, as it would be
deployed on one machine. Nothing that makes an upload safe or resumable is switched off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from benchmarks.peers.resumable_upload import resumable_upload
from benchmarks.peers.rustus import rustus
from benchmarks.peers.tus_node_server import tus_node_server
from benchmarks.peers.tusd import tusd
from benchmarks.peers.tuspyserver import tuspyserver
from benchmarks.servers import Server

PEERS: Final[Mapping[str, Callable[[], Server]]] = {
    "tusd": tusd,
    "rustus": rustus,
    "tus-node-server": tus_node_server,
    "tuspyserver": tuspyserver,
    "resumable-upload": resumable_upload,
}
