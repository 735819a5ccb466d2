"""PySocks: its class in place of `socket.socket`, removed again, and used by `requests`. The proxy is a few lines of this program."""

import http.server
import socket
import threading
import urllib.request

from order import install, report

install("first")
import requests
import socks

install("between")
plain = [socket.socket]
proxied = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def serve_proxy(listener):
    """SOCKS version 5, RFC 1928: no authentication, one request on each connection."""
    while True:
        client, _ = listener.accept()
        with client:
            if not client.recv(3):
                return
            client.sendall(b"\5\0")
            kind = client.recv(4)[3]
            host = client.recv(client.recv(1)[0]).decode() if kind == 3 else socket.inet_ntoa(client.recv(4))
            port = int.from_bytes(client.recv(2), "big")
            proxied.append(host)
            with plain[0](socket.AF_INET, socket.SOCK_STREAM) as server:
                server.connect((host, port))
                client.sendall(b"\5\0\0\1\x7f\0\0\1\0\0")
                server.sendall(client.recv(10_000))
                while data := server.recv(10_000):
                    client.sendall(data)


web = http.server.HTTPServer(("127.0.0.1", 0), Handler)
proxy = socket.create_server(("127.0.0.1", 0))
threads = [threading.Thread(target=web.serve_forever), threading.Thread(target=serve_proxy, args=(proxy,))]
for thread in threads:
    thread.start()
url = f"http://127.0.0.1:{web.server_port}/"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

socks.set_default_proxy(socks.SOCKS5, *proxy.getsockname())
socket.socket = socks.socksocket
install("last")
with opener.open(url) as response:
    print(response.read(), proxied)
print(socket.socket is socks.socksocket)

socket.socket = plain[0]
with opener.open(url) as response:
    print(response.read(), proxied)
print(socket.socket is plain[0])

socks.set_default_proxy()
address = "socks5h://{}:{}".format(*proxy.getsockname())
with requests.Session() as session:
    session.trust_env = False
    print(session.get(url, proxies={"http": address}, headers={"Connection": "close"}).text, proxied)

socket.create_connection(proxy.getsockname()).close()  # ends the proxy
web.shutdown()
for thread in threads:
    thread.join()
web.server_close()
proxy.close()
report()
