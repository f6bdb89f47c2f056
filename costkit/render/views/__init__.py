"""One module per command: its result as a neutral View."""
