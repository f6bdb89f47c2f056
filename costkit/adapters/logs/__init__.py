"""Logs of Claude responses, whoever wrote them: `read_logs` turns files and folders into records for a report."""

from costkit.adapters.logs.reader import read_logs

__all__ = ["read_logs"]
