"""`python -m costkit`, and the console script."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line and exit with its status."""
    if sys.argv[1:] in (["--version"], ["-V"]):  # answered before anything else is imported
        from costkit import __version__

        print(f"costkit {__version__}")  # noqa: T201  the whole answer
        raise SystemExit(0)
    from costkit.cli.main import main

    raise SystemExit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
