"""Which models a report keeps: a pattern, or a model's own name in any spelling."""

from __future__ import annotations

from fnmatch import fnmatchcase

from costkit.core.notice import Notice
from costkit.core.pricebook import PriceBook
from costkit.errors import CostkitError

_MOST_NAMES = 8


class ModelFilter:
    """Decides for each model of a log, once, and remembers which there were; without a pattern it keeps all.

    A pattern (`*` and `?` as in a shell, case ignored) is compared with the canonical id and with the name in the log.
    One that the price book resolves, such as `claude-opus-5.5`, keeps that model under all its names.
    """

    def __init__(self, pattern: str | None, book: PriceBook) -> None:
        self._pattern = None if pattern is None else pattern.strip().lower()
        self._id = None if pattern is None else _id_of(pattern, book)
        self._kept: dict[tuple[str | None, str | None], bool] = {}

    def keeps(self, written: str | None, known: str | None) -> bool:
        """Whether responses of a model are wanted: its name as the log has it, and the id that stands for it."""
        if self._pattern is None:
            return True
        names = (written, known)
        if names not in self._kept:
            self._kept[names] = (known is not None and known == self._id) or any(map(self._fits, names))
        return self._kept[names]

    def notices(self) -> tuple[Notice, ...]:
        """What to say where the log has models, but none that was asked for: most likely a typing error."""
        if not self._kept or any(self._kept.values()):
            return ()
        names = sorted({known or "(no model)" for _, known in self._kept})
        more = f" and {len(names) - _MOST_NAMES} others" if len(names) > _MOST_NAMES else ""
        message = f"no model matches {self._pattern!r}: the log has {', '.join(names[:_MOST_NAMES])}{more}"
        return (Notice("no-match", message),)

    def _fits(self, name: str | None) -> bool:
        return name is not None and fnmatchcase(name.lower(), self._pattern or "")


def _id_of(name: str, book: PriceBook) -> str | None:
    try:
        return book.resolve(name).id
    except CostkitError:
        return None
