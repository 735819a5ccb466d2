"""`ssl` with threads: 50 handshakes, 20 messages on each connection, then 20 MB; and the errors at the end of a connection."""

import hashlib
import socket
import ssl
import sys
import threading

from stopwatch import stopwatch

CONNECTIONS, MESSAGES, BIG = 50, 20, bytes(range(256)) * (20 * 4096)


def serve(listener, context):
    for _ in range(CONNECTIONS):
        plain, _ = listener.accept()
        plain.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # otherwise an answer would wait for the acknowledgement of the session tickets
        with context.wrap_socket(plain, server_side=True) as connection:
            while data := connection.recv(1000):
                connection.sendall(data.upper())
    plain, _ = listener.accept()
    with context.wrap_socket(plain, server_side=True) as connection:
        digest = hashlib.sha1()
        left = len(BIG)
        while left:
            data = connection.recv(65536)
            digest.update(data)
            left -= len(data)
        connection.sendall(digest.hexdigest().encode())
        connection.unwrap().close()
    plain, _ = listener.accept()
    with plain:
        plain.recv(1)  # without a handshake


def connect(address, context):
    return context.wrap_socket(socket.create_connection(address), server_hostname="localhost")


def main(certificate):
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate)
    client_side = ssl.create_default_context(cafile=certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, server_side))
        thread.start()
        address = listener.getsockname()
        heard = 0
        for _ in range(CONNECTIONS):
            with connect(address, client_side) as client:
                for number in range(MESSAGES):
                    client.sendall(b"message %d" % number)
                    heard += client.recv(1000) == b"MESSAGE %d" % number
        print(heard, "messages", client.server_hostname)
        with connect(address, client_side) as client:
            client.sendall(BIG)
            print(client.version(), client.recv(100) == hashlib.sha1(BIG).hexdigest().encode())
            client.settimeout(5)
            with client.unwrap() as plain:
                print(type(plain).__name__, plain.recv(1))
        try:
            connect(address, client_side)
        except OSError as error:
            print(type(error).__name__)
        thread.join()


with stopwatch():
    main(sys.argv[1])
