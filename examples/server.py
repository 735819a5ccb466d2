"""A server to talk with: shows what the client says, upper-cased too, and asks you for the answer.

Usage: python server.py [PORT]     (5001 when not given; 0 takes any free port)
"""

import sys

import oxisocket as socket

HOST = "127.0.0.1"


def main() -> None:
    """Wait for one client, and answer it until one of the two ends the conversation."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 5001

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Without this the port stays taken for a minute after a conversation, and a restarted server cannot have it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1)
        print(f"Listening on {HOST}:{listener.getsockname()[1]}", flush=True)
        connection, address = listener.accept()

    with connection:
        print(f"Connection from {address[0]}:{address[1]}")
        # The two take turns, so one short text is all there can be to receive; nothing means that the client has gone.
        while data := connection.recv(1024):
            text = data.decode()
            print(f"From the client: {text}")
            print(f"Upper-cased: {text.upper()}")
            answer = ask()
            if answer is None:
                break
            connection.sendall(answer.encode())
    print("The conversation is over.")


def ask() -> str | None:
    """Ask for a text; None at the end of the input (Ctrl-D). An empty one would send nothing, and both would wait."""
    try:
        while not (text := input(" ? ")):
            pass
    except EOFError:
        return None
    return text


if __name__ == "__main__":
    main()
