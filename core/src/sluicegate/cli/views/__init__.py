"""What the command line prints, as pure functions of the objects read, the time and whether colour is on.

No I/O and no clock. Objects are plain mappings as the API server sent them: a view shows whatever is stored, also
what no model would accept.
"""
