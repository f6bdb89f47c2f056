"""The parts of `tests/api_server.py`, the stand-in for the Claude API."""
