"""Draws the picture of the conversation that the README and docs/tutorial.md show, from a real one.

The two original programs of the tutorial talk to each other, each under a trace. The calls and their order are the same each time; the
times, the numbers of the processes and the client's port are those of the run.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.with_name("parts")))
from originals import CLIENT, PROGRAMS, SERVER, exclusive_port, hold

PICTURE = Path(__file__).parents[2] / "docs" / "conversation.svg"
PAUSE = 0.4  # seconds that somebody takes to type a line: long enough for the other side to wait by then


def main() -> None:
    """Hold the conversation, and draw it."""
    if not PROGRAMS.is_dir():
        sys.exit(f"The tutorial's programs are not in {PROGRAMS}. Next: put them there.")
    with tempfile.TemporaryDirectory() as folder:
        records = [Path(folder, name) for name in ("server.jsonl", "client.jsonl")]
        commands = [
            [sys.executable, "-m", "oxisocket", f"--trace={record}", program]
            for record, program in zip(records, (SERVER, CLIENT), strict=True)
        ]
        with exclusive_port():
            hold(*commands, PAUSE)
        subprocess.run([sys.executable, "-m", "oxisocket", "diagram", *records, "-o", PICTURE], check=True)
    print(PICTURE)


if __name__ == "__main__":
    main()
