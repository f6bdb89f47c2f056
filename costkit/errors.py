"""Everything that can go wrong, and the exit code it leads to.

    CostkitError
    ├── InvalidInput           2  the command, the configuration or the input is invalid; nothing was done
    │   ├── InvalidConfig      2  a configuration file or a COSTKIT_* variable is wrong
    │   └── InvalidPricing     2  a price book breaks a rule of its format
    ├── OperationFailed        1  the network, the API or a file let us down midway
    │   ├── InputChanged       1  a file is no longer what it was when it was checked
    │   ├── Unwritable         1  the answer can't be written where it was asked for
    │   └── Gone               1  what was asked for was there once; trying again won't bring it back
    ├── BudgetExceeded         3  a budget has not enough left for a request; nothing was sent
    ├── StillRunning           8  there is nothing to show until something else has ended
    └── Undecidable            5  the evidence does not allow an answer
        └── UnknownModel       5  no price book entry has this name

A limit that was exceeded (3), items that failed (4) and work that still runs (8) are not errors where there is
a result to print them with: then they are findings. `worst` combines them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What a command's exit status means; see the table in the root `--help`."""

    OK = 0
    FAILED = 1
    INVALID = 2
    LIMIT = 3
    INCOMPLETE = 4
    UNDECIDED = 5
    RUNNING = 8
    INTERRUPTED = 130


_GRAVEST_FIRST = (
    ExitCode.INTERRUPTED,
    ExitCode.INVALID,
    ExitCode.FAILED,
    ExitCode.UNDECIDED,
    ExitCode.LIMIT,
    ExitCode.INCOMPLETE,
    ExitCode.RUNNING,
    ExitCode.OK,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """Choose the exit code when several apply; `OK` for none."""
    return min(codes, key=_GRAVEST_FIRST.index, default=ExitCode.OK)


class CostkitError(Exception):
    """Base of every error that is not a bug; `str()` is one line for people.

    `where` is a place such as `prompt.json:12` or `body.json:messages[0]`, `hint` what to do next.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED
    default_code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, hint: str | None = None, where: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.hint = hint
        self.where = where
        self.code = code or self.default_code


class InvalidInput(CostkitError):
    """Raised when an argument or an input can't be used as it is."""

    exit_code = ExitCode.INVALID
    default_code = "invalid-input"


class InvalidConfig(InvalidInput):
    """Raised when a configuration file or a `COSTKIT_*` variable is wrong."""

    default_code = "invalid-config"


class InvalidPricing(InvalidInput):
    """Raised when a price book breaks a rule of its format; `where` is file:line."""

    default_code = "invalid-pricing"


class OperationFailed(CostkitError):
    """Raised when the network, the API or the file system fails midway; trying again may help."""

    default_code = "operation-failed"
    retryable = True


class Gone(OperationFailed):
    """Raised when what was asked for can't be had any more, such as the results of an old batch."""

    default_code = "gone"
    retryable = False


class Unwritable(OperationFailed):
    """Raised when the answer can't be written where it was asked for: another place may do, trying again won't."""

    default_code = "write-failed"
    retryable = False


class BudgetExceeded(CostkitError):
    """Raised when a budget has not enough left for a request, before anything is sent.

    `available_usd` or `available_tokens` is what is left of the budget named `budget`; the other one is `None`.
    """

    exit_code = ExitCode.LIMIT
    default_code = "budget-exceeded"

    def __init__(
        self,
        message: str,
        *,
        budget: str,
        available_usd: Decimal | None = None,
        available_tokens: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.budget = budget
        self.available_usd = available_usd
        self.available_tokens = available_tokens


class StillRunning(CostkitError):
    """Raised when the answer depends on a batch or on another process that has not ended yet."""

    exit_code = ExitCode.RUNNING
    default_code = "still-running"
    retryable = True


class InputChanged(OperationFailed):
    """Raised when a file is no longer what it was when it was checked: the changed part is not sent."""

    default_code = "input-changed"
    retryable = False


class Undecidable(CostkitError):
    """Raised when no honest answer can be given; never to be read as "cheap enough"."""

    exit_code = ExitCode.UNDECIDED
    default_code = "undecidable"


class UnknownModel(Undecidable):
    """Raised when the price book has no model of this name; `candidates` are close names."""

    default_code = "unknown-model"

    def __init__(self, name: str, candidates: Sequence[str] = (), *, where: str | None = None) -> None:
        hint = (
            f"did you mean {' or '.join(candidates)}?" if candidates else "costkit pricing list shows the known models"
        )
        super().__init__(f"unknown model {name!r}", hint=hint, where=where)
        self.name = name
        self.candidates = tuple(candidates)
