"""A stand-in of the hub: as much of its HTTP interface as the `datasets` library asks for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

REVISION = "c0ffee" + "0" * 34


class Hub(BaseHTTPRequestHandler):
    """Answers questions about the one dataset `name`, which is made of `files`."""

    protocol_version = "HTTP/1.1"
    name: ClassVar[str]
    files: ClassVar[Mapping[str, bytes]]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        about, held = f"/api/datasets/{self.name}", f"/datasets/{self.name}/resolve/"
        if path in (about, f"{about}/revision/main", f"{about}/revision/{REVISION}"):
            self.told(self.facts())
        elif path.startswith(f"{about}/tree/{REVISION}"):
            folder = path.removeprefix(f"{about}/tree/{REVISION}").lstrip("/")
            self.told(self.inside(f"{folder}/" if folder else ""))
        elif path.startswith(held):
            self.file(path.removeprefix(held).partition("/")[2])
        else:
            self.missing("RepoNotFound")

    do_HEAD = do_GET  # noqa: N815 (the name is the base class's)

    def facts(self) -> dict[str, object]:
        siblings = [{"rfilename": file} for file in self.files]
        return {"id": self.name, "sha": REVISION, "siblings": siblings, "tags": [], "gated": False}

    def inside(self, folder: str) -> list[dict[str, object]]:
        """The files in a folder and the folders in it; in the latter too where that is asked."""
        files = [file for file in self.files if file.startswith(folder)]
        deeper = {folder + file[len(folder) :].partition("/")[0] for file in files} - set(files)
        folders = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": f} for f in deeper]
        whole = parse_qs(urlsplit(self.path).query).get("recursive") == ["true"]
        return folders + [
            self.entry(file) for file in files if whole or "/" not in file[len(folder) :]
        ]

    def entry(self, file: str) -> dict[str, object]:
        raw = self.files[file]
        return {"type": "file", "oid": sha1(raw).hexdigest(), "size": len(raw), "path": file}

    def file(self, name: str) -> None:
        raw = self.files.get(name)
        if raw is None:
            self.missing("EntryNotFound")
        else:
            self.answer(raw, **{"ETag": f'"{sha1(raw).hexdigest()}"', "X-Repo-Commit": REVISION})

    def told(self, facts: object) -> None:
        self.answer(json.dumps(facts).encode(), **{"Content-Type": "application/json"})

    def missing(self, code: str) -> None:
        self.answer(b"", 404, **{"X-Error-Code": code, "X-Error-Message": code})

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the tests' output is not the place."""


@contextmanager
def serving(name: str, files: Mapping[str, bytes]) -> Iterator[str]:
    """The address of a hub that holds the files of one dataset."""
    handler = type("HubOfOne", (Hub,), {"name": name, "files": files})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
