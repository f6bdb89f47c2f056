"""Keeps what `costkit calibrate` learnt: one small file for its owner only, replaced as a whole.

A correction holds for the counter that it was learnt from. After an update of costkit, of its tokenizer or of the
measured constants it says nothing any more, so each one carries a mark of the counter, and others are passed over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from costkit.adapters.atomic import write_atomically
from costkit.core.notice import Notice
from costkit.errors import Unwritable
from costkit.estimate.calibration import Correction

FILE_NAME = "calibration.json"
_FORMAT = 1
_DECIMALS = ("ratio", "below", "above", "error_before", "error_after")
_AGAIN = "costkit calibrate FILES learns anew, --clear removes it"


@dataclass(frozen=True, slots=True)
class Calibration:
    """The corrections that hold here and now, and why others don't."""

    corrections: tuple[Correction, ...] = ()
    notices: tuple[Notice, ...] = ()


def read_calibration(folder: Path) -> Calibration:
    """What was learnt for the counter as it is now; a file that can't be used is left alone, and a notice says so."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Calibration()
    except (OSError, ValueError) as problem:
        return _unusable(f"can't be read ({type(problem).__name__})", path)
    try:
        rows = list(_rows(json.loads(text)))
    except (ValueError, TypeError, KeyError, RecursionError, InvalidOperation):
        return _unusable("is damaged", path)
    current = tuple(one for one, mark in rows if mark == counter_mark(one.method))
    if len(current) == len(rows):
        return Calibration(current)
    message = f"a calibration of another version of the counter is ignored: {_AGAIN}"
    return Calibration(current, (Notice("calibration-outdated", message),))


def keep_calibration(folder: Path, corrections: Sequence[Correction]) -> None:
    """Replace what is kept; raises `Unwritable`."""
    rows = [{**_plain(one), "counter": counter_mark(one.method)} for one in corrections]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise Unwritable(f"can't make the folder {folder}: {problem.strerror}") from problem
    data = json.dumps({"format": _FORMAT, "corrections": rows}, indent=1)
    write_atomically(folder / FILE_NAME, data.encode(), private=True)


def clear_calibration(folder: Path) -> bool:
    """Forget everything; whether there was anything. Raises `Unwritable`."""
    try:
        (folder / FILE_NAME).unlink()
    except FileNotFoundError:
        return False
    except OSError as problem:
        raise Unwritable(f"can't remove {folder / FILE_NAME}: {problem.strerror}") from problem
    return True


def counter_mark(method: str) -> str:
    """What a local count by this method depends on: the program, the tokenizer, the measured constants."""
    from importlib.metadata import PackageNotFoundError, version

    from costkit import __version__
    from costkit.adapters.tokens.overheads import load_rules

    package = {"offline": "ctok", "tiktoken": "tiktoken"}.get(method)
    try:
        engine = f"{package} {version(package)}" if package else method
    except PackageNotFoundError:
        engine = f"no {package}"
    rules = json.dumps(load_rules(), sort_keys=True, default=str)
    return f"costkit {__version__}, {engine}, {hashlib.sha256(rules.encode()).hexdigest()[:16]}"


def _plain(one: Correction) -> dict[str, object]:
    values = {each.name: getattr(one, each.name) for each in fields(one)}
    return {**values, **{name: str(values[name]) for name in _DECIMALS}, "day": one.day.isoformat()}


def _rows(document: object) -> Iterator[tuple[Correction, str]]:
    if not isinstance(document, dict) or document["format"] != _FORMAT:
        raise ValueError
    for row in document["corrections"]:
        values = {**row, "day": date.fromisoformat(row["day"]), "kinds": tuple(row["kinds"])}
        mark = values.pop("counter")
        values.update({name: Decimal(row[name]) for name in _DECIMALS})
        one = Correction(**values)
        if not _makes_sense(one):
            raise ValueError
        yield one, mark


def _makes_sense(one: Correction) -> bool:
    shares = (one.below, one.above, one.error_before, one.error_after)
    return (
        all(isinstance(text, str) for text in (one.family, one.method, *one.kinds))
        and all(share.is_finite() and share >= 0 for share in shares)
        and one.ratio.is_finite()
        and one.ratio > 0
        and one.below <= 1
        and type(one.requests) is int
    )


def _unusable(why: str, path: Path) -> Calibration:
    return Calibration(notices=(Notice("calibration-unusable", f"{path} {why} and is ignored: {_AGAIN}"),))
