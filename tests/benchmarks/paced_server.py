"""A chat server that streams an answer of TOKENS tokens at RATE a second (0: as fast as it can); a process of its own.

It sends no more than ``max_tokens`` where a request names them, as when a follow-up is to be put in full.

``python -m tests.benchmarks.paced_server TOKENS RATE`` prints its port, then serves until it is killed.
"""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.benchmarks.long_texts import answer_tokens


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One server-sent event of the chat protocol."""
    body = {"id": "1", "object": "chat.completion.chunk", "model": "paced"}
    line = json.dumps({**body, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    return f"data: {line}\n\n".encode()


class PacedHandler(BaseHTTPRequestHandler):
    """Answers every question with the same stream."""

    protocol_version = "HTTP/1.0"
    tokens = 0
    rate = 0.0

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        count = min(self.tokens, request.get("max_tokens") or request.get("max_completion_tokens") or self.tokens)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        begun = time.monotonic()
        for number, token in enumerate(answer_tokens(count)):
            wait = begun + number / self.rate - time.monotonic() if self.rate else 0.0
            if wait > 0:
                time.sleep(wait)
            self.wfile.write(chunk({"content": token}))
        self.wfile.write(chunk({}, "stop") + b"data: [DONE]\n\n")

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


def main(tokens: int, rate: float) -> None:
    """Serve until killed."""
    PacedHandler.tokens, PacedHandler.rate = tokens, rate
    with ThreadingHTTPServer(("127.0.0.1", 0), PacedHandler) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
