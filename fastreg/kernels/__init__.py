"""Compiled inner loops: serial functions on arrays that know nothing of the layers above."""
