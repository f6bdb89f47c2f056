"""What every command shares: the common flags, their help, and the `Run` that a command body receives.

A command is a function whose first parameter is a `Run`; `add_command` gives it the common flags, so that a body
holds nothing but its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from costkit.cli.output import write_answer
from costkit.cli.run import Run
from costkit.errors import ExitCode, InvalidInput

ADVANCED = "Advanced"
"""The help panel of flags that few people need first."""

CONTEXT = {"help_option_names": ["--help", "-h"], "max_content_width": 110}


_MOST_DIGITS = 30


def whole_number(lowest: int = 0, highest: int = 10**10) -> Callable[[str], int]:
    """A parser for counts: plain digits within bounds that no honest count exceeds."""

    def parse(text: str | int) -> int:
        if isinstance(text, str) and not (text.isascii() and text.isdigit()):
            raise typer.BadParameter(f"{text!r} is not a whole number from {lowest}")
        if len(str(text)) > _MOST_DIGITS or not lowest <= int(text) <= highest:
            raise typer.BadParameter(f"{str(text)[:_MOST_DIGITS]} is not between {lowest} and {highest:,}")
        return int(text)

    return parse


_COMMON: dict[str, Any] = {
    "format_": Annotated[
        str | None, typer.Option("--format", "-f", metavar="FORMAT", help="table, json, csv or markdown.")
    ],
    "json_": Annotated[bool, typer.Option("--json", help="Same as --format json.")],
    "output": Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to a file, whole or not at all.")
    ],
    "pricing": Annotated[
        str | None,
        typer.Option(metavar="FILE", help="A price book of your own; it may extend the built-in one."),
    ],
    "as_of": Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Price with the rates of this day [default: today, UTC]."),
    ],
    "offline": Annotated[
        bool | None, typer.Option("--offline", help="Open no socket at all.", rich_help_panel=ADVANCED)
    ],
    "also": Annotated[
        str | None,
        typer.Option(metavar="CODE=RATE", help="A second currency in tables, e.g. KRW=1430.", rich_help_panel=ADVANCED),
    ],
    "color": Annotated[
        str | None, typer.Option(metavar="WHEN", help="auto, always or never.", rich_help_panel=ADVANCED)
    ],
    "quiet": Annotated[
        bool | None,
        typer.Option("--quiet", "-q", help="No progress, warnings or hints.", rich_help_panel=ADVANCED),
    ],
}
_FLAGS_WITHOUT_VALUE = {"json_"}


class _HelpIsAnAnswer:
    """Help goes the way of every answer, so that a full disk or a closed pipe means the same there."""

    def get_help_option(self, ctx: Any) -> Any:
        """The `--help` option."""
        option = super().get_help_option(ctx)  # type: ignore[misc]  # of the class that this one is mixed into
        if option is not None:
            option.callback = _answer_with_help
        return option


def _answer_with_help(ctx: Any, _option: Any, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        write_answer(ctx.get_help() + "\n", None)
        ctx.exit()


class CommandGroup(_HelpIsAnAnswer, TyperGroup):
    """A command that only holds others."""


class SectionedCommand(_HelpIsAnAnswer, TyperCommand):
    """A command whose help lists few flags first and the rest under their own heading, as plain text."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write one list per section, in order of appearance, `Advanced` last."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            home = "Arguments" if param.param_type_name == "argument" else "Options"
            if record is not None:
                sections.setdefault(getattr(param, "rich_help_panel", None) or home, []).append(record)
        for title in sorted(sections, key=lambda title: title == ADVANCED):
            if sections[title]:
                with formatter.section(title):
                    formatter.write_dl(sections[title])


def add_command(app: typer.Typer, name: str, function: Callable[..., ExitCode], *, examples: str = "") -> None:
    """Register a command body under a name, with the common flags added to its own."""
    _add(app, name, _with_common(function), examples)


def add_plain_command(app: typer.Typer, name: str, function: Callable[..., ExitCode], *, examples: str = "") -> None:
    """Register a command body that takes its own flags only."""
    _add(app, name, function, examples)


def _add(app: typer.Typer, name: str, function: Callable[..., ExitCode], examples: str) -> None:
    summary = (function.__doc__ or "").split("\n", 1)[0]
    app.command(
        name, cls=SectionedCommand, context_settings=CONTEXT, epilog=examples or None, short_help=summary
    )(function)  # fmt: skip


def _spoken_name(parameter: inspect.Parameter) -> str:
    """How messages name a parameter: its longest flag, or what the help calls an argument."""
    info = next(iter(getattr(parameter.annotation, "__metadata__", ())), None)
    if isinstance(info, typer.models.ArgumentInfo):
        return (
            "a path" if info.metavar and info.metavar.endswith("...") else (info.metavar or parameter.name).strip("[]")
        )
    declared = [getattr(info, "default", None), *(getattr(info, "param_decls", None) or ())]  # Typer splits them so
    flags = [text for text in declared if isinstance(text, str) and text.startswith("-")]
    return max(flags, key=len) if flags else f"--{parameter.name.replace('_', '-')}"


def _refuse_empty(values: Mapping[str, object], names: Mapping[str, str]) -> None:
    """An empty value is a variable that a script forgot to set; it must not count as "no flag"."""
    for name, value in values.items():
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str) and not text.strip():
                raise InvalidInput(f"{names[name]} is empty", code="usage", hint="leave it out, or give it a value")


def _with_common(function: Callable[..., ExitCode]) -> Callable[..., ExitCode]:
    own = inspect.signature(function, eval_str=True)
    parameters = [p for p in own.parameters.values() if p.name != "run"]
    common = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if name in _FLAGS_WITHOUT_VALUE else None,
            annotation=annotation,
        )
        for name, annotation in _COMMON.items()
    ]

    names = {p.name: _spoken_name(p) for p in [*parameters, *common]}

    @functools.wraps(function)
    def command(**values: Any) -> ExitCode:
        _refuse_empty(values, names)
        flags = {name: values.pop(name) for name in _COMMON}
        return function(Run.begin(**flags), **values)

    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters] + common
    )
    command.__annotations__ = {p.name: p.annotation for p in [*parameters, *common]}
    del command.__wrapped__  # or its signature would be read instead
    return command
