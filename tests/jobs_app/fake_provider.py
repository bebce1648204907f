"""A small OpenAI-compatible server on a real socket, which can misbehave on demand."""

import json
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qs, urlsplit

API_KEY = "sk-fake-provider-key"


@dataclass
class Request:
    """What came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Fault:
    """How the next `times` requests to a path are answered instead."""

    method: str
    path: str
    answer: Callable[["Handler"], None]
    times: int
    accept_first: bool = False

    def matches(self, request: Request) -> bool:
        is_it = request.method == self.method and re.fullmatch(self.path, request.path)
        return bool(self.times and is_it)


@dataclass
class FakeProvider:
    """State of the server; tests read and change it directly."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    checkpoints: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    models: list[str] = field(default_factory=lambda: ["base-model", "ft:base-model:x"])
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    file_status: str = "processed"
    has_metadata_filter: bool = True
    ignores_after: bool = False
    asked_port: int = 0

    # Routes of a subclass; they come before those that all have.
    more_routes: ClassVar[list["RouteOf"]] = []

    def __post_init__(self) -> None:
        self._ids = count(1)
        self.lock = threading.RLock()
        handler = type("BoundHandler", (Handler,), {"fake": self})
        self._server = QuietServer(("127.0.0.1", self.asked_port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wrap_in_tls(self, context: ssl.SSLContext) -> None:
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        return f"http://{self.host}/v1"

    def new_id(self, prefix: str) -> str:
        return f"{prefix}-{next(self._ids)}"

    def sent(self, method: str, path: str) -> list[Request]:
        return [
            each
            for each in self.requests
            if each.method == method and re.fullmatch(path, each.path)
        ]

    def answers(
        self,
        method: str,
        path: str,
        status: int,
        body: Any = None,
        *,
        times: int = 1,
        accept_first: bool = False,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Let the next requests to `path` (a pattern) be answered so."""

        def answer(handler: "Handler") -> None:
            handler.send(status, body, headers or {})

        self.faults.append(Fault(method, path, answer, times, accept_first))

    def refuses(
        self, method: str, path: str, status: int, message: str, code: str = ""
    ) -> None:
        self.answers(method, path, status, error(message, code), times=99)

    def hangs(self, method: str, path: str, seconds: float) -> None:
        def answer(handler: "Handler") -> None:
            time.sleep(seconds)

        self.faults.append(Fault(method, path, answer, 1))

    def drips(self, method: str, path: str, *, every_seconds: float) -> None:
        """Send one byte at a time, so that no single read ever times out."""

        def answer(handler: "Handler") -> None:
            handler.drip(every_seconds)

        self.faults.append(Fault(method, path, answer, 1))

    def add_file(self, name: str, content: bytes, **fields: Any) -> dict[str, Any]:
        file_id = self.new_id("file")
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "filename": name,
            "purpose": "fine-tune",
            "bytes": len(content),
            "created_at": 1_700_000_000,
            "status": self.file_status,
            "status_details": None,
            "content": content,
            **fields,
        }
        return self.shown(self.files[file_id])

    def shown(self, file: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in file.items() if k != "content"}

    def add_job(self, **fields: Any) -> dict[str, Any]:
        job_id = self.new_id("ftjob")
        self.jobs[job_id] = {
            "id": job_id,
            "object": "fine_tuning.job",
            "created_at": 1_700_000_000,
            "status": "queued",
            "model": "base-model",
            **fields,
        }
        return self.jobs[job_id]

    def add_event(self, job_id: str, message: str, **fields: Any) -> dict[str, Any]:
        event = {
            "id": self.new_id("ftevent"),
            "object": "fine_tuning.job.event",
            "created_at": 1_700_000_000,
            "level": "info",
            "type": "message",
            "message": message,
            "data": None,
            **fields,
        }
        self.events.setdefault(job_id, []).insert(0, event)  # newest first
        return event


def error(message: str, code: str = "") -> dict[str, Any]:
    body = {"message": message, "type": "invalid_request_error", "param": None}
    return {"error": {**body, "code": code or None}}


class Refused(Exception):
    """What the contract does not allow: a 400 with this text."""


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that hung up: here that is often the point."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One request; `accepted` is what it would have been answered, once it acted."""

    fake: FakeProvider
    protocol_version = "HTTP/1.1"
    accepted: tuple[int, Any] = (200, None)

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def do_DELETE(self) -> None:
        self.serve("DELETE")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def serve(self, method: str) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method, url.path, query, headers, self.read_body())
        self.fake.requests.append(request)
        with self.fake.lock:
            fault = next((f for f in self.fake.faults if f.matches(request)), None)
            if fault is not None:
                fault.times -= 1
            if fault is None or fault.accept_first:
                self.accepted = self.answer(request)
        if fault is None:
            self.send(*self.accepted)
            return
        self.close_connection = True
        fault.answer(self)

    def read_body(self) -> bytes:
        if self.headers.get("transfer-encoding") == "chunked":
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.headers.get("authorization") != f"Bearer {API_KEY}":
            return 401, error("Incorrect API key provided", "invalid_api_key")
        for method, pattern, route in self.fake.more_routes + ROUTES:
            match = re.fullmatch(pattern, request.path)
            if method == request.method and match:
                try:
                    return 200, route(self.fake, request, *match.groups())
                except KeyError as exc:
                    return 404, error(f"No such object: {exc}")
                except Refused as exc:
                    return 400, error(str(exc))
        return 404, error(f"No route {request.method} {request.path}")

    def send(
        self, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        is_raw = isinstance(body, bytes)
        content = body if is_raw else json.dumps(body).encode()
        content_type = "text/html" if is_raw else "application/json"
        self.send_response(status)
        sent = {"Content-Type": content_type, "x-request-id": self.fake.new_id("req")}
        for name, value in {**sent, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:  # or the client would use it again
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def drip(self, every_seconds: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        try:
            for _ in range(1000):
                self.wfile.write(b" ")
                time.sleep(every_seconds)
        except OSError:
            return  # the client has had enough


def form_of(request: Request) -> dict[str, tuple[str, bytes]]:
    """The fields of a multipart request: file name (or empty) and content."""
    boundary = b"--" + request.headers["content-type"].split("boundary=")[1].encode()
    fields = {}
    for part in request.body.split(boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        given = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
        fields[given["name"]] = (given.get("filename", ""), content[:-2])
    return fields


def upload_file(fake: FakeProvider, request: Request) -> Any:
    name, content = form_of(request)["file"]
    return fake.add_file(name, content)


def shown_file(fake: FakeProvider, request: Request, file_id: str) -> Any:
    return fake.shown(fake.files[file_id])


def create_job(fake: FakeProvider, request: Request) -> Any:
    return fake.add_job(**request.json)


def list_jobs(fake: FakeProvider, request: Request) -> Any:
    wanted = {
        name[len("metadata[") : -1]: value
        for name, value in request.query.items()
        if name.startswith("metadata[") and fake.has_metadata_filter
    }
    jobs = [
        job
        for job in reversed(fake.jobs.values())
        if wanted.items() <= (job.get("metadata") or {}).items()
    ]
    return page(fake, request, jobs)


def page(fake: FakeProvider, request: Request, items: list[dict[str, Any]]) -> Any:
    ids = [item["id"] for item in items]
    after = request.query.get("after")
    start = ids.index(after) + 1 if after and not fake.ignores_after else 0
    end = start + int(request.query.get("limit", 20))
    has_more = end < len(items) or fake.ignores_after
    return {"object": "list", "data": items[start:end], "has_more": has_more}


def show_job(fake: FakeProvider, request: Request, job_id: str) -> Any:
    return fake.jobs[job_id]


def cancel_job(fake: FakeProvider, request: Request, job_id: str) -> Any:
    fake.jobs[job_id]["status"] = "cancelled"
    return fake.jobs[job_id]


def pause_job(fake: FakeProvider, request: Request, job_id: str) -> Any:
    fake.jobs[job_id]["status"] = "paused"
    return fake.jobs[job_id]


def resume_job(fake: FakeProvider, request: Request, job_id: str) -> Any:
    fake.jobs[job_id]["status"] = "queued"
    return fake.jobs[job_id]


def list_events(fake: FakeProvider, request: Request, job_id: str) -> Any:
    return page(fake, request, fake.events.get(job_id, []))


def list_checkpoints(fake: FakeProvider, request: Request, job_id: str) -> Any:
    return page(fake, request, fake.checkpoints.get(job_id, []))


def list_models(fake: FakeProvider, request: Request) -> Any:
    return {"object": "list", "data": [{"id": name} for name in fake.models]}


def chat(fake: FakeProvider, request: Request) -> Any:
    """Answers with the model's name and the question, so tests see who was asked."""
    question = request.json["messages"][-1]["content"]
    message = {"role": "assistant", "content": f"{request.json['model']}: {question}"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    usage = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}
    return {"id": "chatcmpl-1", "choices": choices, "usage": usage}


def list_files(fake: FakeProvider, request: Request) -> Any:
    return page(fake, request, [fake.shown(f) for f in reversed(fake.files.values())])


def delete_file(fake: FakeProvider, request: Request, file_id: str) -> Any:
    del fake.files[file_id]
    return {"id": file_id, "object": "file", "deleted": True}


RouteOf = tuple[str, str, Callable[..., Any]]
ROUTES: list[RouteOf] = [
    ("POST", "/v1/files", upload_file),
    ("GET", "/v1/files", list_files),
    ("GET", "/v1/files/([^/]+)", shown_file),
    ("DELETE", "/v1/files/([^/]+)", delete_file),
    ("POST", "/v1/fine_tuning/jobs", create_job),
    ("GET", "/v1/fine_tuning/jobs", list_jobs),
    ("GET", "/v1/fine_tuning/jobs/([^/]+)", show_job),
    ("POST", "/v1/fine_tuning/jobs/([^/]+)/cancel", cancel_job),
    ("POST", "/v1/fine_tuning/jobs/([^/]+)/pause", pause_job),
    ("POST", "/v1/fine_tuning/jobs/([^/]+)/resume", resume_job),
    ("GET", "/v1/fine_tuning/jobs/([^/]+)/events", list_events),
    ("GET", "/v1/fine_tuning/jobs/([^/]+)/checkpoints", list_checkpoints),
    ("GET", "/v1/models", list_models),
    ("POST", "/v1/chat/completions", chat),
]
