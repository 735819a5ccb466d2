"""A client to talk with: sends what you type and shows what the server answers; q ends it.

Usage: python client.py [PORT]     (5001 when not given)
"""

import sys

import oxisocket as socket

HOST = "127.0.0.1"


def main() -> None:
    """Connect to the server, then send and receive in turns."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 5001

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        try:
            connection.connect((HOST, port))
        except ConnectionRefusedError as error:
            sys.exit(f"Nobody listens on {HOST}:{port} ({error.strerror}): start server.py first.")

        while (message := ask()) != "q":
            # Not send: that may take only a part of the text.
            connection.sendall(message.encode())
            data = connection.recv(1024)
            if not data:
                print("The server has gone.")
                break
            print(f"From the server: {data.decode()}")


def ask() -> str:
    """Ask for a text; q at the end of the input (Ctrl-D). An empty one would send nothing, and both would wait."""
    try:
        while not (text := input(" ? ")):
            pass
    except EOFError:
        return "q"
    return text


if __name__ == "__main__":
    main()
