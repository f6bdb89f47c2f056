"""A stream of bytes as lines or as JSON values, with their places, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Callable

BLOCK = 1 << 20
"""Bytes per read."""
LONGEST = 32 << 20
"""A line or a value above this many bytes is passed over without being held in memory."""

_MOST_AT_ONCE = 4 * BLOCK

Read = Callable[[int], bytes]
"""Returns up to so many bytes; `b""` at the end."""

_TOKEN = re.compile(rb'"(?:[^"\\\n]++|\\[^\n])*+"|[][{}"]|\n(?=\{|\Z)')
_BROKEN_STRING = re.compile(rb'"(?:[^"\\\n]++|\\[^\n])*+\\?\n')
_SCALAR = re.compile(rb"[^][{},\s]*")
_MARGIN = re.compile(rb"(?:\xef(?:\xbb(?:\xbf)?)?)?[ \t\r\0]*")
_BETWEEN = re.compile(rb"[ \t\r\n,\0]*")
_QUOTE, _LINE_FEED = ord('"'), ord("\n")


class TooLong(Exception):
    """Raised for a line or a value above `LONGEST`; the feed has passed over its line."""


class Torn(Exception):
    """Raised for a value that breaks off; the feed has passed over the rest of its line."""


class Feed:
    """A place in a byte stream; `line` (from 1) and `offset` say where the next byte is."""

    def __init__(self, read: Read, offset: int = 0, line: int = 1, block: bytes = b"") -> None:
        self._read = read
        self._block = block
        self._at = 0
        self._base = offset
        self.line = line
        self.cut_off = False
        """Whether the line taken last had no line feed: nothing follows it."""

    @property
    def offset(self) -> int:
        """Bytes before the next one."""
        return self._base + self._at

    def next_line(self) -> bytes | None:
        """Take the next line without its line feed; `None` at the end of the stream. Raises `TooLong`."""
        end = self._block.find(b"\n", self._at)
        if end < 0:
            return self._line_across_blocks()
        text = self._block[self._at : end]
        self._at = end + 1
        self.line += 1
        return text

    def pass_over_line(self) -> None:
        """Go to the next line, holding at most a block."""
        while True:
            end = self._block.find(b"\n", self._at)
            self._pass_over((len(self._block) if end < 0 else end + 1) - self._at)
            if end >= 0 or not self._more():
                return

    def at_array(self) -> bool:
        """Whether the line that comes next begins with a bracket."""
        if self._block[self._at : self._at + 1] == b"{":
            return False
        margin = self._margin()
        while self._at + margin == len(self._block) and margin <= BLOCK and self._more():
            margin = self._margin()
        return self._block[self._at + margin : self._at + margin + 1] == b"["

    def enter_array(self) -> None:
        """Pass over the bracket that `at_array` has seen."""
        self._pass_over(self._margin() + 1)

    def next_in_array(self) -> bytes:
        """Pass over white space and commas and look at the next byte; `b""` at the end of the stream."""
        while True:
            between = _BETWEEN.match(self._block, self._at)
            self._pass_over((between.end() if between else self._at) - self._at)
            if self._at < len(self._block) or not self._more():
                return self._block[self._at : self._at + 1]

    def take(self) -> None:
        """Pass over one byte."""
        self._pass_over(1)

    def take_scalar(self) -> bytes:
        """Take a number or a literal, or the beginning of what is none."""
        while True:
            scalar = _SCALAR.match(self._block, self._at)
            end = scalar.end() if scalar else self._at
            if end < len(self._block) or end - self._at > BLOCK or not self._more():
                return self._take(end - self._at)

    def take_value(self, begins: Callable[[bytes], bool] = lambda _line: False) -> bytes:
        """Take the object, array or text that begins here, up to the bracket or quote that closes it.

        Only brackets and quotes are looked at. Raises `Torn` where a line or the stream ends inside a text, or the
        stream inside a bracket, or where `begins` says of a later line that another document begins there; and
        `TooLong`.
        """
        seen, depth, at_end = 0, 0, False
        while True:
            for token in _TOKEN.finditer(self._block, self._at + seen):
                start, end = token.span()
                mark = self._block[start]
                if end - self._at > LONGEST:  # wherever blocks end, the same values are too long
                    break
                if mark == _LINE_FEED:
                    stop = self._block.find(b"\n", end)
                    if stop - self._at > LONGEST or (stop < 0 and not at_end):
                        seen = start - self._at
                        break
                    if begins(self._block[end : None if stop < 0 else stop]):
                        self._pass_over(end - self._at)
                        raise Torn
                elif end - start == 1 and mark == _QUOTE:
                    if _BROKEN_STRING.match(self._block, start):
                        self._pass_over(start - self._at)
                        self.pass_over_line()
                        raise Torn
                    seen = start - self._at
                    break
                else:
                    depth += (mark in b"[{") - (mark in b"]}")
                    if depth == 0:
                        return self._take(end - self._at)
            else:
                seen = len(self._block) - self._at
            at_end = self._hold_more(at_end=at_end)

    def _hold_more(self, *, at_end: bool) -> bool:
        """Read on in the middle of a value; tell whether there was nothing more."""
        size = len(self._block) - self._at
        if at_end or size > LONGEST:
            self._pass_over(size if at_end else LONGEST)
            if at_end:
                raise Torn
            self.pass_over_line()
            raise TooLong
        return not self._more()

    def _margin(self) -> int:
        found = _MARGIN.match(self._block, self._at)
        return found.end() - self._at if found else 0

    def _line_across_blocks(self) -> bytes | None:
        while True:
            looked_at = len(self._block) - self._at
            if looked_at > LONGEST:
                self._pass_over(looked_at)
                self.pass_over_line()
                raise TooLong
            if not self._more():
                self.cut_off = True
                return self._take(looked_at) if looked_at else None
            end = self._block.find(b"\n", self._at + looked_at)
            if end - self._at > LONGEST:  # as it would be if the block ended before
                self._pass_over(end + 1 - self._at)
                raise TooLong
            if end >= 0:
                text = self._take(end - self._at)
                self._pass_over(1)
                return text

    def _take(self, size: int) -> bytes:
        start = self._at
        self._pass_over(size)
        return self._block[start : self._at]

    def _pass_over(self, size: int) -> None:
        end = min(self._at + size, len(self._block))
        self.line += self._block.count(b"\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """Read on, keeping what is not yet taken; reads grow with it, so that a long line is not copied too often."""
        rest = self._block[self._at :]
        block = self._read(min(max(BLOCK, len(rest)), _MOST_AT_ONCE))
        self._base += self._at
        self._at = 0
        self._block = rest + block if rest else block
        return bool(block)
