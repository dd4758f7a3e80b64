"""Manifests in files: how they are read and what is refused of them, for the verbs that take files.

Every verb reads YAML and JSON here, so that a file means the same to all of them.
"""
