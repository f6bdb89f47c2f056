"""Where costkit keeps what must not be lost: the ledger of batches, the budgets."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """`COSTKIT_STATE`, else the platform's place for a program's state."""
    chosen = os.environ.get("COSTKIT_STATE")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("costkit")
