"""JSON documents come out of any stream of bytes, each with its place; what is broken is skipped by itself."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.adapters.logs import feed
from costkit.adapters.logs.documents import Document, Documents
from costkit.adapters.logs.feed import BLOCK, LONGEST
from costkit.report import Remark, Skipped

A, B, C = b'{"usage": 1}', b'{"usage": [{"x": "}"}]}', b'{"usage": "\xc3\xa9"}'


def _read(data: bytes, at_most: int = BLOCK) -> list[Document | Skipped]:
    return [item for item in _read_all(data, at_most) if not isinstance(item, Remark)]


def _read_all(data: bytes, at_most: int = BLOCK) -> list[Document | Skipped | Remark]:
    stream = io.BytesIO(data)
    return list(Documents(lambda size: stream.read(min(size, at_most)), "log"))


def _found(data: bytes, at_most: int = BLOCK) -> list[tuple[str, int]]:
    """What is found, as JSON text or the reason for skipping, and the line."""
    return [
        (json.dumps(item.value, ensure_ascii=False) if isinstance(item, Document) else item.reason, item.line)
        for item in _read(data, at_most)
    ]


def _text(document: bytes) -> str:
    return json.dumps(json.loads(document), ensure_ascii=False)


def test_one_document_per_line_has_the_number_of_its_line() -> None:
    assert _found(A + b"\n" + B + b"\n" + C) == [(_text(A), 1), (_text(B), 2), (_text(C), 3)]


@pytest.mark.parametrize(
    "data",
    [
        A + b"\r\n" + B + b"\r\n",
        b"\xef\xbb\xbf" + A + b"\n" + B + b"\n",
        A + b"\n \t" + B + b" \n",
        A + b"\n\xef\xbb\xbf" + B,
        b"\0\0" + A + b"\n" + B + b"\0\0\0\n",
        A + b",\n" + B + b",\n",
    ],
    ids=["CRLF", "byte order mark", "spaces", "byte order mark inside", "NUL padding", "commas"],
)
def test_what_surrounds_a_document_does_not_matter(data: bytes) -> None:
    assert _found(data) == [(_text(A), 1), (_text(B), 2)]


def test_blank_lines_are_nothing_but_count_as_lines() -> None:
    assert _found(b"\n  \n" + A + b"\n\n\n") == [(_text(A), 3)]


def test_documents_glued_on_one_line_are_all_read_with_their_own_offsets() -> None:
    items = _read(C + A + b" " + B + b"\n")

    assert [item.offset for item in items] == [0, len(C), len(C) + len(A) + 1]
    assert [item.line for item in items] == [1, 1, 1]


def test_a_line_of_several_documents_is_remarked_once_with_its_place() -> None:
    items = _read_all(A + b"\n" + A + b" " + B + C + b"\n" + A + b",\n[" + A + b"," + B + b"]\n")

    assert [item for item in items if isinstance(item, Remark)] == [Remark("glued", "log", 2, len(A) + 1)]


def test_a_torn_last_line_is_skipped_and_said_so() -> None:
    assert _found(A + b"\n" + B[:-4]) == [(_text(A), 1), ("torn-last-line", 2)]
    assert _found(A + b'\n{"usage": tru') == [(_text(A), 1), ("torn-last-line", 2)]


def test_a_last_line_that_is_no_beginning_of_a_document_is_a_defect_like_any_other() -> None:
    assert _found(A + b"\nplain words") == [(_text(A), 1), ("torn-json", 2)]
    assert _found(A + b'\n{"usage": 017}') == [(_text(A), 1), ("torn-json", 2)]
    assert _found(A + b"\n" + B[:-4] + b"\n") == [(_text(A), 1), ("torn-json", 2)]


@pytest.mark.parametrize("cut", range(1, len(B)))
def test_a_line_torn_anywhere_costs_only_itself(cut: int) -> None:
    assert _found(A + b"\n" + B[:cut] + b"\n" + A + b"\n" + C) == [
        (_text(A), 1),
        (_found(B[:cut] + b"\n" + A)[0][0], 2),
        (_text(A), 3),
        (_text(C), 4),
    ]


def test_a_torn_line_with_another_document_right_behind_costs_only_itself() -> None:
    """A writer died in the middle of a text; the next one went on behind it."""
    assert _found(b'{"usage": 1, "tex' + A + b"\n") == [(_text(A), 1), ("torn-json", 1)]
    assert _found(b'{"usage": 1,' + A + B + b"\n") == [(_text(A), 1), (_text(B), 1), ("torn-json", 1)]


def test_a_number_of_thousands_of_digits_costs_no_bill_beside_it() -> None:
    assert _found(b'{"x": ' + b"1" * 5000 + b', "usage": 1}') == [('{"x": Infinity, "usage": 1}', 1)]


def test_bytes_that_are_no_text_cost_no_bill_beside_them() -> None:
    assert _found(b'{"usage": 1, "x": "\xff\xc3"}\n' + A) == [('{"usage": 1, "x": "\ufffd\ufffd"}', 1), (_text(A), 2)]


def test_a_broken_line_in_the_middle_costs_only_itself() -> None:
    assert _found(A + b'\n{"usage": oops}\n' + B) == [(_text(A), 1), ("invalid-json", 2), (_text(B), 3)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json at all", "invalid-json"),
        (b"2026-11-01 12:00:00 started", "invalid-json"),
        (b"[INFO] started", "invalid-json"),
        (b"[2026-11-01 12:00] started", "invalid-json"),
        (b"[1] started", "invalid-json"),
        (b"{}}", "invalid-json"),
        (b'"\xff\xfe" {"usage": 1}', "invalid-utf8"),
        (b'{"usage": \0}', "nul-bytes"),
        (b"\0\0\0\0", "nul-bytes"),
        (A + b'{"usage": ' + b"1" * 5000 + b"}", "number-too-long"),
        (b'{"usage": ' + b"[" * 200_000 + b"}", "nested-too-deep"),
        (b'{"usage": {}}' * 2 + b"}", "invalid-json"),
    ],
)
def test_every_unreadable_line_has_a_reason_and_the_next_one_is_read(line: bytes, reason: str) -> None:
    found = _found(line + b"\n" + A + b"\n")

    assert (reason, 1) in found
    assert found[-1] == (_text(A), 2)


@pytest.mark.parametrize("indent", [None, 0, 1, 4])
@pytest.mark.parametrize("at_most", [1, 7, BLOCK])
def test_arrays_are_read_element_by_element_however_they_are_written(indent: int | None, at_most: int) -> None:
    elements = [{"usage": {"text": 'a "[{" b\\'}}, {"usage": ["é", {}]}, {"usage": None}]
    data = json.dumps(elements, indent=indent, ensure_ascii=False).encode()

    found = _found(data + b"\n" + A, at_most)

    assert [text for text, _ in found] == [json.dumps(item, ensure_ascii=False) for item in elements] + [_text(A)]


@pytest.mark.parametrize("indent", [1, 4, "\t"])
@pytest.mark.parametrize("at_most", [1, 7, BLOCK])
def test_documents_over_many_lines_are_read_whole(indent: int | str, at_most: int) -> None:
    first = {"usage": {"text": "a }{ \\ b", "list": [{}, [], {"deep": [1, 2]}]}}
    second = {"usage": {"more": True}}
    pretty = [json.dumps(value, indent=indent) for value in (first, second)]

    apart, glued = ("\n".join(pretty) + "\n").encode(), "".join(pretty).encode()

    assert [text for text, _ in _found(apart, at_most)] == [json.dumps(first), json.dumps(second)]
    assert [text for text, _ in _found(glued, at_most)] == [json.dumps(first), json.dumps(second)]


def test_an_element_that_is_torn_costs_only_itself() -> None:
    data = b"[\n" + A + b',\n{"usage": "tor\n' + B + b",\n" + C + b"\n]\n" + A

    assert _found(data) == [(_text(A), 2), ("torn-json", 3), (_text(B), 4), (_text(C), 5), (_text(A), 7)]


@pytest.mark.parametrize("torn", [b'[{"usage": [1', b"[[", b'[{"a": {', b"[" * 600, b'[{"a": "x", ["b', b'[1, {"c": 2'])
@pytest.mark.parametrize("at_most", [1, 7, BLOCK])
def test_a_torn_array_on_one_line_costs_only_itself(torn: bytes, at_most: int) -> None:
    found = _found(A + b"\n" + torn + b"\n" + B + b"\n" + C + b"\n" + A, at_most)

    assert [item for item in found if item[0].startswith("{")] == [
        (_text(A), 1),
        (_text(B), 3),
        (_text(C), 4),
        (_text(A), 5),
    ]
    assert ("torn-json", 2) in found


def test_an_array_that_never_ends_is_read_as_far_as_it_goes() -> None:
    assert _found(b"[" + A + b",\n" + B) == [(_text(A), 1), (_text(B), 2), ("torn-json", 1)]


def test_an_object_that_never_ends_is_skipped_once() -> None:
    assert _found(b'{\n  "usage": {\n    "a": 1,\n') == [("torn-json", 1)]


def test_unfinished_objects_on_every_line_take_no_more_than_one_look_each() -> None:
    found = _found(b'{"usage": [\n' * 5000 + A)

    assert found[-1] == (_text(A), 5001)
    assert {text for text, _ in found[:-1]} <= {"nested-too-deep", "torn-json"}


def test_server_sent_events_are_their_data_lines() -> None:
    data = b": hello\nevent: message_start\nid: 7\nretry: 5\ndata: " + A + b"\n\ndata:" + B + b"  \n\ndata: [DONE]\n"

    assert _found(data) == [(_text(A), 5), (_text(B), 7)]


def test_the_last_of_two_equal_keys_counts_and_no_key_is_special() -> None:
    assert _found(b'{"usage": 1, "__proto__": {"a": 1}, "usage": 2}') == [('{"usage": 2, "__proto__": {"a": 1}}', 1)]


def test_lines_without_a_mark_are_counted_but_not_handed_on() -> None:
    stream = io.BytesIO(b'{"type":"user"}\n{"type":"user","text":"' + b"x" * 5000 + b'"}\n5\n[1,[2]]\n' + A)
    documents = Documents(stream.read, "log")

    assert [item.line for item in documents] == [5]
    assert documents.passed_over == 5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "' + b"x" * 5000 + b"\0" + b'"}', "nul-bytes"),
        (b'{"text": "' + b"x" * 5000, "torn-json"),
        (b'{"text": "' + b"x" * 5000 + b'"', "torn-json"),
    ],
)
def test_a_long_line_that_can_not_bill_is_still_looked_at(line: bytes, reason: str) -> None:
    assert _found(line + b"\n" + A) == [(reason, 1), (_text(A), 2)]


def _in_pieces(size: int, start: bytes, end: bytes) -> Callable[[int], bytes]:
    """A stream of `start`, so many letters, `end`; it is never held whole."""

    def pieces() -> Iterator[bytes]:
        yield start
        for _ in range(size // BLOCK):
            yield b"x" * BLOCK
        yield end

    stream = pieces()
    return lambda _size: next(stream, b"")


@pytest.mark.parametrize("start", [b'{"usage": "', b'["', b'[{"usage": "', b"x"])
def test_a_line_of_a_hundred_megabytes_is_passed_over_in_bounded_memory(start: bytes) -> None:
    tracemalloc.start()
    documents = Documents(_in_pieces(100 << 20, start, b'"}\n' + A + b"\n"), "log")
    found = [(item.reason if isinstance(item, Skipped) else "document", item.line) for item in documents]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found[0] == ("line-too-long", 1)
    assert ("document", 2) in found
    assert peak < 2.5 * LONGEST


@pytest.mark.parametrize("at_most", [1, 7, 64, 90])
@pytest.mark.parametrize(("begin", "comma", "end"), [(b"", b"", b""), (b"[", b",", b"]"), (b"[\n", b",", b"\n]")])
def test_a_line_is_too_long_wherever_blocks_end(
    monkeypatch: pytest.MonkeyPatch, begin: bytes, comma: bytes, end: bytes, at_most: int
) -> None:
    monkeypatch.setattr(feed, "LONGEST", 100)
    longest, longer = (b'{"usage": "' + b"x" * (size - 13) + b'"}' for size in (100, 101))
    found = _found(begin + comma.join((longest + b"\n", longer, b"\n" + A)) + end + b"\n" + B, at_most)

    line = 1 + begin.count(b"\n")
    assert found[:3] == [(_text(longest), line), ("line-too-long", line + 1), (_text(A), line + 2)]
    assert found[-1] == (_text(B), line + 3 + end.count(b"\n"))


def test_an_array_larger_than_any_line_is_never_held_whole() -> None:
    element = b'{"usage": "' + b"x" * (1 << 20) + b'"},'

    def pieces() -> Iterator[bytes]:
        yield b"["
        yield from [element] * 64
        yield A + b"]"

    stream = pieces()
    tracemalloc.start()
    count = sum(1 for _ in Documents(lambda _size: next(stream, b""), "log"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 65
    assert peak < LONGEST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.lists(st.fixed_dictionaries({"usage": JSON}), min_size=1, max_size=5)
WRITTEN = st.sampled_from(["lines", "glued", "pretty", "array", "pretty array", "pretty glued"])


def _write(values: list[dict[str, object]], way: str, *, escape: bool) -> bytes:
    indent = 2 if "pretty" in way else None
    if "array" in way:
        return json.dumps(values, indent=indent, ensure_ascii=escape).encode("utf-8", "replace")
    separator = "" if "glued" in way else "\n"
    texts = [json.dumps(value, indent=indent, ensure_ascii=escape) for value in values]
    return separator.join(texts).encode("utf-8", "replace")


@given(OBJECTS, WRITTEN, st.sampled_from(["ASCII", "UTF-8"]), st.integers(1, 40))
def test_any_objects_come_back_however_they_are_written_and_read(
    values: list[dict[str, object]],
    way: str,
    encoding: str,
    at_most: int,
) -> None:
    data = _write(values, way, escape=encoding == "ASCII")
    found = _read(data, at_most)

    assert found == _read(data)
    assert len(found) == len(values)
    assert all(isinstance(item, Document) for item in found)
    assert len({item.offset for item in found}) == len(values)


@given(OBJECTS, WRITTEN, st.binary(max_size=6), st.integers(0, 400), st.integers(0, 40), st.integers(1, 40))
def test_no_damage_stops_the_reading_and_none_goes_unseen(
    values: list[dict[str, object]], way: str, noise: bytes, at: int, lost: int, at_most: int
) -> None:
    """Whatever is destroyed, the line after it is read, and no read size changes the result."""
    data = _write(values, way, escape=True)
    at = min(at, len(data))
    damaged = data[:at] + noise + data[at + lost :] + b"\n" + A + b"\n"

    found = _read(damaged, at_most)

    assert found == _read(damaged)
    assert isinstance(found[-1], Document | Skipped)
    assert any(item.line <= damaged.count(b"\n") for item in found)
