"""One run of one command: the outside world, the settings that hold, and the way out for its answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from costkit.errors import ExitCode, InvalidInput

if TYPE_CHECKING:
    from costkit.adapters.settings import Settings
    from costkit.core.notice import Assumption, Notice
    from costkit.core.pricebook import PriceBook
    from costkit.render.view import Currency, View


@dataclass(slots=True)
class Run:
    """What a command body works with."""

    settings: Settings
    as_of: date
    as_of_given: bool = False
    """Whether the day was asked for; otherwise it is today."""
    output: str | None = None
    also: Currency | None = None
    _book: PriceBook | None = field(default=None, repr=False)

    @classmethod
    def begin(
        cls,
        *,
        format_: str | None,
        json_: bool,
        output: str | None,
        pricing: str | None,
        as_of: str | None,
        offline: bool | None,
        also: str | None,
        color: str | None,
        quiet: bool | None,
    ) -> Run:
        """Put flags over variables over files, and check what they say."""
        from costkit.adapters.settings import COLORS, FORMATS, Settings
        from costkit.cli.values import currency_from, day_from, one_of

        if json_ and format_ not in (None, "json"):
            raise InvalidInput(f"--json and --format {format_} contradict each other")
        flags = Settings(
            pricing=pricing,
            format=one_of("--format", "json" if json_ else format_, FORMATS),
            color=one_of("--color", color, COLORS),
            also=also,
            offline=offline or None,
            quiet=quiet or None,
        )
        settings = flags.over(settings_here())
        day = today() if as_of is None else day_from("--as-of", as_of)
        return cls(settings, day, as_of is not None, output, currency_from(settings.also))

    @property
    def format(self) -> str:
        """The output format: one of `FORMATS`."""
        return self.settings.format or "table"

    @property
    def offline(self) -> bool:
        """Whether no socket may be opened."""
        return bool(self.settings.offline)

    @property
    def quiet(self) -> bool:
        """Whether stderr stays silent but for errors."""
        return bool(self.settings.quiet)

    @property
    def book(self) -> PriceBook:
        """The price book that holds here."""
        if self._book is None:
            from costkit.adapters.pricing_yaml import built_in_book, load_book

            self._book = load_book(Path(self.settings.pricing)) if self.settings.pricing else built_in_book()
        return self._book

    @property
    def book_line(self) -> str:
        """Which price book was used: the footer of every table of prices."""
        name = "built in" if self.book.source == "built-in" else self.book.source
        day = f", as of {self.as_of}" if self.as_of_given else ""
        return f"prices of {self.book.checked} ({name}{day})"

    def cache_dir(self) -> Path:
        """The user's folder for what can be fetched again."""
        from platformdirs import user_cache_path

        return user_cache_path("costkit")

    def show(
        self,
        command: str,
        result: object,
        view: Callable[[], View],
        *,
        notices: Iterable[Notice] = (),
        assumptions: Iterable[Assumption] = (),
        findings: Iterable[Finding] = (),
    ) -> ExitCode:
        """Print the answer, then what should be known about it, then what was found; return the exit code."""
        from costkit.cli import output

        return output.show(
            self,
            command,
            result,
            view,
            notices=tuple(notices),
            assumptions=tuple(assumptions),
            findings=tuple(findings),
        )


class Finding(NamedTuple):
    """Something that decides the exit code of a command that did give an answer."""

    exit_code: ExitCode
    message: str


def today() -> date:
    """The current day, UTC."""
    return datetime.now(UTC).date()


def settings_here() -> Settings:
    """What variables and files say in the current folder; raises `InvalidConfig`."""
    from platformdirs import user_config_path

    from costkit.adapters.settings import read_settings

    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise InvalidInput("the current folder is gone", hint="change to one that exists") from None
    return read_settings(here, user_config_path("costkit") / "costkit.toml", os.environ)


def interactive(stream: object) -> bool:
    """Whether a stream is a terminal that a person sits at."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") != "dumb"


def piped_input() -> str:
    """Standard input as the input when no path is given; a person at a terminal is told instead of kept waiting."""
    if sys.stdin is None or sys.stdin.isatty():
        raise InvalidInput("no input: name a file or a folder, or pipe something in", code="usage", hint="- is stdin")
    return "-"


def shows_progress(run: Run) -> bool:
    """Whether progress may be drawn on stderr."""
    return interactive(sys.stderr) and not run.quiet and not os.environ.get("CI")
