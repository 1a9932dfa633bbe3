"""`python -m imagerepo` is the command `imagerepo`."""

import sys

from imagerepo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
