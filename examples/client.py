"""A client to talk with: it sends what you type and shows the server's answers; q ends it.

Usage: python client.py [PORT]     (default: 5001)
"""

import sys

import oxisocket as socket

HOST = "127.0.0.1"


def main() -> None:
    """Connect to the server, then send and receive alternately."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 5001

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        try:
            connection.connect((HOST, port))
        except ConnectionRefusedError as error:
            sys.exit(f"Nobody listens on {HOST}:{port} ({error.strerror}): start server.py first.")

        while (message := ask()) != "q":
            # Not send: that may send only a part of the text.
            connection.sendall(message.encode())
            data = connection.recv(1024)
            if not data:
                print("The server has gone.")
                break
            print(f"From the server: {data.decode()}")


def ask() -> str:
    """Ask for a text; Ctrl-D means q. An empty text would send nothing, and both programs would wait."""
    try:
        while not (text := input(" ? ")):
            pass
    except EOFError:
        return "q"
    return text


if __name__ == "__main__":
    main()
