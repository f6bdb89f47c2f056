"""The rim, inward: each module owns one dialect, one store or one service of the outside world."""
