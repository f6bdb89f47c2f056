"""The flags that say how prompts are read, the same for every command that reads them."""

from __future__ import annotations

from typing import Annotated

import typer

from costkit.cli.framework import ADVANCED

SystemFlag = Annotated[
    str | None,
    typer.Option("--system", metavar="FILE", rich_help_panel=ADVANCED, help="A system prompt for every request."),
]
ToolsFlag = Annotated[
    str | None, typer.Option("--tools", metavar="FILE", rich_help_panel=ADVANCED, help="Tools for every request.")
]
InputFlag = Annotated[
    str | None,
    typer.Option("--input", metavar="KIND", rich_help_panel=ADVANCED, help="text, request, messages or batch."),
]
