"""`costkit schema`: the JSON Schema of a command's document."""

from __future__ import annotations

from importlib import resources
from typing import Annotated

import typer

from costkit.cli.framework import add_plain_command
from costkit.cli.output import write_answer
from costkit.errors import ExitCode, InvalidInput

FORMAT = "json"


def schema(
    command: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="estimate, report, pricing list, …, or error.")
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file, whole or not at all.")
    ] = None,
    format_: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help="json, which a schema always is.")
    ] = FORMAT,
    json_: Annotated[bool, typer.Option("--json", help="Same as --format json.")] = False,  # noqa: ARG001
) -> ExitCode:
    """Print the JSON Schema of the document that `costkit COMMAND --json` writes."""
    if format_ != FORMAT:
        raise InvalidInput(f"a schema is JSON, not {format_!r}", code="usage")
    folder = resources.files("costkit") / "schemas"
    name = "-".join(" ".join(command).split())
    known = sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))
    if name not in known:
        raise InvalidInput(f"there is no schema for {' '.join(command)!r}", hint=f"known: {', '.join(known)}")
    write_answer((folder / f"{name}.json").read_text(encoding="utf-8"), output)
    return ExitCode.OK


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    add_plain_command(app, "schema", schema)
