"""A Hugging Face hub of this process, which serves the repositories that a test gives it."""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

API = re.compile(
    r"/api/(dataset|model)s/([^/]+/[^/]+?)(?:/(revision|tree|paths-info)/([^/]+)(.*))?"
)
FILE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


class HubMirror:
    """Serves repositories while it is entered; `requests` are the paths that it was asked for.

    Its address is its own from the start: before it is entered, connections are refused.

    >>> with HubMirror() as hub:
    ...     commit = hub.add("model", "somebody/tiny", {"config.json": b"{}"})
    """

    def __init__(self):
        self.commits = {}
        self.branches = {}
        self.requests = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.server.server_bind()

    def add(self, kind, repository, files, at="main"):
        """Commit these files, {path: bytes}, as all that a branch holds; return the commit."""
        digest = hashlib.sha1(repr([kind, repository, at, sorted(files.items())]).encode())
        commit = digest.hexdigest()
        self.commits[kind, repository, commit] = files
        self.branches[kind, repository, at] = commit
        return commit

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def environment(self, folder):
        """Return the environment of a process that uses this hub and caches in `folder`."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(folder / "hf"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_XET": "1",
        }

    def find(self, kind, repository, revision):
        """Return the commit and the files of a branch or a commit, or None."""
        commit = self.branches.get((kind, repository, revision), revision)
        files = self.commits.get((kind, repository, commit))
        return None if files is None else (commit, files)

    def __enter__(self):
        self.server.server_activate()
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer()

    def do_HEAD(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        self.hub.requests.append(f"{self.command} {unquote(url.path)}")
        if match := API.fullmatch(url.path):
            self.answer_api(*match.groups(), body)
        elif match := FILE.fullmatch(url.path):
            self.answer_file(*match.groups())
        else:
            self.send(404, b"")

    def answer_api(self, kind, repository, verb, revision, path, body):
        found = self.hub.find(kind, repository, unquote(revision or "main"))
        if found is None:
            return self.send(404, b"", {"X-Error-Code": self.missing(kind, repository)})
        commit, files = found
        if verb == "tree":
            return self.send_json(below(files, unquote(path).strip("/")))
        if verb == "paths-info":
            asked = self.asked_paths(body)
            return self.send_json([entry for entry in entries(files) if entry["path"] in asked])
        siblings = [{"rfilename": name} for name in files]
        return self.send_json({"id": repository, "sha": commit, "siblings": siblings, "tags": []})

    def asked_paths(self, body):
        if "json" in self.headers.get("Content-Type", ""):
            return json.loads(body)["paths"]
        return parse_qs(body.decode())["paths"]

    def answer_file(self, dataset, repository, revision, path):
        kind = "dataset" if dataset else "model"
        found = self.hub.find(kind, repository, unquote(revision))
        if found is None:
            return self.send(404, b"", {"X-Error-Code": self.missing(kind, repository)})
        commit, files = found
        content = files.get(unquote(path))
        headers = {"X-Repo-Commit": commit}
        if content is None:
            return self.send(404, b"", headers | {"X-Error-Code": "EntryNotFound"})
        return self.send(200, content, headers | {"ETag": f'"{oid(content)}"'})

    def missing(self, kind, repository):
        known = any(key[:2] == (kind, repository) for key in self.hub.commits)
        return "RevisionNotFound" if known else "RepoNotFound"

    def send_json(self, value):
        self.send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def send(self, status, content, headers=None):
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


def oid(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def entries(files):
    """Return what the hub says of files and of the folders that they are in."""
    folders = {str(name)[: match.start()] for name in files for match in re.finditer("/", name)}
    return [
        {"type": "directory", "path": name, "oid": oid(name.encode()), "size": 0}
        for name in sorted(folders)
    ] + [
        {"type": "file", "path": name, "oid": oid(content), "size": len(content)}
        for name, content in files.items()
    ]


def below(files, folder):
    prefix = f"{folder}/" if folder else ""
    return [entry for entry in entries(files) if entry["path"].startswith(prefix)]
