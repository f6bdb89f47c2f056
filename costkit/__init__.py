"""costkit: exact costs for the Claude API, offline where it can be."""

__version__ = "0.1.0"
