"""Tells a command of the user's own that a soft limit is reached; whatever becomes of it, nothing else is held up."""

from __future__ import annotations

import json
import shlex
import subprocess

from costkit.budget.result import BudgetState

_SECONDS = 5.0


def warning_of(state: BudgetState) -> str:
    """The warning in one line."""
    rule, standing = state.rule, state.standing
    used, share = standing.amount(standing.used), state.used_share
    percent = "" if share is None else f" ({int(share * 100)} %)"
    return f"budget {rule.name}: {used} of {rule.limit} used{percent}, the soft limit is reached"


def notify(state: BudgetState) -> str | None:
    """Run the budget's command, with the warning as JSON on its stdin; returns what went wrong, in one line.

    The command is split as a shell would, but no shell runs it. It has five seconds.
    """
    if state.rule.notify is None:
        return None
    message = json.dumps({"event": "soft-limit", "message": warning_of(state), "budget": state.as_json()}) + "\n"
    try:
        words = shlex.split(state.rule.notify)
        done = subprocess.run(words, input=message.encode(), capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - the user's own command
    except subprocess.TimeoutExpired:
        return f"the command to notify took more than {_SECONDS:.0f} seconds and was stopped"
    except (OSError, ValueError, IndexError) as problem:
        return f"the command to notify can't be run: {getattr(problem, 'strerror', None) or problem}"
    return None if done.returncode == 0 else f"the command to notify ended with exit code {done.returncode}"
