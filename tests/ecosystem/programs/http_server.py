"""A server of `http.server` in its own thread: it answers GET with the path or with 50 MB, and POST with a digest."""

import contextlib
import hashlib
import http.server
import threading

MEGABYTE = bytes(range(256)) * 4096
BIG = 50  # megabytes


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one packet: a second packet would wait for the peer's delayed acknowledgement

    def do_GET(self):
        if self.path == "/big":
            self.begin(BIG * len(MEGABYTE))
            for _ in range(BIG):
                self.wfile.write(MEGABYTE)
        else:
            self.answer(f"you asked for {self.path}".encode())

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        digest = hashlib.sha1()
        while left:
            part = self.rfile.read(min(left, 65536))
            left -= len(part)
            digest.update(part)
        self.answer(digest.hexdigest().encode())

    def begin(self, length):
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer(self, body):
        self.begin(len(body))
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving():
    """Run the server, and yield its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield "http://{}:{}".format(*server.server_address)
        finally:
            server.shutdown()
            thread.join()
