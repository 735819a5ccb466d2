"""A thread whose transfers are all ready gives way to one that is done with a call of its own: among threads that serve, each has the same
chance to get the interpreter as with the stdlib, which detaches for every transfer."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from waiting import HANG_TIMEOUT

# The other thread is done with its call at the hundredth turn. It asks for the interpreter after a minute; before that it gets it only when
# this thread detaches and it is the faster one.
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
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (on Debian: apt-get install strace)")
def test_ready_transfers_detach_a_few_times_for_a_thread_that_begins_to_wait(tmp_path):
    log = tmp_path / "log"
    command = ["strace", "-f", "-qq", "-e", "trace=recvfrom,sendto", "-o", log, sys.executable, "-c", PROGRAM]
    subprocess.run(command, check=True, timeout=HANG_TIMEOUT + 30)
    # A call that is in two lines, because the other thread's was between, has its flags in the first or the second.
    calls = re.findall(r"(?:sendto|recvfrom)(?:\(\d+,| resumed>).*\"ready\".*?, (?:100|5), (\S+),", log.read_text())
    assert len(calls) > 590
    detached = [place for place, flags in enumerate(calls) if "MSG_DONTWAIT" not in flags]
    assert 1 <= len(detached) <= 40
    assert detached[0] >= 195, "no call before knows of it"
