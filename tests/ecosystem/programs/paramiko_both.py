"""`paramiko`'s client and its server class: a password, 50 commands, and a file of 5 MB in each direction over SFTP."""

import hashlib
import io
import logging
import socket
import threading

import paramiko
from stopwatch import stopwatch

BIG = bytes(range(256)) * (5 * 4096)


class Permissions(paramiko.ServerInterface):
    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL if (username, password) == ("tester", "a test") else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        def carry_out():
            channel.sendall(command.upper() + channel.makefile("rb").read())
            channel.send_exit_status(len(command))
            channel.close()

        threading.Thread(target=carry_out).start()
        return True


class Files(paramiko.SFTPServerInterface):
    """One file, in memory."""

    content = bytearray()

    def open(self, path, flags, attr):
        return Handle(flags)

    def stat(self, path):
        attributes = paramiko.SFTPAttributes()
        attributes.st_size = len(self.content)
        return attributes


class Handle(paramiko.SFTPHandle):
    def read(self, offset, length):
        return bytes(Files.content[offset : offset + length])

    def write(self, offset, data):
        Files.content[offset : offset + len(data)] = data
        return paramiko.SFTP_OK

    def stat(self):
        return Files.stat(self, "")


def serve(listener, key, connections):
    for _ in range(2):
        connection, _ = listener.accept()
        connection.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # otherwise half of the time is waiting for acknowledgements
        transport = paramiko.Transport(connection)
        connections.append(transport)
        transport.add_server_key(key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
        transport.start_server(server=Permissions())


def main():
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # when the server notices that a client has closed varies
    key = paramiko.ECDSAKey.generate()
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener, key, connections))
        thread.start()
        host, port = listener.getsockname()
        for password in "wrong", "a test":
            client = paramiko.SSHClient()
            client.get_host_keys().add(f"[{host}]:{port}", key.get_name(), key)
            try:
                client.connect(host, port, "tester", password, allow_agent=False, look_for_keys=False, timeout=10)
            except paramiko.AuthenticationException as error:
                print(error)
                client.close()
        thread.join()
        with client:
            client.get_transport().sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(50):
                entry, output, _ = client.exec_command("x" * number)
                entry.write(b"input")
                entry.channel.shutdown_write()
                assert output.read() == b"X" * number + b"input"
                assert output.channel.recv_exit_status() == number
            with client.open_sftp() as files:
                files.putfo(io.BytesIO(BIG), "/file")
                print(len(Files.content), hashlib.sha1(Files.content).digest() == hashlib.sha1(BIG).digest())
                back = io.BytesIO()
                print(files.getfo("/file", back), back.getvalue() == BIG)
    for connection in connections:
        connection.close()
        connection.join()


with stopwatch():
    main()
