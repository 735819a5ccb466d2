"""What goes beyond the standard library's ``socket``: one module a concept, each imported when it is first used."""
