"""One line of input: which bytes are sent, and what is refused before it is understood."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costkit.batch.canonical import COMPOSED, MOST_BYTES_OF_ITEM, LineProblem, RawLine, Shape, read_item, same_item

SHAPE = Shape(lambda: "0123abcd")
WITH_MODEL = Shape(lambda: "0123abcd", "claude-haiku-5-5", 100)


def canonical(line: str | bytes, shape: Shape = SHAPE, number: int = 7) -> bytes:
    data = line.encode() if isinstance(line, str) else line
    return read_item(RawLine(number, data, len(data)), shape).data


def problem(line: str | bytes, shape: Shape = SHAPE) -> LineProblem:
    with pytest.raises(LineProblem) as caught:
        canonical(line, shape)
    return caught.value


@pytest.mark.parametrize(
    "line",
    [
        '{"custom_id":"a","params":{ "x" : [1,2.50, 1e3] }}',
        '{ "custom_id" : "a" , "params" : { "x" : [1,2.50, 1e3] } }',
        '{"params":{ "x" : [1,2.50, 1e3] },"custom_id":"a"}',
        '\t{"params"\t:\t{ "x" : [1,2.50, 1e3] }\t,\t"custom_id":"a"}'.strip(),
        '{"par\\u0061ms":{ "x" : [1,2.50, 1e3] },"custom\\u005fid":"\\u0061"}',
    ],
)
def test_params_are_sent_byte_for_byte_as_they_stand_in_the_input(line: str) -> None:
    """Key order, white space and escapes round them don't matter; numbers keep their form."""
    assert canonical(line) == b'{"custom_id":"a","params":{ "x" : [1,2.50, 1e3] }}'


@pytest.mark.parametrize("text", ["é", "\\u00e9", "\\ud83d\\ude00", "😀", '\\"}', "\\\\", "a\\/b", "{]", "\u2028"])
def test_texts_keep_their_escapes_and_their_characters(text: str) -> None:
    params = f'{{"x":"{text}"}}'
    assert canonical(f'{{"params":{params},"custom_id":"a"}}') == f'{{"custom_id":"a","params":{params}}}'.encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(
    params=st.dictionaries(st.text(), JSON, max_size=5),
    custom_id=st.from_regex(r"[a-zA-Z0-9_-]{1,64}", fullmatch=True),
    ascii_only=st.booleans(),
    indent=st.sampled_from([(", ", ": "), (",", ":"), (" ,\t", "\t:  ")]),
    turned=st.booleans(),
)
def test_whatever_the_params_hold_their_own_bytes_come_out(
    *, params: dict[str, object], custom_id: str, ascii_only: bool, indent: tuple[str, str], turned: bool
) -> None:
    own = json.dumps(params, ensure_ascii=ascii_only, separators=indent)
    members = [f'"custom_id"{indent[1]}"{custom_id}"', f'"params"{indent[1]}{own}']
    line = "{" + indent[0].join(members[:: -1 if turned else 1]) + "}"
    assert canonical(line.encode("utf-8", "surrogatepass")) == f'{{"custom_id":"{custom_id}","params":{own}}}'.encode()


def test_a_bare_body_becomes_the_params_whole() -> None:
    body = '{"model" : "m", "max_tokens":5, "messages":[] }'
    assert canonical(body) == f'{{"custom_id":"0123abcd-7","params":{body}}}'.encode()


def test_an_item_without_an_id_gets_one_from_the_file_and_the_line() -> None:
    assert canonical('{"params":{}}', number=12) == b'{"custom_id":"0123abcd-12","params":{}}'


def test_content_alone_is_completed_with_model_and_limit() -> None:
    expected = (
        b'{"custom_id":"q1","params":{"model":"claude-haiku-5-5","max_tokens":100,'
        b'"messages":[{"role":"user","content":"Hi \\u00e9"}]}}'
    )
    assert canonical('{"id":"q1","content":"Hi \\u00e9"}', WITH_MODEL) == expected


@pytest.mark.parametrize(("written", "meant"), [("17", "17"), ('"17"', "17")])
def test_the_id_of_content_may_be_a_number(written: str, meant: str) -> None:
    line = f'{{"id":{written},"content":"Hi"}}'
    assert canonical(line, WITH_MODEL).startswith(f'{{"custom_id":"{meant}",'.encode())


