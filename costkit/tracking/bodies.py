"""Response bodies that are looked at while they pass, and never held up.

The SDK's middleware sees a streamed response before its body was read. It then gets a response whose body is the
original's, piece by piece; what passed is told to a listener, and how it ended: `read`, `broken` (the connection
failed) or `abandoned` (nobody read on). A body that is dropped without being closed is `abandoned` too.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

import httpx2


class Listener(Protocol):
    """What hears about a body; it raises nothing."""

    def feed(self, data: bytes) -> None:
        """Take a decoded piece."""

    def end(self, how: str) -> None:
        """Take note of the end; only the first call counts."""


class _Body(httpx2.SyncByteStream):
    def __init__(self, original: httpx2.Response, listener: Listener) -> None:
        self._original = original
        self._listener = listener
        self._dropped = weakref.finalize(self, listener.end, "abandoned")

    def __iter__(self) -> Iterator[bytes]:
        try:
            for piece in self._original.iter_bytes():
                self._listener.feed(piece)
                yield piece
        except GeneratorExit:
            raise
        except BaseException:
            self._listener.end("broken")
            raise
        self._listener.end("read")

    def close(self) -> None:
        self._listener.end("abandoned")
        self._original.close()


class _AsyncBody(httpx2.AsyncByteStream):
    def __init__(self, original: httpx2.Response, listener: Listener) -> None:
        self._original = original
        self._listener = listener
        self._dropped = weakref.finalize(self, listener.end, "abandoned")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = self._original.aiter_bytes()
        try:
            async for piece in pieces:
                self._listener.feed(piece)
                yield piece
        except GeneratorExit:
            raise
        except BaseException:
            self._listener.end("broken")
            raise
        finally:
            close: Callable[[], object] | None = getattr(pieces, "aclose", None)
            if close is not None:
                with contextlib.suppress(RuntimeError):  # already running: its reader is being cancelled
                    await pieces.aclose()
        self._listener.end("read")

    async def aclose(self) -> None:
        self._listener.end("abandoned")
        await self._original.aclose()


def listened(original: httpx2.Response, listener: Listener) -> httpx2.Response:
    """A response that stands for the original and whose body is listened to.

    Its pieces are decoded, so the headers that describe the encoded body are left out.
    """
    headers = original.headers.copy()
    for name in ("content-encoding", "content-length"):
        headers.pop(name, None)
    is_sync = isinstance(original.stream, httpx2.SyncByteStream)
    return httpx2.Response(
        original.status_code,
        headers=headers,
        stream=_Body(original, listener) if is_sync else _AsyncBody(original, listener),
        request=original.request,
        extensions=original.extensions,
        history=original.history,
    )
