"""What goes beyond the standard library's ``socket``: a module for each concept, imported when it is first used."""
