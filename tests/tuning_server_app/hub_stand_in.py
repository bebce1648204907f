"""A Hugging Face hub on loopback with one repository, as its own library asks it."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "a" * 40


@dataclass
class Hub:
    repository: str
    files: dict[str, bytes]
    revisions: list[str] = field(default_factory=list)  # that were asked for
    sent: list[str] = field(default_factory=list)

    def __enter__(self) -> "Hub":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.02])
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path = unquote(urlsplit(self.path).path)
            listing = f"/api/models/{hub.repository}/revision/"
            content = f"/{hub.repository}/resolve/{COMMIT}/"
            if path.startswith(listing):
                hub.revisions.append(path.removeprefix(listing))
                names = [{"rfilename": name} for name in hub.files]
                about = {"id": hub.repository, "sha": COMMIT, "siblings": names}
                self._send(json.dumps(about).encode(), "application/json")
            elif path == f"/api/models/{hub.repository}/tree/{COMMIT}":
                self._send(json.dumps(_tree(hub)).encode(), "application/json")
            elif (name := path.removeprefix(content)) in hub.files:
                if self.command == "GET":
                    hub.sent.append(name)
                self._send(hub.files[name], "application/octet-stream")
            else:
                self.send_error(404)

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler


def _tree(hub: Hub) -> list[dict[str, Any]]:
    return [
        {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
        for name, content in hub.files.items()
    ]
