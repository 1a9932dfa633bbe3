"""`make open`: the page of a deployed stack, in the browser of whoever asks."""

import argparse
import sys
import webbrowser
from collections.abc import Sequence

from infra.stack import Stack


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.open")
    parser.add_argument("--stack", required=True)
    url = Stack(parser.parse_args(arguments).stack).outputs.get("Url")
    if url is None:
        print("There is no such stack, or it has not come to its end.", file=sys.stderr)
        return 1
    print(url)
    webbrowser.open(f"{url}/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
