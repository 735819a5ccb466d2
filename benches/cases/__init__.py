"""The cases: each is a program that executes `import socket`, and does not know which module that is."""
