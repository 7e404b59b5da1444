"""An application that hears hooks on a host of its own, and tells of each in a line of JSON.

Its arguments are the address to listen on, and how many requests are never answered at first.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PORT = 8000


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    silent = 0

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tell(
            document["Type"],
            begins_at=self.client_address[0],
            id=self.headers["Webhook-Id"],
            network=document["Event"].get("Network"),
        )
        if _Handler.silent > 0:
            _Handler.silent -= 1
            threading.Event().wait()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """What came is told."""


def tell(event: str, **facts: Any) -> None:  # noqa: ANN401 - what JSON can say
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def main() -> None:
    address, silent = sys.argv[1:]
    _Handler.silent = int(silent)
    server = ThreadingHTTPServer((address, PORT), _Handler)
    server.daemon_threads = True
    tell("listening")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
