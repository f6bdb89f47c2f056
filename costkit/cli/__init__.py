"""The roof: flags, wiring, streams and exit status; one file per command."""
