"""The command line: one module a verb, and `views`, which turns objects into the text that is printed.

Nothing here decides anything about a Rollout: verbs read objects, show them, or send the patch a person asked for.
Verbs are imported when they run, so that `--help` needs nothing but click.
"""
