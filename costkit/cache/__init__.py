"""Answers: when does caching pay, and where do the breakpoints go."""
