"""A thread whose transfers are all ready gives way to one that is done with a call of its own: among threads that serve, each has the same
chance to get the interpreter as with the stdlib, which detaches for every transfer."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from waiting import HANG_TIMEOUT

# The other thread is done with its call at the first turn. It gets the interpreter only when this one asks for it, after a minute: so it
# goes on waiting, and how often this thread detaches meanwhile depends on nothing else.
PROGRAM = """
import sys, threading, time
import oxisocket as socket
left, right = socket.socketpair()
asked, answer = socket.socketpair()
waits = threading.Thread(target=answer.recv, args=(10,))
waits.start()
time.sleep(0.3)
sys.setswitchinterval(60)
for turn in range(300):
    if turn == 100:
        asked.send(b"go on")
    left.send(b"ready")
    right.recv(100)
sys.setswitchinterval(0.005)
waits.join()
print(right.fileno())
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (on Debian: apt-get install strace)")
def test_a_ready_transfer_detaches_once_for_a_thread_that_begins_to_wait(tmp_path):
    log = tmp_path / "log"
    command = ["strace", "-f", "-qq", "-e", "trace=recvfrom,sendto", "-o", log, sys.executable, "-c", PROGRAM]
    ended = subprocess.run(command, check=True, timeout=HANG_TIMEOUT + 30, stdout=subprocess.PIPE, text=True)
    calls = re.findall(r"(?:sendto|recvfrom)\(\d+, .*\"ready\".*?, (?:100|5), (\S+),", log.read_text())
    assert len(calls) == 600, ended.stdout
    detached = [place for place, flags in enumerate(calls) if "MSG_DONTWAIT" not in flags]
    # Once when it came. It may have been lucky, and be there again for its end; and no call before knows of it.
    assert 1 <= len(detached) <= 3
    assert detached[0] >= 200
