"""`socketserver` with a thread or a process for each connection, depending on the argument: 100 connections of 20 lines."""

import os
import signal
import socket
import socketserver
import sys
import threading

from stopwatch import stopwatch

CONNECTIONS, LINES = 100, 20


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())


def converse(address):
    heard = 0
    for connection in range(CONNECTIONS):
        with socket.create_connection(address) as client, client.makefile("rw", encoding="ascii") as file:
            for number in range(LINES):
                line = f"connection {connection}, line {number}\n"
                file.write(line)
                file.flush()
                heard += file.readline() == line.upper()
    print(heard, "lines")


def with_threads():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with stopwatch():
                converse(server.server_address)
        finally:
            server.shutdown()
            thread.join()


def with_processes():
    with socketserver.ForkingTCPServer(("127.0.0.1", 0), Handler) as server:
        serving = os.fork()
        if not serving:
            server.serve_forever(poll_interval=0.01)
        try:
            with stopwatch():
                converse(server.server_address)
        finally:
            os.kill(serving, signal.SIGKILL)
            os.waitpid(serving, 0)


{"threads": with_threads, "processes": with_processes}[sys.argv[1]]()
