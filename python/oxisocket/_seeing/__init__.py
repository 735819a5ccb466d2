"""What is made from the record of a trace: pictures, packets, files for other programs. See docs/trace-format.md."""
