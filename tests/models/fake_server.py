"""A server that answers as vLLM does, from a law known beforehand, until it is told to answer otherwise.

Tokens are characters, token ids their code points. The law after a text is a draw from a Dirichlet law whose
seed is the text; responses follow it, with a seed of their own.
"""

import base64
import hashlib
import http.server
import io
import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

DIGITS = "0123456789"
END = "."
MODEL = "fake"

Answer = dict | list | str | bytes | None


class FakeServer:
    """What it says, and what is done to it.

    Attributes
    ----------
    change : callable
        From a path, the body of the request and the right answer to what is answered instead; None changes
        nothing. An answer of bytes is sent as it is.
    respond : callable
        In place of all that: from a path and the request's handler to whether it has answered. ``raw`` of the
        handler is what was sent.
    weights : int
        Of these the law is made.
    start : list of int
        Tokens put before a text.
    scores : bool
        Whether it tells the log-probabilities of chosen tokens along a prompt.
    forces : bool
        Whether answers can be forced, as with ``TeacherForcing``.
    requests : list of (path, body)
    key : str or None
        What requests must bring.
    """

    def __init__(self):
        self.url, self.model = "", MODEL
        self.weights, self.start, self.key = 0, [], None
        self.reset()

    def reset(self) -> None:
        """Answer rightly, as if nothing had been asked."""
        self.change: Callable[[str, dict, Answer], Answer] = lambda *said: said[-1]
        self.respond: Callable[[str, http.server.BaseHTTPRequestHandler], bool] = lambda *_: False
        self.scores = self.forces = False
        self.requests: list[tuple[str, dict]] = []

    def law(self, text: str) -> dict[str, float]:
        """Probabilities of the ten digits and of the end after a text."""
        seed = hashlib.sha256(f"{self.weights} {text}".encode()).digest()
        draw = random.Random(seed)
        parts = {symbol: draw.gammavariate(1.0, 1.0) + 1e-3 for symbol in DIGITS + END}
        return {symbol: part / sum(parts.values()) for symbol, part in parts.items()}

    def answer(self, path: str, body: dict) -> Answer:
        """The right one."""
        if path == "/version":
            return {"version": "0.32.0"}
        if path == "/v1/models":
            return {"object": "list", "data": [{"id": self.model, "max_model_len": 4096}]}
        if path == "/tokenize":
            text = body.get("prompt")
            start = self.start if body.get("add_special_tokens", True) and text is not None else []
            if text is None:
                text = "".join(f"{m['role']}: {m['content']}\n" for m in body["messages"])
            return {"count": len(text), "tokens": [*start, *map(ord, text)], "token_strs": None}
        if path == "/detokenize":
            return {"prompt": "".join(map(chr, body["tokens"]))}
        if path == "/v1/completions":
            return self.completion(body)
        if path == "/inference/v1/generate" and self.scores:
            return self.scored(body)
        return None

    def completion(self, body: dict) -> Answer:
        prompt = "".join(map(chr, body["prompt"]))
        choice = {"index": 0, "text": "", "logprobs": None, "finish_reason": "length"}
        if wanted := body.get("logprob_token_ids"):
            forced = body.get("vllm_xargs", {}).get("forced_tokens", []) if self.forces else []
            written = [*forced, ord("7")][: body["max_tokens"]]
            choice["text"] = "".join(map(chr, written))
            laws = [self.law(prompt + choice["text"][:k]) for k in range(len(written))]
            choice["logprobs"] = {
                "tokens": [f"token_id:{token}" for token in written],
                "top_logprobs": [
                    {f"token_id:{token}": math.log(law.get(chr(token), 1e-12)) for token in wanted}
                    for law in laws
                ],
            }
        elif most := body.get("logprobs"):
            law = sorted(self.law(prompt).items(), key=lambda told: -told[1])[:most]
            told = {f"token_id:{ord(symbol)}": math.log(p) for symbol, p in law}
            choice["logprobs"] = {"top_logprobs": [told]}
        else:
            choice["text"] = self.written(prompt, body["seed"], body["max_tokens"])
            choice["finish_reason"] = "length" if len(choice["text"]) == body["max_tokens"] else "stop"
        if "prompt_logprobs" in body:
            choice["prompt_logprobs"] = [None] + [
                {
                    str(ord(symbol)): {"logprob": math.log(p), "rank": 1, "decoded_token": symbol}
                    for symbol, p in self.law(prompt[:k]).items()
                }
                for k in range(1, len(prompt))
            ]
        usage = {"prompt_tokens": len(prompt), "completion_tokens": max(1, len(choice["text"]))}
        return {"id": "cmpl-1", "model": MODEL, "choices": [choice], "usage": usage, "metrics": None}

    def scored(self, body: dict) -> Answer:
        """As vLLM 0.32 does: a row for each token from the one behind ``prompt_logprob_start`` on."""
        tokens, asked = body["token_ids"], body["sampling_params"]
        start, rows = asked["prompt_logprob_start"], asked["prompt_logprob_token_ids"]
        assert len(rows) == len(tokens) - 1 - start, "vLLM would refuse this"
        text = "".join(map(chr, tokens))
        scores = [
            [math.log(self.law(text[: start + 1 + i]).get(chr(token), 1e-12)) for token in row]
            for i, row in enumerate(rows)
        ]
        file = io.BytesIO()
        np.save(file, np.array(scores))
        told = base64.b64encode(file.getvalue()).decode()
        choice = {"index": 0, "finish_reason": "length", "token_ids": [48]}
        return {"request_id": "1", "choices": [choice], "prompt_token_id_logprobs": told}

    def written(self, prompt: str, seed: int, most: int) -> str:
        draw, text = random.Random(seed), ""
        while len(text) < most:
            law = self.law(prompt + text)
            (symbol,) = draw.choices(list(law), law.values())
            if symbol == END:
                break
            text += symbol
        return text

    def is_let_in(self, handler: http.server.BaseHTTPRequestHandler) -> bool:
        return handler.headers.get("Authorization") == f"Bearer {self.key}"

    def handle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        body = json.loads(handler.raw) if handler.raw else {}
        self.requests.append((handler.path, body))
        if handler.path == "/health":
            send(handler, b"")
        elif self.key and handler.path.startswith("/v1") and not self.is_let_in(handler):
            send(handler, b'{"error": "Unauthorized"}', 401)
        elif not self.respond(handler.path, handler):
            said = self.change(handler.path, body, self.answer(handler.path, body))
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            send(handler, content, 200 if said is not None else 404)


def send(
    handler: http.server.BaseHTTPRequestHandler,
    content: bytes,
    status: int = 200,
    headers: dict | None = None,
) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def drip(handler: http.server.BaseHTTPRequestHandler, seconds: float = 60.0) -> None:
    """An answer of a byte each tenth of a second."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(int(10 * seconds)):
        handler.wfile.write(b" ")
        time.sleep(0.1)


@contextmanager
def fake_server(host: str = "127.0.0.1", port: int = 0) -> Iterator[FakeServer]:
    made = FakeServer()
    with served(made.handle, host, port) as made.url:
        yield made


@contextmanager
def served(
    handle: Callable[[http.server.BaseHTTPRequestHandler], None], host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """The URL at which requests are handled, each in a thread of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # answers are small and come in two writes

        def do_GET(self):
            handle(self)

        do_POST = do_GET  # noqa: N815  the names that http.server calls

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *_):  # the client has gone: that is what some tests are about
            pass

    listening = Server((host, port), Handler)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()
