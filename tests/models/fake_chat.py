"""A chat API that answers as OpenAI's does: no version, no tokens, no laws. It can be busy and particular."""

import http.server
import json
import random
import threading
from collections.abc import Iterator
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
        Every so many requests are put off, for ``retry_after``; none if 0.
    asked : list of dict
        The bodies of all requests that were answered, in order.
    refused : list of (path, status)
    """

    def __init__(self):
        self.url, self.refuses, self.busy, self.retry_after = "", set(), 0, "0.2"
        self.asked, self.refused, self.seen = [], [], 0
        self._lock = threading.Lock()

    def handle(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.path != PATH:
            self._refuse(handler, 404, {"message": f"Invalid URL (GET {handler.path})"})
            return
        body = json.loads(raw)
        with self._lock:
            self.seen += 1
            put_off = self.busy and self.seen % self.busy == 0
        odd = sorted(self.refuses & set(body))
        if put_off:
            self._refuse(handler, 429, {"message": "Rate limit reached"}, {"Retry-After": self.retry_after})
        elif odd:
            message = {"message": f"Unsupported parameter: '{odd[0]}'", "param": odd[0]}
            self._refuse(handler, 400, message)
        else:
            with self._lock:
                self.asked.append(body)
            send(handler, json.dumps(self.answer(body)).encode())

    def answer(self, body: dict) -> dict:
        """A number of up to six random digits, drawn with the seed where there is one."""
        text = str(random.Random(body.get("seed")).randrange(10**6))
        letters = sum(len(message["content"]) for message in body["messages"])
        message = {"role": "assistant", "content": text, "refusal": None}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": letters // LETTERS_A_TOKEN, "completion_tokens": 3, "total_tokens": 0},
        }

    def _refuse(self, handler, status: int, error: dict, headers: dict | None = None) -> None:
        self.refused.append((handler.path, status))
        send(handler, json.dumps({"error": error}).encode(), status, headers)


@contextmanager
def chat_api() -> Iterator[ChatApi]:
    made = ChatApi()
    with served(made.handle) as made.url:
        yield made
