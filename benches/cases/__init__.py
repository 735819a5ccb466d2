"""The cases: a program each, that says `import socket` and knows nothing of which it gets."""
