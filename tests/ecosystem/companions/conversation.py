"""A conversation that ends only if no socket blocks the process: the server does not answer before all clients have sent."""

import socket
import ssl
import threading

CLIENTS = 5


def converse(certificate):
    """Hold the conversation over plain sockets and over TLS, and print the answers."""
    for server_side, client_side in (plainly, plainly), over_tls(certificate):
        all_clients = threading.Barrier(CLIENTS, timeout=20)
        answers = []
        with socket.create_server(("localhost", 0)) as server:

            def serve(server=server, all_clients=all_clients, wrap=server_side):
                for _ in range(CLIENTS):
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection, all_clients, wrap)).start()

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


def answer(connection, all_clients, wrap):
    """Answer one client."""
    with wrap(connection) as wrapped, wrapped.makefile("rwb") as file:
        line = file.readline()
        all_clients.wait()
        file.write(line.upper())


def plainly(connection):
    """Wrap nothing."""
    return connection


def over_tls(certificate):
    """The functions that wrap the server's and the clients' connections."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    client = ssl.create_default_context(cafile=certificate)
    return (
        lambda connection: server.wrap_socket(connection, server_side=True),
        lambda connection: client.wrap_socket(connection, server_hostname="localhost"),
    )
