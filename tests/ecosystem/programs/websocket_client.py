"""`websocket-client` and a small server in this program: 1,000 messages, messages of up to 1 MB, a ping, a timeout, a close."""

import base64
import hashlib
import socketserver
import struct
import threading

import websocket
from stopwatch import stopwatch

CLOSE, PING, PONG = 8, 9, 10


class Echo(socketserver.StreamRequestHandler):
    """Sends each message back, except "silence"."""

    def handle(self):
        key = ""
        while line := self.rfile.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + accept
            + b"\r\n\r\n"
        )
        while True:
            kind, data = self.receive()
            if data != b"silence":
                self.send(PONG if kind == PING else kind, data)
            if kind == CLOSE:
                return

    def receive(self):
        first, size = self.rfile.read(2)
        size &= 0x7F
        if size >= 126:
            size = int.from_bytes(self.rfile.read(2 if size == 126 else 8), "big")
        mask = self.rfile.read(4)
        masked = self.rfile.read(size)
        key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
        return first & 0x0F, (int.from_bytes(masked, "big") ^ key).to_bytes(size, "big")

    def send(self, kind, data):
        size = len(data)
        if size < 126:
            header = struct.pack(">BB", 0x80 | kind, size)
        elif size < 1 << 16:
            header = struct.pack(">BBH", 0x80 | kind, 126, size)
        else:
            header = struct.pack(">BBQ", 0x80 | kind, 127, size)
        self.wfile.write(header + data)


def main():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = websocket.create_connection("ws://{}:{}/".format(*server.server_address), timeout=10)
        try:
            for number in range(1000):
                client.send(f"message {number}")
                assert client.recv() == f"message {number}"
            for size in 0, 125, 126, 65535, 65536, 1 << 20:
                client.send_binary(bytes(size))
                print(size, client.recv() == bytes(size))
            client.ping("are you there")
            print(client.recv_data(control_frame=True))
            client.settimeout(0.05)
            client.send("silence")
            try:
                client.recv()
            except websocket.WebSocketTimeoutException as error:
                print(type(error).__name__, error)
            client.settimeout(10)
            client.close()
        finally:
            client.shutdown()
            server.shutdown()
            thread.join()


with stopwatch():
    main()
