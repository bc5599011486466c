"""A server on loopback that serves one file, well or badly: the first part of the path says how."""

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

BODY = np.random.default_rng(0).bytes(300_000)
OTHER = np.random.default_rng(1).bytes(len(BODY))
HANGS = 4  # seconds until a server that gives no answer closes the connection
PAGE = b"<html><body>Please log in to use this network.</body></html>"


class FaultyServer(ThreadingHTTPServer):
    """A server with a memory.

    `requests` lists the behaviours that were asked for; `content` maps the names of files to their
    bytes, for the behaviour "set"; `released` ends the behaviour "held".
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.content = [], {}
        self.over = threading.Event()
        self.released = threading.Event()

    def handle_error(self, *_):
        """A client that leaves early is no surprise here."""

    def url(self, behaviour):
        return f"http://127.0.0.1:{self.server_port}/{behaviour}/"


class Handler(BaseHTTPRequestHandler):
    """A GET of /BEHAVIOUR/NAME calls the method of that behaviour."""

    def do_GET(self):
        behaviour = self.path.split("/")[1]
        self.server.requests.append(behaviour)
        getattr(self, behaviour)()

    def log_message(self, *_):
        pass

    def send(self, status, body, length=None, kind="application/gzip", **headers):
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if length != "none":
            self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def wait(self):
        self.server.over.wait(HANGS)

    def good(self):
        self.send(200, BODY)

    def set(self):
        self.send(200, self.server.content[self.path.split("/")[2]])

    def no_length(self):
        self.send(200, BODY, "none", kind=None)

    def redirected(self):
        self.send(302, b"", Location=f"/good/{self.path.split('/')[2]}")

    def redirected_forever(self):
        self.send(302, b"", Location=self.path)

    def redirected_to_a_disk(self):
        self.send(302, b"", Location="file:///etc/hostname")

    def redirected_to_ftp(self):
        self.send(302, b"", Location="ftp://127.0.0.1/images.gz")

    def forbidden(self):
        self.send(403, PAGE, kind="text/html")

    def missing(self):
        self.send(404, PAGE, kind="text/html")

    def broken(self):
        self.send(500, b"")

    def empty(self):
        self.send(204, b"", "none")

    def page(self):
        self.send(200, PAGE, kind="text/html; charset=utf-8")

    def page_without_length(self):
        self.send(200, PAGE, "none", kind="text/html")

    def page_in_disguise(self):
        self.send(200, PAGE, "none")

    def shorter(self):
        self.send(200, BODY[:-1])

    def longer(self):
        self.send(200, BODY + b"!", "none")

    def endless(self):
        self.send(200, BODY, "none")
        while not self.server.over.is_set():
            try:
                self.wfile.write(BODY)
            except OSError:
                break

    def other(self):
        self.send(200, OTHER)

    def cut_at_once(self):
        self.send(200, b"", len(BODY))

    def cut_without_range(self):
        self.send(200, BODY[:100_000], len(BODY))

    def hangs(self):
        self.wait()

    def hangs_halfway(self):
        self.send(200, BODY[:150_000], len(BODY))
        self.wait()

    def trickles(self):
        self.send(200, BODY[:1], len(BODY))
        for _ in range(10_000):
            if self.server.over.wait(0.002):
                break
            try:
                self.wfile.write(b"!")
            except OSError:
                break

    def resets(self):
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        )
        self.connection.close()

    def says_nonsense(self):
        self.wfile.write(b"220 ftp.example.org ready\r\n")

    def held(self):
        """Good, but the rest is not sent until the test says so."""
        self.send(200, BODY[:1000], len(BODY))
        self.server.released.wait(120)
        self.wfile.write(BODY[1000:])


@contextmanager
def faulty_server():
    server = FaultyServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
