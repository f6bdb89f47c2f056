"""The outside world of budgets: one SQLite file that any number of processes share."""
