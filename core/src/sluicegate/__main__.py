"""`python -m sluicegate`: the command line without its script."""

import sys

from sluicegate.cli.main import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
