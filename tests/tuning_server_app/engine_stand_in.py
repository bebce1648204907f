"""A small HTTP server that speaks the two of vLLM's paths that we use."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECES = ["안", "녕", "!"]
# As vLLM 0.32.0 answers: keys that OpenAI leaves out when there is nothing to say.
VLLM_NULLS = dict.fromkeys(
    ("refusal", "annotations", "audio", "function_call", "reasoning")
)
COUNTS = {"prompt_tokens": 1, "total_tokens": 4, "completion_tokens": 3}
VLLM_USAGE = {
    **COUNTS,
    "prompt_tokens_details": None,
    "completion_tokens_details": None,
}


class Engine(ThreadingHTTPServer):
    """Knows one base model, and the adapters that it was told to load."""

    def __init__(self, base: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.models = {base}
        self.can_load = True
        self.why_not = "No adapter found"
        self.answer_with: tuple[int, Any] | None = None
        self.chats: list[dict[str, Any]] = []
        self.loads: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()
        self.waits_in_stream = threading.Event()
        self.waits_in_stream.set()
        self.heard_the_end = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.waits_in_stream.set()
        self.shutdown()
        self.server_close()
        self._thread.join(60)


class Handler(BaseHTTPRequestHandler):
    server: Engine

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.add(self.headers["Authorization"])
        if self.path == "/v1/load_lora_adapter":
            self._load(body)
        elif self.path == "/v1/chat/completions":
            self._chat(body)
        else:
            self._send(404, {"detail": "Not Found"})

    def _load(self, body: dict[str, Any]) -> None:
        self.server.loads.append(body)
        if not self.server.can_load:
            self._refuse(400, self.server.why_not)
        elif body["lora_name"] in self.server.models:
            self._refuse(
                400, f"The lora adapter '{body['lora_name']}' is already there"
            )
        else:
            self.server.models.add(body["lora_name"])
            self._send(200, "Success: LoRA adapter added.")

    def _chat(self, body: dict[str, Any]) -> None:
        self.server.chats.append(body)
        if self.server.answer_with is not None:
            self._send(*self.server.answer_with)
        elif body["model"] not in self.server.models:
            self._refuse(404, f"The model `{body['model']}` does not exist.")
        elif body.get("stream"):
            self._stream(body)
        else:
            message = {**VLLM_NULLS, "role": "assistant", "content": "".join(PIECES)}
            choice = {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": "stop",
            }
            answer = _object(body, "chat.completion", [choice])
            self._send(200, {**answer, "usage": VLLM_USAGE})

    def _stream(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.end_headers()
        for piece in PIECES:
            choice = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
            self._event(json.dumps(_object(body, "chat.completion.chunk", [choice])))
            if not self.server.waits_in_stream.is_set():
                if not self.connection.recv(1):
                    self.server.heard_the_end.set()
                return
        self._event("[DONE]")

    def _event(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def _refuse(self, status: int, message: str) -> None:
        error = {"message": message, "type": "X", "param": None, "code": status}
        self._send(status, {"error": error})

    def _send(self, status: int, data: Any) -> None:
        payload = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        pass


def _object(body: dict[str, Any], kind: str, choices: list[Any]) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": body["model"]}
    return {**head, "choices": choices}
