"""`python -m costkit`, and the console script."""

from __future__ import annotations

import gc
import sys

_OBJECTS_BEFORE_COLLECTING = 100_000
"""Imports make many objects and hardly a cycle among them; looking for one every 2,000 takes 5 % of a start."""


def run() -> None:
    """Run the command line and exit with its status."""
    if sys.argv[1:] in (["--version"], ["-V"]) and _print_version():
        raise SystemExit(0)
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTING)
    try:
        from costkit.cli.main import main

        code = main(sys.argv[1:])
    except KeyboardInterrupt:  # before or after the part that reports it properly
        print("costkit: interrupted", file=sys.stderr)  # noqa: T201  the one line
        code = 130
    raise SystemExit(code)


def _print_version() -> bool:
    """Answer before anything else is imported; False where that fails and the long way has to say why."""
    from costkit import __version__

    try:
        sys.stdout.write(f"costkit {__version__}\n")
        sys.stdout.flush()
    except (OSError, AttributeError):
        return False
    return True


if __name__ == "__main__":
    run()
