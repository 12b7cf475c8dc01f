"""A chat API that answers as OpenAI's does: no version, no tokens, no laws. It can be busy and particular."""

import http.server
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.models.fake_server import send, served

MODEL = "chatty"
PATH = "/v1/chat/completions"
LETTERS_A_TOKEN = 4


class ChatApi:
    """What it refuses, and what it was asked.

    Attributes
    ----------
    refuses : set of str
        Fields of a request that are an error.
    busy : int
        Every so many requests are put off, for ``retry_after`` if that is something; none if 0.
    faulty : int
        Every so many answers are written, billed, and then lost by ``fault``; none if 0.
    fault : callable
        What it does instead of answering, given the request's handler.
    writes : int
        Tokens of an answer, however many were allowed.
    says : callable
        From the body of a request to the text of an answer; None for a number.
    asked : list of dict
        The bodies of all requests that were answered, in order.
    billed : int
        Tokens in and out of all answers that were written.
    at_once : int
        Most requests that were under way together.
    refused : list of (path, status)
    """

    def __init__(self):
        self.url, self.refuses, self.busy, self.retry_after = "", set(), 0, "0.2"
        self.faulty, self.fault, self.writes = 0, cut, 3
        self.says: Callable[[dict], str | None] = lambda _: None
        self.asked, self.refused, self.seen, self.billed = [], [], 0, 0
        self.at_once, self._under_way = 0, 0
        self._lock = threading.Lock()

    def handle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.path != PATH:
            self._refuse(handler, 404, {"message": f"Invalid URL (GET {handler.path})"})
            return
        with self._lock:
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
        try:
            self._respond(handler, json.loads(raw))
        finally:
            with self._lock:
                self._under_way -= 1

    def _respond(self, handler: http.server.BaseHTTPRequestHandler, body: dict) -> None:
        with self._lock:
            self.seen += 1
            place = self.seen
        odd = sorted(self.refuses & set(body))
        if self.busy and place % self.busy == 0:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            self._refuse(handler, 429, {"message": "Rate limit reached"}, headers)
        elif odd:
            message = {"message": f"Unsupported parameter: '{odd[0]}'", "param": odd[0]}
            self._refuse(handler, 400, message)
        else:
            answer = self.answer(body)
            with self._lock:
                self.billed += answer["usage"]["total_tokens"]
            if self.faulty and place % self.faulty == 0:
                self.fault(handler)
                return
            with self._lock:
                self.asked.append(body)
            send(handler, json.dumps(answer).encode())

    def answer(self, body: dict) -> dict:
        """A number of up to six random digits, drawn with the seed where there is one."""
        text = self.says(body) or str(random.Random(body.get("seed")).randrange(10**6))
        letters = sum(len(message["content"]) for message in body["messages"])
        message = {"role": "assistant", "content": text, "refusal": None}
        read, written = letters // LETTERS_A_TOKEN, self.writes
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }

    def _refuse(self, handler, status: int, error: dict, headers: dict | None = None) -> None:
        self.refused.append((handler.path, status))
        send(handler, json.dumps({"error": error}).encode(), status, headers)


def cut(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Half an answer, and the connection ends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [')
    handler.close_connection = True


def unreadable(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"<p>200 OK</p>")


def gateway_timeout(handler: http.server.BaseHTTPRequestHandler) -> None:
    send(handler, b"", 504)


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    """No answer, for longer than anybody here waits."""
    time.sleep(3)
    handler.close_connection = True


@contextmanager
def chat_api() -> Iterator[ChatApi]:
    made = ChatApi()
    with served(made.handle) as made.url:
        yield made
