"""The size of a picture is read from the header of every format that the API takes, however the file is made."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable

import pytest
from token_requests import OPUS_47, OPUS_48, SONNET_45, count, picture, png, said

from costkit.adapters.tokens.images import MOST_HEADER_CHARACTERS, size_of

Make = Callable[[int, int], bytes]
"""Width and height to a file."""
BASELINE, PROGRESSIVE = 0xC0, 0xC2
ROTATED = b"Exif\0\0II*\0" + struct.pack("<IHHHIIi", 8, 1, 0x0112, 3, 1, 6, 0)


def jpeg(width: int, height: int, *, frame: int = BASELINE, metadata: tuple[bytes, ...] = ()) -> bytes:
    """A picture's header, with the contents of APP1 segments before it."""
    segments = [b"\xff\xe1" + struct.pack(">H", 2 + len(data)) + data for data in metadata]
    table = b"\xff\xdb" + struct.pack(">H", 67) + bytes(65)
    start = struct.pack(">HHBHHB", 0xFF00 | frame, 17, 8, height, width, 3) + b"\1\x11\0\2\x11\1\3\x11\1"
    return b"\xff\xd8" + b"".join(segments) + table + start + b"\xff\xd9"


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def webp(chunk: bytes, data: bytes) -> bytes:
    whole = b"WEBP" + chunk + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def webp_lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\x30\x01\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(6))


def webp_lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(5))


def webp_extended(width: int, height: int) -> bytes:
    """With an alpha channel, metadata or several frames."""
    return webp(b"VP8X", b"\x12\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


def progressive_jpeg(width: int, height: int) -> bytes:
    return jpeg(width, height, frame=PROGRESSIVE)


def png_bytes(width: int, height: int) -> bytes:
    return base64.b64decode(png(width, height))


FORMATS = pytest.mark.parametrize(
    "make", [png_bytes, jpeg, progressive_jpeg, gif, webp_lossy, webp_lossless, webp_extended]
)


def source(content: bytes) -> dict[str, object]:
    return {"type": "base64", "data": base64.b64encode(content).decode()}


@FORMATS
def test_each_format_says_its_size(make: Make) -> None:
    sizes = [(1, 1), (7, 3), (640, 480), (1200, 1600), (333, 4001), (8000, 8000)]
    assert [size_of(source(make(*size))) for size in sizes] == sizes


def test_a_picture_that_is_to_be_turned_costs_what_it_costs_upright() -> None:
    upright, turned = (
        count(said([picture(base64.b64encode(content).decode(), "image/jpeg")]))
        for content in (jpeg(1200, 500), jpeg(1200, 500, metadata=(ROTATED,)))
    )
    assert upright == turned


@pytest.mark.parametrize("megabytes", [0.1, 0.5, 3])
def test_metadata_before_the_picture_are_passed_over_however_long_they_are(megabytes: float) -> None:
    segments = (b"x" * 65_000,) * round(megabytes * 16)
    found = source(jpeg(640, 480, metadata=segments))
    assert (len(str(found["data"])) > MOST_HEADER_CHARACTERS) is (megabytes > 0.3)
    assert size_of(found) == (640, 480)


def test_base64_in_lines_is_read_too() -> None:
    data = base64.encodebytes(jpeg(640, 480, metadata=(b"x" * 60_000,))).decode()
    assert size_of({"type": "base64", "data": data}) == (640, 480)


@FORMATS
@pytest.mark.parametrize(
    ("size", "standard", "high_resolution"),
    [((1, 1), 1, 1), ((1092, 1092), 1521, 1521), ((8000, 8000), 1521, 4761), ((100, 8000), 56, 184)],
)
def test_a_picture_costs_the_same_in_every_format(
    make: Make, size: tuple[int, int], standard: int, high_resolution: int
) -> None:
    data = base64.b64encode(make(*size)).decode()
    shown, bare = said([picture(data), {"type": "text", "text": "Well?"}]), said("Well?")
    costs = [count(shown, model).tokens - count(bare, model).tokens for model in (SONNET_45, OPUS_47, OPUS_48)]
    assert costs == [standard + 3, high_resolution + 4, high_resolution + 3]