def test_content_without_a_model_asks_for_the_flags() -> None:
    assert problem('{"id":"q1","content":"Hi"}').code == "missing-parameter"
    assert "--model and --max-tokens" in problem('{"id":"q1","content":"Hi"}').message


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"custom_id":"a","params":{}', "invalid-json"),
        ('{"custom_id":"a" "params":{}}', "invalid-json"),
        ('{"custom_id" "a"}', "invalid-json"),
        ('{custom_id:"a"}', "invalid-json"),
        ('{"custom_id":"a","params":{}}x', "invalid-json"),
        ('{"custom_id":"a","params":{}}{"custom_id":"b","params":{}}', "invalid-json"),
        ('{"custom_id":"a","params":{},}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":01}}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":NaN}}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":-Infinity}}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":"tab\there"}}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":"\\ud83d"}}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":"\\uDE00 late"}}', "invalid-json"),
        ('{"custom_id":"a","params":{"x":' + "9" * 5_000 + "}}", "invalid-json"),
        ('{"custom_id":"a","params":{"x":' + "[" * 200_000 + "]" * 200_000 + "}}", "invalid-json"),
        ("nonsense", "invalid-json"),
        (b'{"custom_id":"\xff","params":{}}', "not-utf8"),
        (b"\x00\x01\x02", "invalid-json"),
        ("[1, 2]", "not-an-object"),
        ('"text"', "not-an-object"),
        ("{}", "unknown-shape"),
        ('{"prompt":"Hi"}', "unknown-shape"),
        ('{"custom_id":"a","custom_id":"b","params":{}}', "duplicate-key"),
        ('{"custom_id":"a","params":{},"params":{}}', "duplicate-key"),
        ('{"custom_id":"a","params":{"model":"x","model":"y"}}', "duplicate-key"),
        ('{"custom_id":"a","params":{"x":[{"y":1,"y":1}]}}', "duplicate-key"),
        ('{"custom_id":"a","params":[]}', "invalid-request"),
        ('{"custom_id":"a"}', "missing-parameter"),
        ('{"custom_id":"a","params":{},"priority":1}', "unknown-key"),
        ('{"custom_id":"a","model":"m","messages":[]}', "unknown-key"),
        ('{"custom_id":"","params":{}}', "invalid-custom-id"),
        ('{"custom_id":"' + "x" * 65 + '","params":{}}', "invalid-custom-id"),
        ('{"custom_id":"a b","params":{}}', "invalid-custom-id"),
        ('{"custom_id":"é","params":{}}', "invalid-custom-id"),
        ('{"custom_id":"a\\n","params":{}}', "invalid-custom-id"),
        ('{"custom_id":17,"params":{}}', "invalid-custom-id"),
        ('{"custom_id":null,"params":{}}', "invalid-custom-id"),
        ('{"id":true,"content":"Hi"}', "invalid-custom-id"),
        ('{"id":"a","content":"Hi","role":"user"}', "unknown-key"),
    ],
)
def test_lines_that_can_not_be_sent_say_why(line: str | bytes, code: str) -> None:
    found = problem(line, WITH_MODEL)
    assert found.code == code
    assert "\n" not in found.message


def test_the_longest_id_is_64_characters() -> None:
    assert canonical('{"custom_id":"' + "x" * 64 + '","params":{}}').startswith(b'{"custom_id":"xxxx')


def test_an_item_may_have_32_million_bytes_and_no_more() -> None:
    frame = len(b'{"custom_id":"a","params":{"x":""}}')
    fits = b'{"custom_id":"a","params":{"x":"%s"}}' % (b"x" * (MOST_BYTES_OF_ITEM - frame))
    assert len(canonical(fits)) == 32_000_000
    assert problem(fits.replace(b'"x"', b'"xy"', 1)).code == "item-too-large"


@given(
    params=st.dictionaries(st.text(), JSON, max_size=5),
    ascii_only=st.booleans(),
    frame=st.sampled_from(
        (
            '{"custom_id":"a","params":%s}',
            '{"params" : %s, "custom_id":"a"}',
            '{ "custom\\u005fid": "a","params":\t%s }',
        )
    ),
)
def test_an_item_is_found_again_without_reading_its_json(
    *, params: dict[str, object], ascii_only: bool, frame: str
) -> None:
    data = (frame % json.dumps(params, ensure_ascii=ascii_only)).encode("utf-8", "replace")
    raw = RawLine(7, data, len(data))
    item = read_item(raw, SHAPE)
    assert same_item(raw, item.custom_id, item.start, len(item.data)) == item.data


def test_a_bare_body_is_found_again_under_the_id_that_was_made_for_it() -> None:
    data = '{"messages":[{"role":"user","content":"é"}]}'.encode()
    raw = RawLine(7, data, len(data))
    item = read_item(raw, SHAPE)
    assert same_item(raw, item.custom_id, item.start, len(item.data)) == item.data


def test_params_that_were_put_together_stand_nowhere() -> None:
    data = b'{"id":"a","content":"Hi"}'
    raw = RawLine(7, data, len(data))
    item = read_item(raw, WITH_MODEL)
    assert (item.start, same_item(raw, "a", item.start, len(item.data))) == (COMPOSED, None)
