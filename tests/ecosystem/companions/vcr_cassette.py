"""vcrpy: it records the answers of a server in this program, and replays them when that server has ended."""

import http.server
import tempfile
import threading
import urllib.request
from pathlib import Path

from order import install, report

install("first")
import requests
import vcr

install("between")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"recorded")

    def log_message(self, *_):
        pass


def ask(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url) as response:
        print(response.read())
    with requests.Session() as session:
        session.trust_env = False
        print(session.get(url, headers={"Connection": "close"}).text)


with tempfile.TemporaryDirectory() as folder:
    cassette = vcr.VCR(record_mode="once").use_cassette(str(Path(folder, "cassette.yaml")))
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with cassette:
            install("last")
            ask(url)
        server.shutdown()
        thread.join()
    with cassette as played:
        ask(url)
        print(played.play_count, played.all_played)
report()
