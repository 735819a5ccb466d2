"""What goes beyond the standard library's ``socket``. Each module is imported when one of its names is first used."""
