"""A server to talk with: it shows the client's text, also in upper case, and asks you for the answer.

Usage: python server.py [PORT]     (default: 5001; 0 means any free port)
"""

import sys

import oxisocket as socket

HOST = "127.0.0.1"


def main() -> None:
    """Wait for a client, and answer it until one of the two ends the conversation."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 5001

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # Without this, a restarted server cannot bind the port for a minute after a conversation (TIME_WAIT).
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(1)
        print(f"Listening on {HOST}:{listener.getsockname()[1]}", flush=True)
        connection, address = listener.accept()

    with connection:
        print(f"Connection from {address[0]}:{address[1]}")
        # The two send alternately, so there is at most one short text to receive. No data means that the client has closed (EOF).
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
    """Ask for a text; Ctrl-D means None. An empty text would send nothing, and both programs would wait."""
    try:
        while not (text := input(" ? ")):
            pass
    except EOFError:
        return None
    return text


if __name__ == "__main__":
    main()
