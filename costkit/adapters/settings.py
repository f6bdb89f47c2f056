"""Configuration: `[tool.costkit]` or `costkit.toml`, the user's own file, and `COSTKIT_*` variables.

Flags win over variables, variables over files, the project's file over the user's. An unknown key or
a misspelt variable is an error that names the nearest known one: a limit silently ignored would be worse than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from costkit.core.money import usd_limit
from costkit.core.response import MOST_TOKENS
from costkit.core.suggest import close_names
from costkit.errors import InvalidConfig

FORMATS = ("table", "json", "csv", "markdown")
COLORS = ("auto", "always", "never")
TOKEN_MODES = ("auto", "exact", "offline", "fast")
_MOST_DIGITS = 30
OTHER_VARIABLES = ("COSTKIT_STATE", "COSTKIT_RECONCILE_WAIT_S", "COSTKIT_POLL_S", "COSTKIT_BUDGET")
"""Variables that are read elsewhere and have no key in a file."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting that a file or a variable may give; `None` where nothing is said."""

    pricing: str | None = None
    """Path of a price book; in a file it is relative to that file."""
    model: tuple[str, ...] | None = None
    output_tokens: int | None = None
    max_tokens: int | None = None
    max_cost: str | None = None
    """US dollars."""
    tokens: str | None = None
    """One of `TOKEN_MODES`."""
    format: str | None = None
    color: str | None = None
    also: str | None = None
    """`CODE=RATE`, a second currency for people."""
    tz: str | None = None
    offline: bool | None = None
    quiet: bool | None = None

    def over(self, weaker: Settings) -> Settings:
        """These settings, with gaps filled from weaker ones."""
        mine = {field.name: getattr(self, field.name) for field in fields(self)}
        return Settings(**{name: getattr(weaker, name) if value is None else value for name, value in mine.items()})


def read_settings(start: Path, user_file: Path | None, environ: Mapping[str, str]) -> Settings:
    """Collect the settings that hold in a folder; raises `InvalidConfig` naming file or variable."""
    found = _from_environ(environ)
    for path, table in _tables(start, user_file):
        found = found.over(_from_table(table, path))
    return found


def _tables(start: Path, user_file: Path | None) -> Iterator[tuple[Path, Mapping[str, object]]]:
    for folder in (start, *start.parents):
        own, shared = folder / "costkit.toml", folder / "pyproject.toml"
        if _is_there(own, Path.is_file):
            yield own, _load(own)
            break
        if _is_there(shared, Path.is_file) and b"costkit" in _bytes(shared):
            tool = _load(shared).get("tool")
            table = tool.get("costkit") if isinstance(tool, Mapping) else None
            if table is not None:
                yield shared, _mapping(table, shared)
                break
        if _is_there(folder / ".git", Path.exists):
            break
    if user_file is not None and _is_there(user_file, Path.is_file):
        yield user_file, _load(user_file)


def _is_there(path: Path, test: Callable[[Path], bool]) -> bool:
    """Whether a file can be seen; what lies in a folder that one may not enter can't have been meant."""
    try:
        return test(path)
    except PermissionError:
        return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InvalidConfig(f"can't be read: {problem.strerror}", where=str(path)) from None


def _load(path: Path) -> Mapping[str, object]:
    import tomllib

    try:
        return tomllib.loads(_bytes(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidConfig(f"is not valid TOML: {problem}", where=str(path)) from None


def _mapping(value: object, path: Path) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise InvalidConfig("[tool.costkit] must be a table", where=str(path))
    return value


def _from_table(table: Mapping[str, object], path: Path) -> Settings:
    known = [field.name for field in fields(Settings)]
    values: dict[str, object] = {}
    for raw, value in table.items():
        name = raw.replace("-", "_")
        if name not in known:
            raise InvalidConfig(f"unknown key {raw!r}", where=str(path), hint=_did_you_mean(name, known))
        try:
            values[name] = _CHECKS[name](value)
        except ValueError as problem:
            raise InvalidConfig(f"{raw}: {problem}", where=str(path)) from None
    if isinstance(values.get("pricing"), str):
        values["pricing"] = str(path.parent / Path(str(values["pricing"])).expanduser())
    return Settings(**values)  # type: ignore[arg-type]  # each value went through its check


def _from_environ(environ: Mapping[str, str]) -> Settings:
    variables = {f"COSTKIT_{field.name.upper()}": field.name for field in fields(Settings)}
    values: dict[str, object] = {}
    for variable, text in environ.items():
        if not variable.startswith("COSTKIT_") or variable in OTHER_VARIABLES or text == "":
            continue
        if variable not in variables:
            _refuse_typo(variable, [*variables, *OTHER_VARIABLES])
            continue
        name = variables[variable]
        try:
            values[name] = _CHECKS[name](_FROM_TEXT.get(name, _as_is)(text))
        except ValueError as problem:
            raise InvalidConfig(f"{variable}: {problem}") from None
    return Settings(**values)  # type: ignore[arg-type]  # each value went through its check


def _refuse_typo(variable: str, known: list[str]) -> None:
    """Stop at a variable that looks like a misspelt one; others may belong to a user's own scripts."""
    close = close_names(variable, known, cutoff=0.85)
    if close:
        raise InvalidConfig(f"unknown variable {variable}", hint=f"did you mean {close[0]}?")


def _did_you_mean(name: str, known: list[str]) -> str:
    close = close_names(name, known)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


def _amount(value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    try:
        usd_limit(text)  # type: ignore[arg-type]  # anything but text is refused below
    except (ValueError, AttributeError):
        raise ValueError('must be an amount of US dollars such as "2.50"') from None
    return str(text)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_TOKENS:
        raise ValueError(f"must be a whole number from 0 to {MOST_TOKENS:,}")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("must be a model name or a list of them")


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return check


_CHECKS: dict[str, Callable[[object], object]] = {
    "pricing": _text,
    "model": _names,
    "output_tokens": _whole,
    "max_tokens": _whole,
    "max_cost": _amount,
    "tokens": _one_of(TOKEN_MODES),
    "format": _one_of(FORMATS),
    "color": _one_of(COLORS),
    "also": _text,
    "tz": _text,
    "offline": _flag,
    "quiet": _flag,
}


def _as_is(text: str) -> object:
    return text


def _number(text: str) -> object:
    return int(text) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else text


def _switch(text: str) -> object:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)


def _comma_separated(text: str) -> object:
    return [name.strip() for name in text.split(",") if name.strip()]


_FROM_TEXT: dict[str, Callable[[str], object]] = {
    "model": _comma_separated,
    "output_tokens": _number,
    "max_tokens": _number,
    "offline": _switch,
    "quiet": _switch,
}
