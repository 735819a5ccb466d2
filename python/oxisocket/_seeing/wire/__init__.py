"""What the recorded calls would have looked like on a wire: the packets that `pcapng` writes."""
