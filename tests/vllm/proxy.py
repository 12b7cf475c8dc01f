"""A proxy in front of a real server that does to requests what networks and broken servers do."""

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

Mangle = Callable[[dict], dict]


class Proxy:
    """Passes requests on to ``upstream``, but for the faults it is told to inject.

    Attributes
    ----------
    faults : list of str
        Taken from the front, one a request to ``/v1/completions``: ``cut`` (the connection ends in the middle
        of the response), ``503``, ``hang`` (no answer for 20 s), ``pass``.
    mangle : callable
        What is done to the JSON of every completion.
    lets_force : bool
        Whether it passes on what answers are to be forced.
    dead : bool
        Whether connections are closed at once.
    injected, served : int
        Faults injected and completions passed on so far.
    asked : list of dict
        The bodies of all requests for completions, and for those of chats.
    """

    def __init__(self, upstream: str):
        self.upstream = upstream
        self.faults: list[str] = []
        self.mangle: Mangle = lambda answer: answer
        self.lets_force, self.dead = True, False
        self.injected = self.served = 0
        self.asked: list[dict] = []
        self.url = ""
        self._lock = threading.Lock()
        self._http = httpx.Client(timeout=600, limits=httpx.Limits(max_connections=None))

    def close(self) -> None:
        self._http.close()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        completion = request.path == "/v1/completions"
        with self._lock:
            fault = self.faults.pop(0) if completion and self.faults else "pass"
            self.injected += fault != "pass"
            if request.path.endswith("/completions"):
                self.asked.append(json.loads(body))
                if not self.lets_force:
                    body = json.dumps({**self.asked[-1], "vllm_xargs": {}}).encode()
        if self.dead:
            request.close_connection = True
            return
        if fault == "hang":
            time.sleep(20)
        if fault == "503":
            request.send_error(503)
            return
        headers = {
            name: request.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in request.headers
        }
        reply = self._http.request(
            request.command, self.upstream + request.path, content=body, headers=headers
        )
        content = reply.content
        if completion and reply.status_code == 200:
            content = json.dumps(self.mangle(reply.json())).encode()
        request.send_response(reply.status_code)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content[: len(content) // 2] if fault == "cut" else content)
        request.close_connection = fault == "cut"
        with self._lock:
            self.served += completion and fault == "pass"


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    made = Proxy(upstream)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            made.answer(self)

        do_POST = do_GET  # noqa: N815  the names that http.server calls

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 512

        def handle_error(self, *_):  # the client has gone: that is what these tests are about
            pass

    listening = Server(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{listening.server_address[1]}"
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        listening.shutdown()
        listening.server_close()
        made.close()
