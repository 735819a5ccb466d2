"""A conversation that ends only if no socket blocks the process: the server answers nobody before everybody has spoken."""

import socket
import ssl
import threading

CLIENTS = 5


def converse(certificate):
    """Over plain sockets, and over TLS; prints the answers."""
    for server_side, client_side in (plainly, plainly), over_tls(certificate):
        everybody = threading.Barrier(CLIENTS, timeout=20)
        answers = []
        with socket.create_server(("localhost", 0)) as server:

            def serve(server=server, everybody=everybody, wrap=server_side):
                for _ in range(CLIENTS):
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection, everybody, wrap)).start()

            def ask(number, server=server, answers=answers, wrap=client_side):
                with wrap(socket.create_connection(("localhost", server.getsockname()[1]), 20)) as client:
                    client.sendall(b"question %d\n" % number)
                    answers.append(client.recv(100))

            threads = [
                threading.Thread(target=serve),
                *(threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        print(sorted(answers))
    pair = socket.socketpair()
    with pair[0], pair[1]:
        pair[0].settimeout(0.01)
        try:
            pair[0].recv(1)
        except TimeoutError as error:
            print(error)
    print(
        socket.gethostbyname("127.0.0.1"), [answer[4] for answer in socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)]
    )


def answer(connection, everybody, wrap):
    """Answers one client."""
    with wrap(connection) as wrapped, wrapped.makefile("rwb") as file:
        line = file.readline()
        everybody.wait()
        file.write(line.upper())


def plainly(connection):
    """For what is not wrapped."""
    return connection


def over_tls(certificate):
    """What wraps the server's connections, and the clients'."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=certificate)
    return (
        lambda connection: server.wrap_socket(connection, server_side=True),
        lambda connection: client.wrap_socket(connection, server_hostname="localhost"),
    )
