"""Manifests in files, read as strictly as the incumbent's command line reads them, and refused in its words.

`documents` makes plain data of text, `structs` finds members that a kind does not have or that are of another type.
"""
