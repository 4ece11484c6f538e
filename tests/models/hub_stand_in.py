"""A local server with the layout of the Hugging Face hub, which can also misbehave."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".safetensors", ".onnx", ".onnx_data")


@dataclass
class Hub:
    """The repositories by name, what was asked for, and which files are damaged or break off on the way."""

    repositories: dict[str, Path]
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    gated: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    breaking: dict[str, int] = field(default_factory=dict)

    def fetched(self) -> list[str]:
        """The files that were transferred, in order."""
        paths = [path for method, path in self.asked if method == "GET"]
        return [path.rpartition("/resolve/main/")[2] for path in paths if "/resolve/" in path]

    def ranges(self) -> list[str]:
        """The Range headers of all transfers."""
        return [path for method, path in self.asked if method == "RANGE"]


@contextmanager
def serving(repositories: dict[str, Path]) -> Iterator[Hub]:
    """Serve folders as repositories on a port of this machine."""
    hub = Hub(repositories)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            path = urlsplit(self.path).path
            hub.asked.append(("GET" if body else "HEAD", path))
            if path.startswith("/api/models/"):
                self.describe(path.removeprefix("/api/models/"))
            else:
                self.send_file_of(path.lstrip("/"), body)

        def describe(self, path: str) -> None:
            name, _, revision = path.partition("/revision/")
            if name not in hub.repositories:
                self.refuse(404, "RepoNotFound")
            elif revision not in ("", "main", COMMIT):
                self.refuse(404, "RevisionNotFound")
            else:
                folder = hub.repositories[name]
                siblings = [describe_file(path, folder) for path in files(folder)]
                self.reply(200, json.dumps({"id": name, "modelId": name, "sha": COMMIT, "siblings": siblings}).encode())

        def send_file_of(self, path: str, body: bool) -> None:
            name, _, rest = path.partition("/resolve/")
            file = rest.partition("/")[2]
            target = hub.repositories.get(name, Path("/nowhere")) / file
            if name in hub.gated:
                self.refuse(403, "GatedRepo")
            elif not target.is_file():
                self.refuse(404, "EntryNotFound")
            else:
                self.transfer(file, target, body)

        def transfer(self, file: str, target: Path, body: bool) -> None:
            content = target.read_bytes()
            sent = content[::-1] if file in hub.damaged else content
            entry = describe_file(target, target)
            etag = entry["lfs"]["sha256"] if "lfs" in entry else entry["blobId"]
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
            if "lfs" in entry:
                headers |= {"X-Linked-ETag": f'"{etag}"', "X-Linked-Size": str(len(content))}
            status, start = 200, 0
            if wanted := self.headers.get("Range"):
                hub.asked.append(("RANGE", wanted))
                start = int(wanted.removeprefix("bytes=").partition("-")[0])
                status, headers["Content-Range"] = 206, f"bytes {start}-{len(content) - 1}/{len(content)}"
            sent = sent[start:]
            if body and (stop := hub.breaking.pop(file, None)):
                self.reply(status, sent[:stop], headers, announced=len(sent))
                self.close_connection = True
                self.connection.close()
            else:
                self.reply(status, sent if body else b"", headers, announced=len(sent))

        def refuse(self, status: int, code: str) -> None:
            self.reply(status, b"{}", {"X-Error-Code": code, "X-Error-Message": code})

        def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None, announced: int = -1) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if announced < 0 else announced))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def describe_file(path: Path, folder: Path) -> dict[str, Any]:
    """What the hub's listing says of a file."""
    content = path.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    name = path.name if path == folder else path.relative_to(folder).as_posix()
    entry: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": blob}
    if path.name.endswith(LARGE):
        entry["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
    return entry
