"""The tutorial's conversation: runs server.py and client.py as two processes, shows the output of both, and draws the calls.

Usage: python demo.py [FOLDER]     (it types by itself; the exit status is 0 if the conversation was correct)

The records of the two programs and a page to look around in are left in FOLDER, or else in a new temporary folder.
"""

import os
import platform
import select
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

SECONDS = 30  # for the whole conversation, which takes less than one
PROMPT = " ? "
CONVERSATION = (
    ("Hello, is anybody there?", "Yes: a socket written in Rust."),
    ("and what language do I speak?", "Python, as before."),
)


class Terminal:
    """A running program that writes a record of its calls. Each line of its output is shown with the program's name before it."""

    def __init__(self, name: str, record: Path, *arguments: str) -> None:
        self.name = name
        self.unread = ""
        self.deadline = time.monotonic() + SECONDS
        self.process = subprocess.Popen(
            [sys.executable, "-m", "oxisocket", f"--trace={record}", Path(__file__).with_name(f"{name}.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def line(self) -> str:
        """Wait for a line, show it and return it."""
        while "\n" not in self.unread:
            if not self._read():
                raise EOFError(f"{self.name} ended too early")
        line, _, self.unread = self.unread.partition("\n")
        self._show(line)
        return line

    def answer(self, text: str) -> list[str]:
        """Wait for the prompt and type `text`; return the lines that came before."""
        lines = []
        while self.unread != PROMPT:
            if "\n" in self.unread:
                lines.append(self.line())
            elif not self._read():
                raise EOFError(f"{self.name} ended without asking")
        self.unread = ""
        self._show(PROMPT + text)
        assert self.process.stdin is not None
        self.process.stdin.write(f"{text}\n".encode())
        self.process.stdin.flush()
        return lines

    def end(self) -> int:
        """Show the remaining output, wait for the program to end, and return its exit status."""
        while self._read():
            pass
        for line in self.unread.splitlines():
            self._show(line)
        return self.process.wait(self.deadline - time.monotonic())

    def close(self) -> None:
        """Kill the program if it still runs."""
        self.process.kill()
        self.process.communicate()

    def _read(self) -> bool:
        """Wait for output; False at EOF."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, self.deadline - time.monotonic()))
        if not ready:
            raise TimeoutError(f"{self.name} has shown nothing more within {SECONDS} seconds")
        chunk = os.read(self.process.stdout.fileno(), 4096)
        self.unread += chunk.decode()
        return bool(chunk)

    def _show(self, line: str) -> None:
        print(f"{self.name} | {line}", flush=True)


def main() -> None:
    """Hold the conversation, check that each program received what the other sent, and draw it."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="oxisocket-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    records = [folder / "server.jsonl", folder / "client.jsonl"]
    print(
        f"oxisocket {metadata.version('oxisocket')}, {platform.python_implementation()} {platform.python_version()}", flush=True
    )
    hold(*records)
    draw(records, folder / "conversation.html")


def hold(server_record: Path, client_record: Path) -> None:
    """Let the two programs talk. Exits with a text if one did not receive what the other sent."""
    terminals = [server := Terminal("server", server_record, "0")]
    try:
        port = server.line().rpartition(":")[2]
        terminals.append(client := Terminal("client", client_record, port))
        seen = []
        for question, answer in CONVERSATION:
            seen += client.answer(question)
            seen += server.answer(answer)
        seen += client.answer("q")
        statuses = [client.end(), server.end()]
    except (EOFError, TimeoutError, subprocess.TimeoutExpired) as error:
        sys.exit(f"demo: {error}")
    finally:
        for terminal in terminals:
            terminal.close()

    expected = [text for question, answer in CONVERSATION for text in (question.upper(), answer)]
    missing = [text for text in expected if not any(text in line for line in seen)]
    if missing or any(statuses):
        sys.exit(f"demo: exit statuses {statuses}; never shown: {missing}")


def draw(records: list[Path], page: Path) -> None:
    """Draw the conversation, here and as a page."""
    print("\nThe calls of both, and who got whose bytes:\n", flush=True)
    command: list[str | Path] = [sys.executable, "-m", "oxisocket", "diagram", *records, "-o", "-", "-o", page]
    if status := subprocess.run(command, check=False).returncode:
        sys.exit(f"demo: the diagram ended with exit status {status}")
    print(f"\nThe same to look around in, with the data of each call: {page.resolve()}")


if __name__ == "__main__":
    main()
